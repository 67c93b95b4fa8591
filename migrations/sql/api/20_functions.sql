-- What may be called over HTTP, with the words of the OpenAPI document. Left out is what means nothing there: ops.hold_run
-- holds a lock for as long as its transaction, and over HTTP each call is one. The steward's work stays where the steward is.

-- An executor's life.
select
  private.expose('register_executor',
    'Announces an executor: a new id at every boot, its name, capabilities and slots. A repeat replaces what was said.'),
  private.expose('executor_seen', 'Says that an executor lives, and whether it is active, draining or lost.'),
  private.expose('is_draining',
    'Whether an executor was asked to drain: it is given no further run, ends what it is at and gives back the rest.'),
  private.expose('claim_run',
    'Takes up to p_max_runs runs, each under a new lease token. No row: nothing to do, or asked to drain; ask again. A run is given only to who has '
    'all capabilities that it needs; p_dedicated leaves alone runs that need none. A claim whose answer was lost is not '
    'repeated: its lease ends by itself.'),
  private.expose('start_run', 'claimed → running. A repeat changes nothing.'),
  private.expose('heartbeat_run',
    'Renews one lease for as long as it was claimed for. cancel_requested asks the owner to stop and to call '
    'release_canceled_run. LEASE_LOST: stop at once, write nothing. p_usage says what each try at work has used so far: '
    '[{run_id, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes}]. cap_exceeded: stop the work by '
    'force, finish_phase as failed and fail_run with CAP_EXCEEDED.'),
  private.expose('heartbeat_runs',
    'Renews all leases of an executor. held = false: that lease is lost, stop that run at once. p_usage and cap_exceeded '
    'as for heartbeat_run.'),
  private.expose('pin_inputs', 'Pins what the run reads, once; returns what is pinned, which may be an earlier owner''s.'),
  private.expose('start_phase',
    'Begins a try at a phase and returns its number, from 1. With p_event_id a repeat of the call is the same try.'),
  private.expose('append_events',
    'Appends PHASE_PROGRESS events [{type, phase, message, data, level, event_id}]; a known event_id is left out.'),
  private.expose('register_artifact',
    'Registers stored bytes by their sha256. The same bytes under the same name are the same artifact, others a CONFLICT.'),
  private.expose('record_dataset', 'Registers a commit to a table of the lake, with what it was made from.'),
  private.expose('record_signal', 'Records one number that the run says about itself; the last one counts.'),
  private.expose('finish_phase',
    'Ends a try at a phase: succeeded, failed, skipped or canceled. p_result may name rows_in, rows_out, byte_size, '
    'output_fingerprint, metrics, error_code, error_message, error_data, and as usage what the try has used in all.'),
  private.expose('complete_run', 'running → succeeded, once every phase has succeeded or was skipped. A repeat changes nothing.'),
  private.expose('fail_run',
    'Gives up on this attempt. p_retryable and attempts left: queued again after a pause, else failed. Returns the status.'),
  private.expose('release_run', 'Gives the run back at once, and the attempt with it: what an executor does that is told to end.'),
  private.expose('release_canceled_run', 'Honours a cancel request: the run ends as canceled.'),
  private.expose('compute_run_score', 'The score of an ended run, 0 to 100.'),
  private.expose('cap_allow',
    'Charges a cap if the amount still fits, and says whether it did. p_org may be left out where only one org has a cap of that name.'),
  private.expose('run_secrets', 'The secret references that the run may resolve.'),
  private.expose('shared_dataset', 'The version of another project''s table, where it was shared with the run''s; else NOT_ALLOWED.'),
  private.expose('released_versions', 'The version that readers get of each of these tables, null where none is released yet.');

-- People's.
select
  private.expose('register_pipeline', 'Registers a spec and returns its version; the same content is the same version.'),
  private.expose('create_run',
    'Queues a run and returns its id. The same p_idempotency_key with the same content is the same run, other content a CONFLICT.'),
  private.expose('cancel_run',
    'Queued: canceled at once. Owned: the owner is asked to stop at its next heartbeat. Returns the status or cancel_requested.'),
  private.expose('retry_run',
    'A new run of an ended one: same definition, same inputs; phases that succeeded stay done, but not p_from_phase and what '
    'depends on it. p_latest: the definition and the inputs of now.'),
  private.expose('replay_run', 'A new run of the same definition on the same inputs, all phases.'),
  private.expose('preview_rerun', 'What a retry (p_way retry or latest) or replay would carry out, phase by phase.'),
  private.expose('start_backfill',
    'Orders a backfill of a range or list of partitions; p_dry_run only says what it would be. Returns id, chunks and estimate.'),
  private.expose('pause_backfill', 'Makes no further runs of a backfill until it is resumed. Returns its state.'),
  private.expose('resume_backfill', 'Goes on with a paused backfill; of one that failed, tries failed chunks again. Returns its state.'),
  private.expose('cancel_backfill', 'Ends a backfill and cancels its open runs. Returns its state.'),
  private.expose('drain_executor',
    'Asks an executor to take no further run and to end. It is the installation''s: for admins of every org. False: that was asked '
    'before.'),
  private.expose('revoke_lease', 'Takes an owned run away from its executor and queues it again. Returns the status.'),
  private.expose('why_waiting', 'What a queued run waits for, in one row: the reason, in words, until when, and facts.'),
  private.expose('cap_report', 'The caps that you may know of: what is used, when it begins anew, when it is used up if it goes on so.'),
  private.expose('submit_query',
    'Queues a question in SQL as a run of its own and returns its id. A repeat of the caller''s p_idempotency_key is the same run.'),
  private.expose('find_queries', 'The questions that a filter leaves, newest first.'),
  private.expose('find_runs', 'Ids of the runs that a filter leaves, newest first.'),
  private.expose('verify_event_chain', 'Recomputes the hash chain of a run''s events.');

-- PostgREST keeps the schema in mind until it is told.
notify pgrst, 'reload schema';
