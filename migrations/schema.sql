CREATE SCHEMA api;
CREATE SCHEMA ops;
CREATE SCHEMA private;
CREATE FUNCTION api.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) IS 'Appends PHASE_PROGRESS events [{type, phase, message, data, level, event_id}]; a known event_id is left out.';
CREATE FUNCTION api.cancel_backfill(p_backfill_id uuid, p_reason text DEFAULT ''::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.cancel_backfill(p_backfill_id uuid, p_reason text) IS 'Ends a backfill and cancels its open runs. Returns its state.';
CREATE FUNCTION api.cancel_run(p_run_id uuid, p_reason text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.cancel_run(p_run_id uuid, p_reason text) IS 'Queued: canceled at once. Owned: the owner is asked to stop at its next heartbeat. Returns the status or cancel_requested.';
CREATE FUNCTION api.cap_allow(p_cap_key text, p_amount numeric, p_org text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.cap_allow(p_cap_key text, p_amount numeric, p_org text) IS 'Charges a cap if the amount still fits, and says whether it did. p_org may be left out where only one org has a cap of that name.';
CREATE FUNCTION api.cap_report() RETURNS TABLE(key text, org text, project text, pipeline text, unit text, period text, amount numeric, used numeric, resets_at timestamp with time zone, used_up_at timestamp with time zone, cap_id uuid, org_id uuid, project_id uuid, began_at timestamp with time zone, asked_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.cap_report() IS 'The caps that you may know of: what is used, when it begins anew, when it is used up if it goes on so.';
CREATE FUNCTION api.claim_run(p_executor_id uuid, p_capabilities text[] DEFAULT '{}'::text[], p_lease_seconds double precision DEFAULT 30, p_max_runs integer DEFAULT 1, p_dedicated boolean DEFAULT false) RETURNS TABLE(run_id uuid, lease_token bigint, expires_at timestamp with time zone, org text, project text, env text, pipeline text, pipeline_version integer, spec jsonb, spec_sha256 text, git_sha text, params jsonb, input_manifest jsonb, attempt integer, max_attempts integer, timeout_seconds double precision, elapsed_seconds double precision, root_run uuid, phases jsonb)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) IS 'Takes up to p_max_runs runs, each under a new lease token. No row: nothing to do, or asked to drain; ask again. A run is given only to who has all capabilities that it needs; p_dedicated leaves alone runs that need none. A claim whose answer was lost is not repeated: its lease ends by itself.';
CREATE FUNCTION api.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) IS 'running → succeeded, once every phase has succeeded or was skipped. A repeat changes nothing.';
CREATE FUNCTION api.compute_run_score(p_run_id uuid) RETURNS numeric
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.compute_run_score(p_run_id uuid) IS 'The score of an ended run, 0 to 100.';
CREATE FUNCTION api.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb DEFAULT '{}'::jsonb, p_phases jsonb DEFAULT '[]'::jsonb, p_idempotency_key text DEFAULT NULL::text, p_priority integer DEFAULT 100, p_trigger text DEFAULT 'manual'::text, p_max_attempts integer DEFAULT 3, p_timeout_seconds double precision DEFAULT NULL::double precision, p_available_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_parent_run uuid DEFAULT NULL::uuid, p_tags jsonb DEFAULT '{}'::jsonb, p_input_manifest jsonb DEFAULT '{}'::jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) IS 'Queues a run and returns its id. The same p_idempotency_key with the same content is the same run, other content a CONFLICT.';
CREATE FUNCTION api.drain_executor(p_executor_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.drain_executor(p_executor_id uuid) IS 'Asks an executor to take no further run and to end. It is the installation''s: for admins of every org. False: that was asked before.';
CREATE FUNCTION api.executor_seen(p_executor_id uuid, p_state text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.executor_seen(p_executor_id uuid, p_state text) IS 'Says that an executor lives, and whether it is active, draining or lost.';
CREATE FUNCTION api.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb DEFAULT '{}'::jsonb, p_retryable boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) IS 'Gives up on this attempt. p_retryable and attempts left: queued again after a pause, else failed. Returns the status.';
CREATE FUNCTION api.find_queries(p_filter jsonb DEFAULT '{}'::jsonb, p_limit integer DEFAULT 50, p_before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_before_id uuid DEFAULT NULL::uuid) RETURNS TABLE(run_id uuid, org text, project text, env text, sql text, params jsonb, engine text, subject text, status text, created_at timestamp with time zone, started_at timestamp with time zone, finished_at timestamp with time zone, ms double precision, rows bigint, cached_from uuid, personal boolean, error_code text, error_message text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) IS 'The questions that a filter leaves, newest first.';
CREATE FUNCTION api.find_runs(p_filter jsonb DEFAULT '{}'::jsonb, p_limit integer DEFAULT 50, p_before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_before_id uuid DEFAULT NULL::uuid) RETURNS TABLE(run_id uuid, org text, project text, env text, pipeline text, pipeline_version integer, status text, phase text, priority integer, attempt integer, max_attempts integer, trigger text, git_sha text, tags jsonb, created_at timestamp with time zone, started_at timestamp with time zone, finished_at timestamp with time zone, error_code text, error_message text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) IS 'Ids of the runs that a filter leaves, newest first.';
CREATE FUNCTION api.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) IS 'Ends a try at a phase: succeeded, failed, skipped or canceled. p_result may name rows_in, rows_out, byte_size, output_fingerprint, metrics, error_code, error_message, error_data, and as usage what the try has used in all.';
CREATE FUNCTION api.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text DEFAULT NULL::text, p_progress jsonb DEFAULT NULL::jsonb, p_usage jsonb DEFAULT NULL::jsonb) RETURNS TABLE(expires_at timestamp with time zone, cancel_requested boolean, cap_exceeded text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) IS 'Renews one lease for as long as it was claimed for. cancel_requested asks the owner to stop and to call release_canceled_run. LEASE_LOST: stop at once, write nothing. p_usage says what each try at work has used so far: [{run_id, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes}]. cap_exceeded: stop the work by force, finish_phase as failed and fail_run with CAP_EXCEEDED.';
CREATE FUNCTION api.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb DEFAULT NULL::jsonb) RETURNS TABLE(run_id uuid, held boolean, expires_at timestamp with time zone, cancel_requested boolean, cap_exceeded text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) IS 'Renews all leases of an executor. held = false: that lease is lost, stop that run at once. p_usage and cap_exceeded as for heartbeat_run.';
CREATE FUNCTION api.is_draining(p_executor_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.is_draining(p_executor_id uuid) IS 'Whether an executor was asked to drain: it is given no further run, ends what it is at and gives back the rest.';
CREATE FUNCTION api.pause_backfill(p_backfill_id uuid, p_reason text DEFAULT ''::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.pause_backfill(p_backfill_id uuid, p_reason text) IS 'Makes no further runs of a backfill until it is resumed. Returns its state.';
CREATE FUNCTION api.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) IS 'Pins what the run reads, once; returns what is pinned, which may be an earlier owner''s.';
CREATE FUNCTION api.preview_rerun(p_run_id uuid, p_way text DEFAULT 'retry'::text, p_from_phase text DEFAULT NULL::text) RETURNS TABLE(ordinal integer, name text, kind text, again boolean, reason text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) IS 'What a retry (p_way retry or latest) or replay would carry out, phase by phase.';
CREATE FUNCTION api.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) IS 'Registers a commit to a table of the lake, with what it was made from.';
CREATE FUNCTION api.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) IS 'Records one number that the run says about itself; the last one counts.';
CREATE FUNCTION api.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) IS 'Registers stored bytes by their sha256. The same bytes under the same name are the same artifact, others a CONFLICT.';
CREATE FUNCTION api.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) IS 'Announces an executor: a new id at every boot, its name, capabilities and slots. A repeat replaces what was said.';
CREATE FUNCTION api.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) IS 'Registers a spec and returns its version; the same content is the same version.';
CREATE FUNCTION api.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) IS 'Honours a cancel request: the run ends as canceled.';
CREATE FUNCTION api.release_run(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.release_run(p_run_id uuid, p_lease_token bigint) IS 'Gives the run back at once, and the attempt with it: what an executor does that is told to end.';
CREATE FUNCTION api.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) IS 'The version that readers get of each of these tables, null where none is released yet.';
CREATE FUNCTION api.replay_run(p_run_id uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.replay_run(p_run_id uuid) IS 'A new run of the same definition on the same inputs, all phases.';
CREATE FUNCTION api.resume_backfill(p_backfill_id uuid) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.resume_backfill(p_backfill_id uuid) IS 'Goes on with a paused backfill; of one that failed, tries failed chunks again. Returns its state.';
CREATE FUNCTION api.retry_run(p_run_id uuid, p_from_phase text DEFAULT NULL::text, p_latest boolean DEFAULT false) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) IS 'A new run of an ended one: same definition, same inputs; phases that succeeded stay done, but not p_from_phase and what depends on it. p_latest: the definition and the inputs of now.';
CREATE FUNCTION api.revoke_lease(p_run_id uuid) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.revoke_lease(p_run_id uuid) IS 'Takes an owned run away from its executor and queues it again. Returns the status.';
CREATE FUNCTION api.run_secrets(p_run_id uuid, p_lease_token bigint) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.run_secrets(p_run_id uuid, p_lease_token bigint) IS 'The secret references that the run may resolve.';
CREATE FUNCTION api.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) IS 'The version of another project''s table, where it was shared with the run''s; else NOT_ALLOWED.';
CREATE FUNCTION api.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text DEFAULT NULL::text, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) IS 'Orders a backfill of a range or list of partitions; p_dry_run only says what it would be. Returns id, chunks and estimate.';
CREATE FUNCTION api.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid DEFAULT NULL::uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) IS 'Begins a try at a phase and returns its number, from 1. With p_event_id a repeat of the call is the same try.';
CREATE FUNCTION api.start_run(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.start_run(p_run_id uuid, p_lease_token bigint) IS 'claimed → running. A repeat changes nothing.';
CREATE FUNCTION api.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb DEFAULT '{}'::jsonb, p_engine text DEFAULT 'embedded'::text, p_idempotency_key text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) IS 'Queues a question in SQL as a run of its own and returns its id. A repeat of the caller''s p_idempotency_key is the same run.';
CREATE FUNCTION api.verify_event_chain(p_run_id uuid) RETURNS TABLE(ok boolean, events bigint, first_bad_seq bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.verify_event_chain(p_run_id uuid) IS 'Recomputes the hash chain of a run''s events.';
CREATE FUNCTION api.why_waiting(p_run_id uuid) RETURNS TABLE(reason text, said text, until timestamp with time zone, data jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
COMMENT ON FUNCTION api.why_waiting(p_run_id uuid) IS 'What a queued run waits for, in one row: the reason, in words, until when, and facts.';
CREATE FUNCTION ops.acknowledge_alert(p_alert_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.add_account(p_subject text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.add_sign_in_link(p_subject text, p_sha256 bytea, p_lifetime interval DEFAULT '24:00:00'::interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.advance_backfills(p_limit integer DEFAULT 500) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.allow_secret(p_project_id uuid, p_reference text, p_envs text[] DEFAULT '{dev,stage,prod}'::text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.bi_wish_granted(p_project_id uuid, p_env text, p_asked_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.bi_wish_refused(p_project_id uuid, p_env text, p_asked_at timestamp with time zone, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.cancel_backfill(p_backfill_id uuid, p_reason text DEFAULT ''::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.cancel_run(p_run_id uuid, p_reason text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.cap_allow(p_cap_key text, p_amount numeric, p_org text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.cap_report() RETURNS TABLE(key text, org text, project text, pipeline text, unit text, period text, amount numeric, used numeric, resets_at timestamp with time zone, used_up_at timestamp with time zone, cap_id uuid, org_id uuid, project_id uuid, began_at timestamp with time zone, asked_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.check_freshness() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.check_results(p_run_id uuid) RETURNS TABLE(phase text, rule text, on_fail text, ok boolean, expected text, observed text, checked bigint, failed bigint, dropped bigint, quarantined bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.claim_messages(p_lease_seconds double precision DEFAULT 60) RETURNS TABLE(notification_id uuid, batch_id uuid, channel text, secret text, alert_id uuid, run_id uuid, kind text, severity text, title text, body text, attempts integer, created_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.claim_run(p_executor_id uuid, p_capabilities text[] DEFAULT '{}'::text[], p_lease_seconds double precision DEFAULT 30, p_max_runs integer DEFAULT 1, p_dedicated boolean DEFAULT false) RETURNS TABLE(run_id uuid, lease_token bigint, expires_at timestamp with time zone, org text, project text, env text, pipeline text, pipeline_version integer, spec jsonb, spec_sha256 text, git_sha text, params jsonb, input_manifest jsonb, attempt integer, max_attempts integer, timeout_seconds double precision, elapsed_seconds double precision, root_run uuid, phases jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_bitmapscan TO 'off'
    AS …;
CREATE FUNCTION ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.compute_run_score(p_run_id uuid) RETURNS numeric
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.create_access_token(p_name text, p_role text DEFAULT 'viewer'::text, p_project_id uuid DEFAULT NULL::uuid, p_envs text[] DEFAULT '{dev,stage,prod}'::text[], p_lifetime interval DEFAULT '30 days'::interval, p_subject text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.create_org(p_org text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.create_project(p_org text, p_project text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb DEFAULT '{}'::jsonb, p_phases jsonb DEFAULT '[]'::jsonb, p_idempotency_key text DEFAULT NULL::text, p_priority integer DEFAULT 100, p_trigger text DEFAULT 'manual'::text, p_max_attempts integer DEFAULT 3, p_timeout_seconds double precision DEFAULT NULL::double precision, p_available_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_parent_run uuid DEFAULT NULL::uuid, p_tags jsonb DEFAULT '{}'::jsonb, p_input_manifest jsonb DEFAULT '{}'::jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.create_webhook_secret(p_schedule_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.decide_clocks(p_decisions jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.decide_events(p_schedule_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.disable_account(p_subject text, p_disabled boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.disallow_secret(p_project_id uuid, p_reference text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.drain_executor(p_executor_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.due_bi_wishes(p_limit integer DEFAULT 20) RETURNS TABLE(project_id uuid, org text, project text, env text, run_id uuid, asked_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.due_lineage(p_limit integer DEFAULT 100) RETURNS TABLE(run_id uuid, seq bigint, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.due_schedules(p_limit integer DEFAULT 200) RETURNS TABLE(id uuid, revision integer, cron text, timezone text, next_at timestamp with time zone, anchored_at timestamp with time zone, asked_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.end_silence(p_silence_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.enroll_lineage() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    SET enable_seqscan TO 'off'
    AS …;
CREATE FUNCTION ops.ensure_event_partitions() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.ensure_project(p_org text, p_project text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.escalate_alerts() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.executor_seen(p_executor_id uuid, p_state text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb DEFAULT '{}'::jsonb, p_retryable boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.find_queries(p_filter jsonb DEFAULT '{}'::jsonb, p_limit integer DEFAULT 50, p_before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_before_id uuid DEFAULT NULL::uuid) RETURNS TABLE(run_id uuid, org text, project text, env text, sql text, params jsonb, engine text, subject text, status text, created_at timestamp with time zone, started_at timestamp with time zone, finished_at timestamp with time zone, ms double precision, rows bigint, cached_from uuid, personal boolean, error_code text, error_message text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.find_runs(p_filter jsonb DEFAULT '{}'::jsonb, p_limit integer DEFAULT 50, p_before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_before_id uuid DEFAULT NULL::uuid) RETURNS TABLE(run_id uuid, org text, project text, env text, pipeline text, pipeline_version integer, status text, phase text, priority integer, attempt integer, max_attempts integer, trigger text, git_sha text, tags jsonb, created_at timestamp with time zone, started_at timestamp with time zone, finished_at timestamp with time zone, error_code text, error_message text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS …;
CREATE FUNCTION ops.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.fire_schedule(p_schedule_id uuid, p_key text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text DEFAULT NULL::text, p_progress jsonb DEFAULT NULL::jsonb, p_usage jsonb DEFAULT NULL::jsonb) RETURNS TABLE(expires_at timestamp with time zone, cancel_requested boolean, cap_exceeded text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb DEFAULT NULL::jsonb) RETURNS TABLE(run_id uuid, held boolean, expires_at timestamp with time zone, cancel_requested boolean, cap_exceeded text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.hold_run(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.is_draining(p_executor_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.judge_standing() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.lineage_refused(p_run_id uuid, p_error text, p_later boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.lineage_told(p_run_id uuid, p_seq bigint, p_done boolean) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.link_subject(p_sha256 bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.list_accounts() RETURNS TABLE(subject text, has_password boolean, created_at timestamp with time zone, disabled_at timestamp with time zone, sessions bigint, last_sign_in timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.login_holds(p_sha256 bytea, p_subject text, p_expires_at timestamp with time zone, p_address text, p_user_agent text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.mark_lost_executors(p_stale_seconds double precision) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.message_delivered(p_batch_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.message_refused(p_batch_id uuid, p_attempts integer, p_error text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.metrics(p_queue integer DEFAULT 20000) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    AS …;
CREATE FUNCTION ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.note_column(p_dataset_id uuid, p_column text, p_description text DEFAULT NULL::text, p_tags text[] DEFAULT NULL::text[], p_pii text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.note_dataset(p_dataset_id uuid, p_description text DEFAULT NULL::text, p_owners text[] DEFAULT NULL::text[], p_tags text[] DEFAULT NULL::text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.note_rollback(p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.pause_backfill(p_backfill_id uuid, p_reason text DEFAULT ''::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.pause_schedule(p_schedule_id uuid, p_reason text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.pending_schedules(p_limit integer DEFAULT 200) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.preview_rerun(p_run_id uuid, p_way text DEFAULT 'retry'::text, p_from_phase text DEFAULT NULL::text) RETURNS TABLE(ordinal integer, name text, kind text, again boolean, reason text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.probes_due(p_hour integer, p_probed text[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.promote_pipeline(p_project_id uuid, p_pipeline text, p_version integer, p_env text, p_note text DEFAULT ''::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.prune(p_keep interval) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.prune_ticks(p_keep interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.put_alert_rule(p_project_id uuid, p_name text, p_rule jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.put_channel(p_name text, p_secret text, p_owner text DEFAULT NULL::text, p_description text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.put_freshness_rule(p_project_id uuid, p_env text, p_dataset text, p_warn_seconds double precision, p_error_seconds double precision, p_event_column text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.put_route(p_area text, p_row jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.receive_webhook(p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.record_event_time(p_version_id uuid, p_event_time timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.record_evidence(p_capability text, p_probe text, p_ok boolean, p_evidence jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.release_run(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_alert_rule(p_project_id uuid, p_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_cap(p_org text, p_key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_channel(p_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_member(p_org text, p_project text, p_subject text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_pool(p_org text, p_project text, p_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.remove_schedule(p_schedule_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.replay_run(p_run_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.requeue_stale_runs(p_stale_minutes double precision DEFAULT 0) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.resume_backfill(p_backfill_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.retry_run(p_run_id uuid, p_from_phase text DEFAULT NULL::text, p_latest boolean DEFAULT false) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.revoke_access_token(p_name text, p_subject text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.revoke_lease(p_run_id uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.roll_back_refresh(p_refresh_id uuid, p_later boolean DEFAULT false, p_note text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.run_secrets(p_run_id uuid, p_lease_token bigint) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.run_traceparent(p_run_id uuid, p_lease_token bigint) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.save_answer(p_run_id uuid, p_name text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.score_ended_runs(p_limit integer DEFAULT 200, p_within interval DEFAULT '1 day'::interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.session_subject(p_sha256 bytea) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_cap(p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_member(p_org text, p_project text, p_subject text, p_role text, p_envs text[] DEFAULT '{dev,stage,prod}'::text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_password(p_subject text, p_salt bytea, p_cost integer[], p_proof bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_pool(p_org text, p_project text, p_name text, p_slots integer) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_price(p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_score_gate(p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.set_signal_weight(p_signal text, p_weight double precision, p_half_at double precision DEFAULT NULL::double precision, p_free_until double precision DEFAULT NULL::double precision) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.sign_in(p_subject text, p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.sign_in_challenge(p_subject text, p_address text, p_cost integer[], OUT salt bytea, OUT cost integer[], OUT wait_seconds integer) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.sign_out(p_sha256 bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.silence_alerts(p_project_id uuid, p_kind text, p_ends_at timestamp with time zone, p_reason text, p_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_env text DEFAULT NULL::text, p_rule text DEFAULT NULL::text, p_group_key text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text DEFAULT NULL::text, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid DEFAULT NULL::uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.start_refresh(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_max_attempts integer DEFAULT 3, p_timeout_seconds double precision DEFAULT NULL::double precision, p_tolerance jsonb DEFAULT NULL::jsonb, p_note text DEFAULT ''::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.start_run(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.steward_round() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.steward_seen() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb DEFAULT '{}'::jsonb, p_engine text DEFAULT 'embedded'::text, p_idempotency_key text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.swap_refresh(p_refresh_id uuid, p_note text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.test_channel(p_project_id uuid, p_name text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.unread_clocks(p_limit integer DEFAULT 50) RETURNS TABLE(version_id uuid, org text, project text, env text, dataset text, version bigint, event_column text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.use_access_token() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.use_sign_in_link(p_sha256 bytea, p_salt bytea, p_cost integer[], p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.verify_event_chain(p_run_id uuid) RETURNS TABLE(ok boolean, events bigint, first_bad_seq bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.what_if_score(p_run_id uuid, p_weights jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION ops.why_waiting(p_run_id uuid) RETURNS TABLE(reason text, said text, until timestamp with time zone, data jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.add_column_map(p_dataset_id uuid, p_project_id uuid, p_sha256 bytea, p_said jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.add_default_rules(p_project_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.added(p_one bigint[], p_other bigint[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.new_id() RETURNS uuid
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.backfills (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    pipeline text NOT NULL,
    pipeline_version integer NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    partition jsonb NOT NULL,
    partitions integer NOT NULL,
    chunks integer NOT NULL,
    chunk_size integer NOT NULL,
    max_parallel integer NOT NULL,
    max_tries integer NOT NULL,
    priority integer NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    idempotency_key text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text,
    ended_at timestamp with time zone,
    CONSTRAINT backfills_check CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'canceled'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT backfills_chunk_size_check CHECK (((chunk_size >= 1) AND (chunk_size <= 1000))),
    CONSTRAINT backfills_chunks_check CHECK ((chunks > 0)),
    CONSTRAINT backfills_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT backfills_max_parallel_check CHECK (((max_parallel >= 1) AND (max_parallel <= 100))),
    CONSTRAINT backfills_max_tries_check CHECK (((max_tries >= 1) AND (max_tries <= 20))),
    CONSTRAINT backfills_params_check CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT backfills_partition_check CHECK ((jsonb_typeof(partition) = 'object'::text)),
    CONSTRAINT backfills_partitions_check CHECK ((partitions > 0)),
    CONSTRAINT backfills_priority_check CHECK (((priority >= 1) AND (priority <= 1000))),
    CONSTRAINT backfills_state_check CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text])))
);
ALTER TABLE ONLY ops.backfills FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.advance_backfill(p_backfill ops.backfills) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.anomaly(p_value double precision, p_at timestamp with time zone, p_values double precision[], p_times timestamp with time zone[], p_floor double precision, p_counts boolean DEFAULT false) RETURNS TABLE(z double precision, usual double precision, points integer, season text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.appends(p_spec jsonb, p_phase text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit(p_org_id uuid, p_project_id uuid, p_action text, p_target text, p_before jsonb, p_after jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit_account(p_subject text, p_action text, p_facts jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit_refresh(p_refresh_id uuid, p_act text, p_note text, p_facts jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit_run(p_project_id uuid, p_action text, p_run_id uuid, p_facts jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.audit_table(p_table text, VARIADIC p_left_out text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.backfill_defaults(p_definition jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.backfill_estimate(p_project_id uuid, p_env text, p_pipeline text, p_chunks integer, p_partitions integer, p_parallel integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.alert_rules (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    signal text NOT NULL,
    comparison text NOT NULL,
    threshold double precision NOT NULL,
    within interval DEFAULT '01:00:00'::interval NOT NULL,
    severity text DEFAULT 'warning'::text NOT NULL,
    tag text DEFAULT ''::text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    env text,
    pipeline text,
    dataset text,
    aggregate text DEFAULT 'last'::text NOT NULL,
    consecutive integer DEFAULT 1 NOT NULL,
    clear_threshold double precision,
    group_by text DEFAULT 'pipeline'::text NOT NULL,
    area text DEFAULT 'pipelines'::text NOT NULL,
    gather_seconds double precision DEFAULT 5 NOT NULL,
    built_in boolean DEFAULT false NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    CONSTRAINT alert_rules_aggregate_check CHECK ((aggregate = ANY (ARRAY['last'::text, 'max'::text, 'min'::text, 'avg'::text, 'count'::text, 'share'::text]))),
    CONSTRAINT alert_rules_comparison_check CHECK ((comparison = ANY (ARRAY['<'::text, '<='::text, '>'::text, '>='::text]))),
    CONSTRAINT alert_rules_consecutive_check CHECK (((consecutive >= 1) AND (consecutive <= 100))),
    CONSTRAINT alert_rules_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT alert_rules_gather_seconds_check CHECK (((gather_seconds >= (0)::double precision) AND (gather_seconds <= (3600)::double precision))),
    CONSTRAINT alert_rules_group_by_check CHECK ((group_by = ANY (ARRAY['pipeline'::text, 'project'::text]))),
    CONSTRAINT alert_rules_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
);
ALTER TABLE ONLY ops.alert_rules FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.blank_rule(p_project_id uuid, p_name text) RETURNS ops.alert_rules
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.bound_transaction() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.presented_traceparent() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.runs (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    pipeline text NOT NULL,
    pipeline_version integer NOT NULL,
    spec jsonb NOT NULL,
    spec_sha256 text NOT NULL,
    git_sha text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    input_manifest jsonb DEFAULT '{}'::jsonb NOT NULL,
    output_manifest jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    phase text,
    priority integer DEFAULT 100 NOT NULL,
    turn bigint NOT NULL,
    available_at timestamp with time zone NOT NULL,
    capabilities text[] DEFAULT '{}'::text[] NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    lost_leases integer DEFAULT 0 NOT NULL,
    max_lost_leases integer DEFAULT 10 NOT NULL,
    timeout_seconds double precision,
    idempotency_key text,
    trigger text DEFAULT 'manual'::text NOT NULL,
    parent_run uuid,
    error_code text,
    error_message text,
    error_data jsonb,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    lease_token bigint,
    executor_id uuid,
    event_seq bigint DEFAULT 0 NOT NULL,
    event_hash bytea DEFAULT '\x'::bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    root_run uuid,
    pools jsonb DEFAULT '{}'::jsonb NOT NULL,
    traceparent text DEFAULT private.presented_traceparent(),
    CONSTRAINT runs_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT runs_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT runs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'claimed'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text]))),
    CONSTRAINT runs_timeout_seconds_check CHECK ((timeout_seconds > (0)::double precision)),
    CONSTRAINT runs_trigger_check CHECK ((trigger = ANY (ARRAY['manual'::text, 'schedule'::text, 'retry'::text, 'replay'::text, 'backfill'::text, 'api'::text, 'query'::text])))
)
WITH (fillfactor='80');
ALTER TABLE ONLY ops.runs FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.breached_before(p_rule ops.alert_rules, p_run ops.runs) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.breaches(p_value double precision, p_comparison text, p_threshold double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.bucketed(p_seconds double precision[]) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.built_by(p_refresh_id uuid) RETURNS TABLE(dataset_id uuid, table_name text, version bigint, comparison jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.caller_role() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.caps (
    id uuid DEFAULT private.new_id() NOT NULL,
    key text NOT NULL,
    org_id uuid NOT NULL,
    project_id uuid,
    unit text DEFAULT 'runs'::text NOT NULL,
    amount numeric NOT NULL,
    period text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pipeline text,
    created_by text,
    CONSTRAINT caps_amount_check CHECK ((amount >= (0)::numeric)),
    CONSTRAINT caps_period_check CHECK ((period = ANY (ARRAY['hour'::text, 'day'::text, 'week'::text, 'month'::text, 'concurrent'::text]))),
    CONSTRAINT caps_pipeline_has_project CHECK (((pipeline IS NULL) OR (project_id IS NOT NULL))),
    CONSTRAINT caps_unit_check CHECK ((unit = ANY (ARRAY['runs'::text, 'cpu_seconds'::text, 'rows'::text, 'bytes'::text, 'money'::text])))
);
ALTER TABLE ONLY ops.caps FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.cap_used(p_cap ops.caps, p_now timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.caps_on(p_project_id uuid, p_pipeline text) RETURNS SETOF ops.caps
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.schedules (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    pipeline text NOT NULL,
    cron text,
    timezone text DEFAULT 'UTC'::text NOT NULL,
    after_pipeline text,
    dataset text,
    misfire text DEFAULT 'run_once'::text NOT NULL,
    paused boolean DEFAULT false NOT NULL,
    next_at timestamp with time zone,
    slug text NOT NULL,
    kind text NOT NULL,
    stale_seconds double precision,
    grace_seconds double precision DEFAULT 60 NOT NULL,
    catch_up_limit integer DEFAULT 100 NOT NULL,
    overlap text DEFAULT 'queue'::text NOT NULL,
    jitter_seconds double precision DEFAULT 0 NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority integer DEFAULT 100 NOT NULL,
    min_score double precision,
    paused_reason text DEFAULT ''::text NOT NULL,
    paused_by text,
    paused_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text,
    revision integer DEFAULT 1 NOT NULL,
    anchored_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone,
    last_tick timestamp with time zone,
    open_runs uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT schedules_catch_up_limit_check CHECK (((catch_up_limit >= 1) AND (catch_up_limit <= 10000))),
    CONSTRAINT schedules_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT schedules_fields_check CHECK ((((kind = 'cron'::text) = (cron IS NOT NULL)) AND ((kind = 'after_pipeline'::text) = (after_pipeline IS NOT NULL)) AND ((kind = ANY (ARRAY['on_dataset'::text, 'when_stale'::text])) = (dataset IS NOT NULL)) AND ((kind = 'when_stale'::text) = (stale_seconds IS NOT NULL)) AND ((min_score IS NULL) OR (kind = 'after_pipeline'::text)))),
    CONSTRAINT schedules_grace_seconds_check CHECK ((grace_seconds >= (0)::double precision)),
    CONSTRAINT schedules_jitter_seconds_check CHECK (((jitter_seconds >= (0)::double precision) AND (jitter_seconds <= (86400)::double precision))),
    CONSTRAINT schedules_kind_check CHECK ((kind = ANY (ARRAY['cron'::text, 'after_pipeline'::text, 'on_dataset'::text, 'when_stale'::text, 'webhook'::text]))),
    CONSTRAINT schedules_min_score_check CHECK (((min_score >= (0)::double precision) AND (min_score <= (100)::double precision))),
    CONSTRAINT schedules_misfire_check CHECK ((misfire = ANY (ARRAY['skip'::text, 'run_once'::text, 'run_all'::text]))),
    CONSTRAINT schedules_overlap_check CHECK ((overlap = ANY (ARRAY['queue'::text, 'skip'::text, 'cancel_running'::text]))),
    CONSTRAINT schedules_params_check CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT schedules_slug_check CHECK ((slug ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT schedules_stale_seconds_check CHECK ((stale_seconds > (0)::double precision))
);
ALTER TABLE ONLY ops.schedules FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.change_schedule(p_old ops.schedules, p_new ops.schedules) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.change_words(p_seen double precision, p_usual double precision, p_less text, p_more text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.routing_matrix (
    id uuid DEFAULT private.new_id() NOT NULL,
    area text NOT NULL,
    match jsonb DEFAULT '{}'::jsonb NOT NULL,
    primary_owner text NOT NULL,
    secondary_owner text NOT NULL,
    channels text[] DEFAULT '{}'::text[] NOT NULL,
    escalation jsonb DEFAULT '[{"to": "secondary", "after_minutes": 30}]'::jsonb NOT NULL,
    surface text NOT NULL,
    priority integer DEFAULT 100 NOT NULL
);
ALTER TABLE ONLY ops.routing_matrix FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.channels_of(p_route ops.routing_matrix, p_level integer) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.charge_leases(p_run_ids uuid[], p_lease_tokens bigint[], p_usage jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.charge_metered_caps(p_more jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.charge_usage(p_reports jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.check_freshness(p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.check_query_filter(p_filter jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.check_run_filter(p_filter jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.chunk_params(p_spec jsonb, p_partition jsonb, p_params jsonb, p_first text, p_until text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.backfill_chunks (
    backfill_id uuid NOT NULL,
    chunk integer NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    first text NOT NULL,
    until text,
    partitions integer NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    max_tries integer NOT NULL,
    run_id uuid,
    error_code text,
    error_message text,
    settled_at timestamp with time zone,
    CONSTRAINT backfill_chunks_check CHECK (((state <> 'queued'::text) OR (run_id IS NOT NULL))),
    CONSTRAINT backfill_chunks_chunk_check CHECK ((chunk > 0)),
    CONSTRAINT backfill_chunks_max_tries_check CHECK ((max_tries > 0)),
    CONSTRAINT backfill_chunks_partitions_check CHECK ((partitions > 0)),
    CONSTRAINT backfill_chunks_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'queued'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text])))
);
ALTER TABLE ONLY ops.backfill_chunks FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.pipelines (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    slug text NOT NULL,
    version integer NOT NULL,
    spec jsonb NOT NULL,
    sha256 text NOT NULL,
    git_sha text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pipelines_version_check CHECK ((version > 0))
);
ALTER TABLE ONLY ops.pipelines FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.chunk_run(p_backfill ops.backfills, p_pipeline ops.pipelines, p_chunk ops.backfill_chunks) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.claim_under_limits(p_capabilities text[], p_max_runs integer, p_dedicated boolean, p_now timestamp with time zone, p_open uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.cost_of(p_org_id uuid, p_cpu_seconds numeric, p_gb_seconds numeric, p_read_bytes numeric, p_written_bytes numeric, OUT cost numeric, OUT currency text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.count_cap_usage() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.count_ended_runs() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_bitmapscan TO 'on'
    SET enable_seqscan TO 'off'
    AS …;
CREATE FUNCTION private.count_in_window(p_cap_id uuid, p_at timestamp with time zone, p_amount numeric) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.cpu_seconds(p_run_id uuid) RETURNS double precision
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.create_scheduled_run(p_schedule ops.schedules, p_key text, p_tick timestamp with time zone, p_data jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.cut_into_chunks(p_partition jsonb, p_definition jsonb, p_size integer) RETURNS TABLE(chunk integer, first text, until text, partitions integer)
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.database_health() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.dataset_clock(p_project_id uuid, p_env text, p_dataset text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.decide_cron(p_schedule_id uuid, p_revision integer, p_expected timestamp with time zone, p_ticks timestamp with time zone[], p_next timestamp with time zone, p_now timestamp with time zone, p_before timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.decide_pending(p_schedule_id uuid, p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.refreshes (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    pipeline text NOT NULL,
    run_id uuid NOT NULL,
    tolerance jsonb,
    note text DEFAULT ''::text NOT NULL,
    started_by text,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    swapped_by text,
    swapped_at timestamp with time zone,
    rolled_back_by text,
    rolled_back_at timestamp with time zone,
    CONSTRAINT refreshes_check CHECK (((rolled_back_at IS NULL) OR (swapped_at IS NOT NULL))),
    CONSTRAINT refreshes_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT refreshes_note_check CHECK ((length(note) <= 10000))
);
ALTER TABLE ONLY ops.refreshes FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.decided_refresh(p_refresh_id uuid) RETURNS ops.refreshes
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.due_schedules(p_limit integer, p_now timestamp with time zone) RETURNS TABLE(id uuid, revision integer, cron text, timezone text, next_at timestamp with time zone, anchored_at timestamp with time zone, asked_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.duration_bounds() RETURNS double precision[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.datasets (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    layer text NOT NULL,
    name text NOT NULL,
    version bigint,
    columns jsonb DEFAULT '{}'::jsonb NOT NULL,
    fingerprint text,
    total_rows bigint,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT datasets_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text])))
);
ALTER TABLE ONLY ops.datasets FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.edited_dataset(p_dataset_id uuid) RETURNS ops.datasets
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.emit(p_run_id uuid, p_type text, p_phase text DEFAULT NULL::text, p_message text DEFAULT ''::text, p_data jsonb DEFAULT '{}'::jsonb, p_level text DEFAULT 'info'::text, p_event_id uuid DEFAULT NULL::uuid) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.emit_unowned(p_run_id uuid, p_type text, p_message text DEFAULT ''::text, p_data jsonb DEFAULT '{}'::jsonb, p_level text DEFAULT 'info'::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.end_lease(p_run_id uuid, p_type text, p_message text, p_data jsonb, p_level text, OUT seq bigint, OUT hash bytea, OUT phase text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.end_run(p_run_id uuid, p_status text, p_type text, p_message text, p_data jsonb, p_level text, p_error_code text DEFAULT NULL::text, p_error_message text DEFAULT NULL::text, p_error_data jsonb DEFAULT NULL::jsonb, p_output_manifest jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.end_sign_ins(p_subject text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.ended_run(p_run_id uuid) RETURNS ops.runs
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.env_of_act(p_action text, p_target text, p_row jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.escalate(p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.escalation_wait(p_route ops.routing_matrix, p_level integer) RETURNS interval
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.event_hash(p_previous bytea, p_run_id uuid, p_seq bigint, p_ts timestamp with time zone, p_type text, p_phase text, p_level text, p_message text, p_data jsonb, p_lease_token bigint, p_event_id uuid) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.expose(p_name text, p_comment text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.find_project(p_org text, p_project text) RETURNS TABLE(org_id uuid, project_id uuid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.fire_tick(p_schedule ops.schedules, p_key text, p_tick timestamp with time zone, p_data jsonb, INOUT open_runs uuid[], OUT outcome text, OUT reason text, OUT run_id uuid) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.history_of(p_dataset_id uuid, p_version bigint, p_at timestamp with time zone, p_mode text, OUT rows double precision[], OUT lags double precision[], OUT times timestamp with time zone[]) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.hmac_sha256(p_key bytea, p_message bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.hold_outputs(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.hold_pools_anew(p_org_id uuid, p_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.http_errors() RETURNS TABLE(sqlstate text, code text, status integer)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.insert_run(p_project_id uuid, p_env text, p_pipeline text, p_version integer, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_held_back(p_project_id uuid, p_pipeline text, p_pools jsonb, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_installation_admin() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_leased(p_run_id uuid, p_lease_token bigint) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_metered() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_own_query(p_run_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_refresh(p_run ops.runs) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_time(p_text text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_trusted() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.is_usual(p_run ops.runs) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.jitter(p_schedule_id uuid, p_tick timestamp with time zone, p_seconds double precision) RETURNS interval
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.judge_run(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.judge_ticks(p_schedule ops.schedules, p_now timestamp with time zone, p_ticks timestamp with time zone[]) RETURNS TABLE(ordinal integer, tick timestamp with time zone, verdict text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.memberships (
    id uuid DEFAULT private.new_id() NOT NULL,
    org_id uuid NOT NULL,
    project_id uuid,
    subject text NOT NULL,
    role text NOT NULL,
    envs text[] DEFAULT '{dev,stage,prod}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT memberships_envs_check CHECK (((envs <@ '{dev,stage,prod}'::text[]) AND (envs <> '{}'::text[]))),
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'editor'::text, 'admin'::text]))),
    CONSTRAINT memberships_subject_check CHECK ((subject <> ''::text))
);
ALTER TABLE ONLY ops.memberships FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.keep_an_admin(p_old ops.memberships) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.keep_answer(p_run_id uuid, p_key text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.keep_worst(p_run_id uuid, p_project_id uuid, p_signal text, p_value double precision, p_data jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.know_event_time(p_version_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS …;
CREATE FUNCTION private.lacks_executor(p_run ops.runs, p_now timestamp with time zone) RETURNS TABLE(reason text, said text, data jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.lease_lost(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.let_people_read(p_table text, p_condition text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.limited_scope(p_org text, p_project text, OUT org_id uuid, OUT project_id uuid) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.limits_lock(p_org_id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE private.accounts (
    subject text NOT NULL,
    salt bytea,
    cost integer[],
    verifier bytea,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT accounts_check CHECK ((num_nulls(salt, cost, verifier) = ANY (ARRAY[0, 3]))),
    CONSTRAINT accounts_cost_check CHECK ((cardinality(cost) = 3)),
    CONSTRAINT accounts_subject_check CHECK (((subject ~ '^[a-z0-9][a-z0-9._@+-]{0,127}$'::text) AND (subject <> 'local'::text)))
);
CREATE FUNCTION private.lock_account(p_subject text) RETURNS private.accounts
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.lock_limits(p_org_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS …;
CREATE FUNCTION private.lock_suspicion(p_project_id uuid, p_env text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.make_append_only(p_table text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.make_backfill(p_project_id uuid, p_env text, p_new ops.backfills, p_pipeline ops.pipelines, p_chunks jsonb, p_idempotency_key text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.make_rerun(p_old ops.runs, p_way text, p_from text, p_trigger text, p_key text DEFAULT NULL::text, p_available_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.measured(p_usage jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.min_score(p_project_id uuid, p_pipeline text, p_env text) RETURNS numeric
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.moved(p_result jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_backfill(p_backfill_id uuid) RETURNS ops.backfills
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_dataset(p_dataset_id uuid) RETURNS ops.datasets
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_hidden_envs() RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_memberships() RETURNS TABLE(org_id uuid, project_id uuid, rank integer, envs text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_orgs(p_role text DEFAULT 'viewer'::text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_projects(p_role text DEFAULT 'viewer'::text) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_schedule(p_schedule_id uuid, p_role text) RETURNS ops.schedules
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_scopes(p_role text DEFAULT 'viewer'::text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.my_shared_datasets() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.name_sha256(p_subject text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.needed_capabilities(p_spec jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.needed_pools(p_spec jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.next_turn(p_project_id uuid, p_priority integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.no_such_version(p_name text, p_dataset ops.datasets, p_project_id uuid, p_env text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.note_release() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.note_skipped(p_schedule ops.schedules, p_from timestamp with time zone, p_through timestamp with time zone, p_ticks integer, p_reason text, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.note_stale(p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.note_success() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.alerts (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    env text NOT NULL,
    group_key text NOT NULL,
    source_id uuid,
    state text DEFAULT 'open'::text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    said text DEFAULT ''::text NOT NULL,
    value double precision NOT NULL,
    run_id uuid,
    seen_at timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    resolved_at timestamp with time zone,
    escalation_level integer DEFAULT 0 NOT NULL,
    escalates_at timestamp with time zone,
    CONSTRAINT alerts_check CHECK (((state = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT alerts_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text]))),
    CONSTRAINT alerts_state_check CHECK ((state = ANY (ARRAY['open'::text, 'acknowledged'::text, 'resolved'::text])))
);
ALTER TABLE ONLY ops.alerts FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.notify_of(p_alert ops.alerts, p_rule ops.alert_rules, p_kind text, p_level integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.null_anomalies(p_dataset_id uuid, p_version bigint, p_mode text, p_nulls jsonb, p_rows double precision) RETURNS TABLE(column_name text, share double precision, z double precision, usual double precision, points integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.open_alert(p_rule ops.alert_rules, p_env text, p_group text, p_source uuid, p_value double precision, p_run_id uuid, p_seen_at timestamp with time zone, p_said text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.open_runs(p_schedule ops.schedules) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.open_session(p_sha256 bytea, p_subject text, p_lifetime interval, p_address text, p_user_agent text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.origin() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.outline(p_phases jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.run_leases (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    executor_id uuid NOT NULL,
    lease_token bigint NOT NULL,
    lease_seconds double precision NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    phase text,
    progress jsonb,
    event_seq bigint NOT NULL,
    event_hash bytea NOT NULL
)
WITH (fillfactor='40', autovacuum_vacuum_scale_factor='0.05');
ALTER TABLE ONLY ops.run_leases FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.owned(p_run_id uuid, p_lease_token bigint) RETURNS ops.run_leases
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.param_defaults(p_spec jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.partition_starts(p_step text, p_from date, p_to date, p_values jsonb) RETURNS date[]
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.partition_value(p_param jsonb, p_text text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.period_end(p_period text, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.period_start(p_period text, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.phases_json(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.pipeline_version(p_project_id uuid, p_env text, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.planned_rerun(p_old ops.runs, p_way text, p_from text) RETURNS TABLE(ordinal integer, name text, kind text, again boolean, anew boolean, reason text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.pool_used(p_pool_id uuid) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.pools_for(p_project_id uuid, p_needs jsonb) RETURNS TABLE(pool_id uuid, name text, slots integer, needs integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.access_tokens (
    id uuid DEFAULT private.new_id() NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    project_id uuid,
    envs text[] DEFAULT '{dev,stage,prod}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT access_tokens_envs_check CHECK (((envs <@ '{dev,stage,prod}'::text[]) AND (envs <> '{}'::text[]))),
    CONSTRAINT access_tokens_name_check CHECK ((name <> ''::text)),
    CONSTRAINT access_tokens_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'editor'::text, 'admin'::text]))),
    CONSTRAINT access_tokens_subject_check CHECK ((subject <> ''::text))
);
ALTER TABLE ONLY ops.access_tokens FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.presented_token() RETURNS SETOF ops.access_tokens
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.probes_due(p_hour integer, p_now timestamp with time zone, p_probed text[]) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.project_slug(p_project_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.projects_asked_for(p_filter jsonb) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.promoted_version(p_project_id uuid, p_pipeline text, p_env text) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.protect_table(p_table text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.query_conditions(p_filter jsonb, p_before_at timestamp with time zone, p_before_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.query_spec(p_sql text, p_engine text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.queue_groups() RETURNS TABLE(project_id uuid, pipeline text, pools jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.queue_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb, p_repeat boolean) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.raise_error(p_sqlstate text, p_message text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.receive_webhook(p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea, p_now timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.record_column_lineage(p_run_id uuid, p_result jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.record_cost_signal(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.record_data_signals(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.record_pipeline_signals(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.refresh_of(p_run_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.refuse_older(p_old ops.runs) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.refuse_schedule_circle(p_schedule ops.schedules) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.refuse_terminal_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.release_datasets(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE TABLE ops.dataset_versions (
    id uuid DEFAULT private.new_id() NOT NULL,
    dataset_id uuid NOT NULL,
    project_id uuid NOT NULL,
    version bigint NOT NULL,
    run_id uuid NOT NULL,
    phase text NOT NULL,
    lease_token bigint NOT NULL,
    mode text NOT NULL,
    rows bigint NOT NULL,
    total_rows bigint NOT NULL,
    byte_size bigint NOT NULL,
    fingerprint text NOT NULL,
    columns jsonb NOT NULL,
    adopted boolean DEFAULT false NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event_time timestamp with time zone,
    event_looked_at timestamp with time zone,
    stats jsonb DEFAULT '{}'::jsonb NOT NULL,
    column_map_id uuid,
    aside boolean DEFAULT false NOT NULL
);
ALTER TABLE ONLY ops.dataset_versions FORCE ROW LEVEL SECURITY;
CREATE FUNCTION private.released_at(p_version ops.dataset_versions) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.requeue_run(p_run_id uuid, p_message text, p_data jsonb, p_available_at timestamp with time zone, p_attempts_back integer, p_leases_lost integer, p_error_code text DEFAULT NULL::text, p_error_message text DEFAULT NULL::text, p_error_data jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require(p_value text, p_field text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_admin(p_org_id uuid, p_project_id uuid, p_envs text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_backfillable(p_pipeline ops.pipelines, p_definition jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_envs(p_envs text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_fresh_look() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_installation_admin() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_lease(p_run_id uuid, p_lease_token bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_metered_caps(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_own_word(p_spec jsonb, p_phases jsonb, p_priority integer, p_max_attempts integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_patience(p_subject text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_promoted(p_project_id uuid, p_env text, p_pipeline text, p_version integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_question(p_sql text, p_params jsonb, p_engine text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_role(p_project_id uuid, p_env text, p_role text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_server(p_env text, p_engine text, p_sees_personal boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.require_slug(p_slug text, p_field text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.rerun_definition(p_old ops.runs, p_way text) RETURNS TABLE(spec jsonb, sha256 text, git_sha text, params jsonb, phases jsonb, max_attempts integer, timeout_seconds double precision)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.rerun_plan(p_old ops.runs, p_spec jsonb, p_phases jsonb, p_way text, p_from text) RETURNS TABLE(ordinal integer, name text, kind text, again boolean, anew boolean, reason text, refused text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.resolve_alerts(p_rule_id uuid, p_env text, p_group text, p_source uuid, p_seen_at timestamp with time zone, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.resume(p_schedule_id uuid, p_catch_up boolean, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.role_rank(p_role text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.route_of(p_rule ops.alert_rules, p_env text, p_group text) RETURNS ops.routing_matrix
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.rule_aggregate(p_rule ops.alert_rules, p_run ops.runs) RETURNS double precision
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.rule_value(p_signal text, p_run_id uuid) RETURNS double precision
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.run_conditions(p_filter jsonb, p_before_at timestamp with time zone, p_before_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.run_status_conditions(p_filter jsonb) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.runs_ahead(p_run ops.runs, p_now timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.schedule_defaults(p_definition jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.scheduled_params(p_spec jsonb, p_schedule ops.schedules, p_tick timestamp with time zone, p_given jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.scheduled_version(p_project_id uuid, p_env text, p_pipeline text) RETURNS ops.pipelines
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.schema_changes(p_dataset_id uuid, p_version bigint, p_columns jsonb) RETURNS TABLE(changes integer, what text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.score_breakdown(p_run_id uuid, p_weights jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.score_gate_open(p_project_id uuid, p_pipeline text, p_env text, p_run_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.score_sentence(p_score numeric, p_breakdown jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.season_words(p_season text, p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.sees_scope(p_org_id uuid, p_project_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.settle_chunks(p_backfill ops.backfills) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.share_limits() RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.signed_in() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.silenced(p_alert_id uuid, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.span_words(p_seconds double precision) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.spec_outline(p_spec jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.spread_suspicion(p_dataset_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.steady_anomaly(p_value double precision, p_values double precision[], p_floor double precision) RETURNS TABLE(z double precision, usual double precision, points integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.stopped_by_cap(p_run_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.subject() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.swap_in(p_refresh_id uuid, p_by text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.swap_within_tolerance(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.take_over_artifacts(p_run_id uuid, p_phase text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.take_run(p_run_id uuid, p_lease_token bigint, p_done text[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.throttled_seconds(p_name_sha256 bytea, p_address text) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.tick_hindrance(p_schedule ops.schedules, p_open uuid[], p_data jsonb) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.used_up(p_project_id uuid, p_pipeline text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.version_named(p_dataset ops.datasets, p_when text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.waits_for_cap(p_run ops.runs, p_now timestamp with time zone) RETURNS TABLE(said text, until timestamp with time zone, data jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.waits_for_pool(p_run ops.runs) RETURNS TABLE(said text, data jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.watch_new_project() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.webhook_data(p_body bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE FUNCTION private.wish_bi(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS …;
CREATE VIEW api.dataset_versions WITH (security_invoker='true') AS …;
CREATE VIEW api.datasets WITH (security_invoker='true') AS …;
CREATE TABLE ops.executors (
    id uuid NOT NULL,
    name text NOT NULL,
    capabilities text[] DEFAULT '{}'::text[] NOT NULL,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    slots integer DEFAULT 1 NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    version text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_seen timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    drain_asked_at timestamp with time zone,
    CONSTRAINT executors_slots_check CHECK ((slots > 0)),
    CONSTRAINT executors_state_check CHECK ((state = ANY (ARRAY['active'::text, 'draining'::text, 'lost'::text])))
)
WITH (fillfactor='50');
ALTER TABLE ONLY ops.executors FORCE ROW LEVEL SECURITY;
CREATE VIEW api.executors WITH (security_invoker='true') AS …;
CREATE TABLE ops.lineage_edges (
    output_id uuid NOT NULL,
    project_id uuid NOT NULL,
    input_table text NOT NULL,
    input_version bigint NOT NULL,
    input_fingerprint text
);
ALTER TABLE ONLY ops.lineage_edges FORCE ROW LEVEL SECURITY;
CREATE VIEW api.lineage_edges WITH (security_invoker='true') AS …;
CREATE VIEW api.pipelines WITH (security_invoker='true') AS …;
CREATE TABLE ops.orgs (
    id uuid DEFAULT private.new_id() NOT NULL,
    slug text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT orgs_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text))
);
ALTER TABLE ONLY ops.orgs FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.projects (
    id uuid DEFAULT private.new_id() NOT NULL,
    org_id uuid NOT NULL,
    slug text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT projects_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text))
);
ALTER TABLE ONLY ops.projects FORCE ROW LEVEL SECURITY;
CREATE VIEW api.projects WITH (security_invoker='true') AS …;
CREATE TABLE ops.run_artifacts (
    id uuid DEFAULT private.new_id() NOT NULL,
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    phase text DEFAULT ''::text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    sha256 text NOT NULL,
    byte_size bigint NOT NULL,
    content_type text NOT NULL,
    uri text NOT NULL,
    meta jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT run_artifacts_byte_size_check CHECK ((byte_size >= 0)),
    CONSTRAINT run_artifacts_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY ops.run_artifacts FORCE ROW LEVEL SECURITY;
CREATE VIEW api.run_artifacts WITH (security_invoker='true') AS …;
CREATE TABLE ops.run_events (
    run_id uuid NOT NULL,
    seq bigint NOT NULL,
    ts timestamp with time zone NOT NULL,
    project_id uuid NOT NULL,
    type text NOT NULL,
    phase text,
    level text DEFAULT 'info'::text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    lease_token bigint,
    event_id uuid,
    hash bytea NOT NULL,
    CONSTRAINT run_events_level_check CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warning'::text, 'error'::text]))),
    CONSTRAINT run_events_type_check CHECK ((type = ANY (ARRAY['RUN_CREATED'::text, 'RUN_CLAIMED'::text, 'RUN_STARTED'::text, 'PHASE_STARTED'::text, 'PHASE_PROGRESS'::text, 'PHASE_SUCCEEDED'::text, 'PHASE_FAILED'::text, 'PHASE_SKIPPED'::text, 'LEASE_RENEWED'::text, 'LEASE_EXPIRED'::text, 'RUN_REQUEUED'::text, 'CANCEL_REQUESTED'::text, 'RUN_SUCCEEDED'::text, 'RUN_FAILED'::text, 'RUN_CANCELED'::text])))
)
PARTITION BY RANGE (ts);
ALTER TABLE ONLY ops.run_events FORCE ROW LEVEL SECURITY;
CREATE VIEW api.run_events WITH (security_invoker='true') AS …;
CREATE VIEW api.run_leases WITH (security_invoker='true') AS …;
CREATE TABLE ops.run_phases (
    run_id uuid NOT NULL,
    ordinal integer NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    depends_on text[] DEFAULT '{}'::text[] NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    rows_in bigint,
    rows_out bigint,
    byte_size bigint,
    input_fingerprint text,
    output_fingerprint text,
    metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    error_code text,
    error_message text,
    error_data jsonb,
    result jsonb DEFAULT '{}'::jsonb NOT NULL,
    effect_of uuid,
    kept boolean DEFAULT false NOT NULL,
    CONSTRAINT run_phases_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'skipped'::text, 'canceled'::text])))
)
WITH (fillfactor='70');
ALTER TABLE ONLY ops.run_phases FORCE ROW LEVEL SECURITY;
CREATE VIEW api.run_phases WITH (security_invoker='true') AS …;
CREATE TABLE ops.run_scores (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    score numeric(5,2) NOT NULL,
    breakdown jsonb NOT NULL,
    computed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    CONSTRAINT run_scores_score_check CHECK (((score >= (0)::numeric) AND (score <= (100)::numeric)))
);
ALTER TABLE ONLY ops.run_scores FORCE ROW LEVEL SECURITY;
CREATE VIEW api.run_scores WITH (security_invoker='true') AS …;
CREATE VIEW api.runs WITH (security_invoker='true') AS …;
CREATE TABLE ops.signals (
    run_id uuid NOT NULL,
    signal text NOT NULL,
    project_id uuid NOT NULL,
    value double precision NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY ops.signals FORCE ROW LEVEL SECURITY;
CREATE VIEW api.signals WITH (security_invoker='true') AS …;
CREATE TABLE ops.audit_log (
    id uuid DEFAULT private.new_id() NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    org_id uuid,
    project_id uuid,
    subject text,
    acting_role text NOT NULL,
    access_token_id uuid,
    action text NOT NULL,
    target text NOT NULL,
    before jsonb,
    after jsonb,
    origin jsonb DEFAULT '{}'::jsonb NOT NULL,
    env text
);
ALTER TABLE ONLY ops.audit_log FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.bi_objects (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    superset_uuid uuid,
    superset_id integer NOT NULL,
    digest text NOT NULL,
    dataset_id uuid,
    run_id uuid,
    version bigint,
    fingerprint text,
    certified_at timestamp with time zone,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT bi_objects_check CHECK ((((certified_at IS NULL) = (run_id IS NULL)) AND ((run_id IS NULL) = (fingerprint IS NULL)))),
    CONSTRAINT bi_objects_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT bi_objects_kind_check CHECK ((kind = ANY (ARRAY['database'::text, 'dataset'::text, 'chart'::text, 'dashboard'::text, 'role'::text, 'rule'::text]))),
    CONSTRAINT bi_objects_name_check CHECK ((name <> ''::text))
);
ALTER TABLE ONLY ops.bi_objects FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.bi_wishes (
    project_id uuid NOT NULL,
    env text NOT NULL,
    run_id uuid NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    error text,
    CONSTRAINT bi_wishes_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text])))
);
ALTER TABLE ONLY ops.bi_wishes FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.cap_usage (
    id uuid DEFAULT private.new_id() NOT NULL,
    cap_id uuid NOT NULL,
    project_id uuid,
    run_id uuid,
    lease_token bigint,
    amount numeric NOT NULL,
    used_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    released_at timestamp with time zone,
    phase text,
    attempt integer
);
ALTER TABLE ONLY ops.cap_usage FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.capabilities (
    ordinal integer NOT NULL,
    capability text NOT NULL,
    databricks text NOT NULL,
    target text NOT NULL,
    mvp text NOT NULL,
    v1 text NOT NULL,
    v2 text NOT NULL,
    probe text,
    evidence jsonb,
    proven_at timestamp with time zone,
    probed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    failure text,
    CONSTRAINT capabilities_mvp_check CHECK ((mvp = ANY (ARRAY['supported'::text, 'planned'::text, 'not planned'::text]))),
    CONSTRAINT capabilities_v1_check CHECK ((v1 = ANY (ARRAY['supported'::text, 'planned'::text, 'not planned'::text]))),
    CONSTRAINT capabilities_v2_check CHECK ((v2 = ANY (ARRAY['supported'::text, 'planned'::text, 'not planned'::text])))
);
ALTER TABLE ONLY ops.capabilities FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.channels (
    name text NOT NULL,
    secret text NOT NULL,
    owner text,
    description text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text,
    CONSTRAINT channels_name_check CHECK ((name ~ '^[a-z][a-z0-9_-]{0,62}$'::text)),
    CONSTRAINT channels_secret_check CHECK ((secret ~~ 'secret://%'::text))
);
ALTER TABLE ONLY ops.channels FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.column_edges (
    map_id uuid NOT NULL,
    project_id uuid NOT NULL,
    output_column text NOT NULL,
    input_table text NOT NULL,
    input_column text NOT NULL,
    kind text NOT NULL,
    subtype text NOT NULL,
    CONSTRAINT column_edges_kind_check CHECK ((kind = ANY (ARRAY['DIRECT'::text, 'INDIRECT'::text]))),
    CONSTRAINT column_edges_subtype_check CHECK ((subtype = ANY (ARRAY['IDENTITY'::text, 'TRANSFORMATION'::text, 'AGGREGATION'::text, 'JOIN'::text, 'GROUP_BY'::text, 'FILTER'::text, 'SORT'::text, 'WINDOW'::text, 'CONDITIONAL'::text])))
);
ALTER TABLE ONLY ops.column_edges FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.column_maps (
    id uuid DEFAULT private.new_id() NOT NULL,
    dataset_id uuid NOT NULL,
    project_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    unknown text[] DEFAULT '{}'::text[] NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY ops.column_maps FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.dataset_columns (
    dataset_id uuid NOT NULL,
    name text NOT NULL,
    project_id uuid NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    pii text,
    pii_from text,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT dataset_columns_description_check CHECK ((length(description) <= 10000)),
    CONSTRAINT dataset_columns_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT dataset_columns_pii_check CHECK ((pii = ANY (ARRAY['yes'::text, 'no'::text, 'suspected'::text])))
);
ALTER TABLE ONLY ops.dataset_columns FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.dataset_notes (
    dataset_id uuid NOT NULL,
    project_id uuid NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    owners text[] DEFAULT '{}'::text[] NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT dataset_notes_description_check CHECK ((length(description) <= 10000))
);
ALTER TABLE ONLY ops.dataset_notes FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.freshness (
    rule_id uuid NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    dataset text NOT NULL,
    dataset_id uuid,
    clock timestamp with time zone NOT NULL,
    clock_kind text NOT NULL,
    lag_seconds double precision NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    CONSTRAINT freshness_clock_kind_check CHECK ((clock_kind = ANY (ARRAY['event'::text, 'release'::text, 'never'::text]))),
    CONSTRAINT freshness_state_check CHECK ((state = ANY (ARRAY['ok'::text, 'warn'::text, 'error'::text])))
)
WITH (fillfactor='60');
ALTER TABLE ONLY ops.freshness FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.freshness_breaches (
    id uuid DEFAULT private.new_id() NOT NULL,
    rule_id uuid NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    dataset text NOT NULL,
    level text NOT NULL,
    clock timestamp with time zone NOT NULL,
    began_at timestamp with time zone NOT NULL,
    noticed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT freshness_breaches_level_check CHECK ((level = ANY (ARRAY['warn'::text, 'error'::text])))
);
ALTER TABLE ONLY ops.freshness_breaches FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.freshness_rules (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    dataset text NOT NULL,
    event_column text,
    warn_seconds double precision NOT NULL,
    error_seconds double precision NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT freshness_rules_check CHECK ((error_seconds >= warn_seconds)),
    CONSTRAINT freshness_rules_dataset_check CHECK ((dataset ~ '^[a-z]+\.[a-z][a-z0-9_]{0,99}$'::text)),
    CONSTRAINT freshness_rules_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT freshness_rules_event_column_check CHECK ((event_column <> ''::text)),
    CONSTRAINT freshness_rules_warn_seconds_check CHECK ((warn_seconds > (0)::double precision))
);
ALTER TABLE ONLY ops.freshness_rules FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.grants (
    dataset_id uuid NOT NULL,
    project_id uuid NOT NULL,
    reader_id uuid NOT NULL,
    granted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY ops.grants FORCE ROW LEVEL SECURITY;
CREATE SEQUENCE ops.lease_tokens
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE ops.lineage_sent (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    done boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY ops.lineage_sent FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.notifications (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    rule_id uuid,
    run_id uuid,
    severity text NOT NULL,
    title text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    channel text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    delivered_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    escalation_level integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    alert_id uuid,
    kind text DEFAULT 'opened'::text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    batch_id uuid,
    leased_until timestamp with time zone,
    last_error text DEFAULT ''::text NOT NULL,
    CONSTRAINT notifications_kind_check CHECK ((kind = ANY (ARRAY['opened'::text, 'escalated'::text, 'resolved'::text, 'test'::text]))),
    CONSTRAINT notifications_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text]))),
    CONSTRAINT notifications_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dropped'::text, 'failed'::text])))
);
ALTER TABLE ONLY ops.notifications FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.phase_totals (
    project_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    phases bigint NOT NULL,
    seconds double precision NOT NULL,
    buckets bigint[] NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE ONLY ops.phase_totals FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.phase_usage (
    run_id uuid NOT NULL,
    phase text NOT NULL,
    attempt integer NOT NULL,
    lease_token bigint NOT NULL,
    project_id uuid NOT NULL,
    seconds numeric DEFAULT 0 NOT NULL,
    cpu_seconds numeric DEFAULT 0 NOT NULL,
    peak_memory_bytes bigint DEFAULT 0 NOT NULL,
    read_bytes bigint DEFAULT 0 NOT NULL,
    written_bytes bigint DEFAULT 0 NOT NULL,
    rows_moved bigint DEFAULT 0 NOT NULL,
    bytes_moved bigint DEFAULT 0 NOT NULL,
    cost numeric,
    currency text,
    reported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY ops.phase_usage FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.pool_uses (
    pool_id uuid NOT NULL,
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    lease_token bigint,
    slots integer NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pool_uses_slots_check CHECK ((slots > 0))
)
WITH (fillfactor='50');
ALTER TABLE ONLY ops.pool_uses FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.pools (
    id uuid DEFAULT private.new_id() NOT NULL,
    org_id uuid NOT NULL,
    project_id uuid,
    name text NOT NULL,
    slots integer NOT NULL,
    created_by text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pools_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT pools_slots_check CHECK ((slots >= 0))
);
ALTER TABLE ONLY ops.pools FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.prices (
    id uuid DEFAULT private.new_id() NOT NULL,
    org_id uuid NOT NULL,
    unit text NOT NULL,
    price numeric NOT NULL,
    currency text NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    created_by text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT prices_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT prices_price_check CHECK ((price >= (0)::numeric)),
    CONSTRAINT prices_unit_check CHECK ((unit = ANY (ARRAY['cpu_second'::text, 'gb_hour'::text, 'gb_read'::text, 'gb_written'::text])))
);
ALTER TABLE ONLY ops.prices FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.promotions (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    pipeline text NOT NULL,
    version integer NOT NULL,
    env text NOT NULL,
    subject text,
    note text DEFAULT ''::text NOT NULL,
    evidence_run uuid,
    promoted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT promotions_env_check CHECK ((env = ANY (ARRAY['stage'::text, 'prod'::text])))
);
ALTER TABLE ONLY ops.promotions FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.queries (
    run_id uuid NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    sql text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    engine text NOT NULL,
    subject text,
    sees_personal boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT queries_engine_check CHECK ((engine ~ '^[a-z][a-z0-9_]{0,30}$'::text)),
    CONSTRAINT queries_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT queries_params_check CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT queries_sql_check CHECK (((length(sql) >= 1) AND (length(sql) <= 100000)))
);
ALTER TABLE ONLY ops.queries FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.query_answers (
    project_id uuid NOT NULL,
    env text NOT NULL,
    key text NOT NULL,
    run_id uuid NOT NULL,
    answered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT query_answers_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT query_answers_key_check CHECK ((key ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY ops.query_answers FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.queue_turns (
    project_id uuid NOT NULL,
    priority integer NOT NULL,
    last_turn bigint NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY ops.queue_turns FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.refresh_tables (
    refresh_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    project_id uuid NOT NULL,
    version bigint NOT NULL,
    former bigint
);
ALTER TABLE ONLY ops.refresh_tables FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.run_totals (
    project_id uuid NOT NULL,
    pipeline text NOT NULL,
    status text NOT NULL,
    runs bigint NOT NULL,
    lost_leases bigint NOT NULL,
    seconds double precision NOT NULL,
    buckets bigint[] NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE ONLY ops.run_totals FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.schedule_ticks (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    schedule_id uuid NOT NULL,
    key text NOT NULL,
    tick timestamp with time zone NOT NULL,
    through timestamp with time zone,
    ticks integer DEFAULT 1,
    outcome text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    run_id uuid,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT schedule_ticks_check CHECK (((outcome = 'fired'::text) = (run_id IS NOT NULL))),
    CONSTRAINT schedule_ticks_check1 CHECK (((outcome = 'pending'::text) = (decided_at IS NULL))),
    CONSTRAINT schedule_ticks_key_check CHECK ((key <> ''::text)),
    CONSTRAINT schedule_ticks_outcome_check CHECK ((outcome = ANY (ARRAY['pending'::text, 'fired'::text, 'skipped'::text, 'failed'::text])))
);
ALTER TABLE ONLY ops.schedule_ticks FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.score_gates (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    env text NOT NULL,
    pipeline text,
    min_score numeric(5,2) NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text,
    CONSTRAINT score_gates_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT score_gates_min_score_check CHECK (((min_score >= (0)::numeric) AND (min_score <= (100)::numeric)))
);
ALTER TABLE ONLY ops.score_gates FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.secret_grants (
    project_id uuid NOT NULL,
    reference text NOT NULL,
    envs text[] DEFAULT '{dev,stage,prod}'::text[] NOT NULL,
    granted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT secret_grants_envs_check CHECK (((envs <@ '{dev,stage,prod}'::text[]) AND (envs <> '{}'::text[]))),
    CONSTRAINT secret_grants_reference_check CHECK ((reference ~ '^secret://[a-z][a-z0-9_]*/[^*]*\*?$'::text))
);
ALTER TABLE ONLY ops.secret_grants FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.signal_weights (
    signal text NOT NULL,
    weight double precision NOT NULL,
    direction text NOT NULL,
    half_at double precision NOT NULL,
    description text NOT NULL,
    free_until double precision DEFAULT 0 NOT NULL,
    CONSTRAINT signal_weights_direction_check CHECK ((direction = ANY (ARRAY['up'::text, 'down'::text]))),
    CONSTRAINT signal_weights_free_until_check CHECK ((free_until >= (0)::double precision)),
    CONSTRAINT signal_weights_half_at_check CHECK ((half_at > (0)::double precision)),
    CONSTRAINT signal_weights_weight_check CHECK ((weight >= (0)::double precision))
);
ALTER TABLE ONLY ops.signal_weights FORCE ROW LEVEL SECURITY;
CREATE TABLE ops.silences (
    id uuid DEFAULT private.new_id() NOT NULL,
    project_id uuid NOT NULL,
    kind text NOT NULL,
    env text,
    rule_id uuid,
    group_key text,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text,
    CONSTRAINT silences_check CHECK ((ends_at > starts_at)),
    CONSTRAINT silences_env_check CHECK ((env = ANY (ARRAY['dev'::text, 'stage'::text, 'prod'::text]))),
    CONSTRAINT silences_kind_check CHECK ((kind = ANY (ARRAY['mute'::text, 'maintenance'::text]))),
    CONSTRAINT silences_reason_check CHECK ((reason <> ''::text))
);
ALTER TABLE ONLY ops.silences FORCE ROW LEVEL SECURITY;
CREATE TABLE private.access_token_hashes (
    token_id uuid NOT NULL,
    sha256 bytea NOT NULL
);
ALTER TABLE ONLY private.access_token_hashes FORCE ROW LEVEL SECURITY;
CREATE TABLE private.cap_windows (
    cap_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    used numeric NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY private.cap_windows FORCE ROW LEVEL SECURITY;
CREATE TABLE private.lineage_mark (
    one boolean DEFAULT true NOT NULL,
    horizon bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT lineage_mark_one_check CHECK (one)
);
CREATE TABLE private.projects_served (
    project_id uuid NOT NULL,
    priority integer NOT NULL,
    at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY private.projects_served FORCE ROW LEVEL SECURITY;
CREATE TABLE private.pruned_events (
    run_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE private.schema_revision (
    version_num character varying(32) NOT NULL
);
CREATE TABLE private.sessions (
    sha256 bytea NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    origin jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT sessions_sha256_check CHECK ((length(sha256) = 32))
);
CREATE TABLE private.sign_in_failures (
    id uuid DEFAULT private.new_id() NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    name_sha256 bytea NOT NULL,
    address text NOT NULL
);
CREATE TABLE private.sign_in_links (
    sha256 bytea NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT sign_in_links_sha256_check CHECK ((length(sha256) = 32))
);
CREATE TABLE private.sign_in_pepper (
    bytes bytea NOT NULL,
    only_one boolean DEFAULT true NOT NULL,
    CONSTRAINT sign_in_pepper_only_one_check CHECK (only_one)
);
CREATE TABLE private.steward_pulse (
    one boolean DEFAULT true NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT steward_pulse_one_check CHECK (one)
)
WITH (fillfactor='10');
CREATE TABLE private.totals_mark (
    one boolean DEFAULT true NOT NULL,
    horizon bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT totals_mark_one_check CHECK (one)
);
CREATE TABLE private.webhook_keys (
    schedule_id uuid NOT NULL,
    key bytea NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT webhook_keys_key_check CHECK ((length(key) >= 24))
);
ALTER TABLE ONLY private.webhook_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY ops.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.access_tokens
    ADD CONSTRAINT access_tokens_subject_name_key UNIQUE (subject, name);
ALTER TABLE ONLY ops.alert_rules
    ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.alert_rules
    ADD CONSTRAINT alert_rules_project_id_name_key UNIQUE (project_id, name);
ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.backfill_chunks
    ADD CONSTRAINT backfill_chunks_backfill_id_first_key UNIQUE (backfill_id, first);
ALTER TABLE ONLY ops.backfill_chunks
    ADD CONSTRAINT backfill_chunks_pkey PRIMARY KEY (backfill_id, chunk);
ALTER TABLE ONLY ops.backfills
    ADD CONSTRAINT backfills_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.bi_objects
    ADD CONSTRAINT bi_objects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.bi_objects
    ADD CONSTRAINT bi_objects_project_id_env_kind_name_key UNIQUE (project_id, env, kind, name);
ALTER TABLE ONLY ops.bi_wishes
    ADD CONSTRAINT bi_wishes_pkey PRIMARY KEY (project_id, env);
ALTER TABLE ONLY ops.cap_usage
    ADD CONSTRAINT cap_usage_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.capabilities
    ADD CONSTRAINT capabilities_capability_key UNIQUE (capability);
ALTER TABLE ONLY ops.capabilities
    ADD CONSTRAINT capabilities_pkey PRIMARY KEY (ordinal);
ALTER TABLE ONLY ops.caps
    ADD CONSTRAINT caps_org_key UNIQUE (org_id, key);
ALTER TABLE ONLY ops.caps
    ADD CONSTRAINT caps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (name);
ALTER TABLE ONLY ops.column_edges
    ADD CONSTRAINT column_edges_pkey PRIMARY KEY (map_id, output_column, input_table, input_column, subtype);
ALTER TABLE ONLY ops.column_maps
    ADD CONSTRAINT column_maps_dataset_id_sha256_key UNIQUE (dataset_id, sha256);
ALTER TABLE ONLY ops.column_maps
    ADD CONSTRAINT column_maps_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.dataset_columns
    ADD CONSTRAINT dataset_columns_pkey PRIMARY KEY (dataset_id, name);
ALTER TABLE ONLY ops.dataset_notes
    ADD CONSTRAINT dataset_notes_pkey PRIMARY KEY (dataset_id);
ALTER TABLE ONLY ops.dataset_versions
    ADD CONSTRAINT dataset_versions_dataset_id_version_key UNIQUE (dataset_id, version);
ALTER TABLE ONLY ops.dataset_versions
    ADD CONSTRAINT dataset_versions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.datasets
    ADD CONSTRAINT datasets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.datasets
    ADD CONSTRAINT datasets_project_id_env_layer_name_key UNIQUE (project_id, env, layer, name);
ALTER TABLE ONLY ops.executors
    ADD CONSTRAINT executors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.freshness_breaches
    ADD CONSTRAINT freshness_breaches_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.freshness_breaches
    ADD CONSTRAINT freshness_breaches_rule_id_level_began_at_key UNIQUE (rule_id, level, began_at);
ALTER TABLE ONLY ops.freshness
    ADD CONSTRAINT freshness_pkey PRIMARY KEY (rule_id);
ALTER TABLE ONLY ops.freshness_rules
    ADD CONSTRAINT freshness_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.freshness_rules
    ADD CONSTRAINT freshness_rules_project_id_env_dataset_key UNIQUE (project_id, env, dataset);
ALTER TABLE ONLY ops.grants
    ADD CONSTRAINT grants_pkey PRIMARY KEY (dataset_id, reader_id);
ALTER TABLE ONLY ops.lineage_edges
    ADD CONSTRAINT lineage_edges_pkey PRIMARY KEY (output_id, input_table, input_version);
ALTER TABLE ONLY ops.lineage_sent
    ADD CONSTRAINT lineage_sent_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY ops.memberships
    ADD CONSTRAINT memberships_org_id_project_id_subject_key UNIQUE NULLS NOT DISTINCT (org_id, project_id, subject);
ALTER TABLE ONLY ops.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.orgs
    ADD CONSTRAINT orgs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.orgs
    ADD CONSTRAINT orgs_slug_key UNIQUE (slug);
ALTER TABLE ONLY ops.phase_totals
    ADD CONSTRAINT phase_totals_pkey PRIMARY KEY (project_id, kind, status);
ALTER TABLE ONLY ops.phase_usage
    ADD CONSTRAINT phase_usage_pkey PRIMARY KEY (run_id, phase, attempt, lease_token);
ALTER TABLE ONLY ops.pipelines
    ADD CONSTRAINT pipelines_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.pipelines
    ADD CONSTRAINT pipelines_project_id_slug_sha256_git_sha_key UNIQUE (project_id, slug, sha256, git_sha);
ALTER TABLE ONLY ops.pipelines
    ADD CONSTRAINT pipelines_project_id_slug_version_key UNIQUE (project_id, slug, version);
ALTER TABLE ONLY ops.pool_uses
    ADD CONSTRAINT pool_uses_pkey PRIMARY KEY (pool_id, run_id);
ALTER TABLE ONLY ops.pools
    ADD CONSTRAINT pools_org_id_project_id_name_key UNIQUE NULLS NOT DISTINCT (org_id, project_id, name);
ALTER TABLE ONLY ops.pools
    ADD CONSTRAINT pools_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.prices
    ADD CONSTRAINT prices_org_id_unit_valid_from_key UNIQUE (org_id, unit, valid_from);
ALTER TABLE ONLY ops.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.projects
    ADD CONSTRAINT projects_org_id_slug_key UNIQUE (org_id, slug);
ALTER TABLE ONLY ops.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.promotions
    ADD CONSTRAINT promotions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.queries
    ADD CONSTRAINT queries_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY ops.query_answers
    ADD CONSTRAINT query_answers_pkey PRIMARY KEY (project_id, env, key);
ALTER TABLE ONLY ops.queue_turns
    ADD CONSTRAINT queue_turns_pkey PRIMARY KEY (project_id, priority);
ALTER TABLE ONLY ops.refresh_tables
    ADD CONSTRAINT refresh_tables_pkey PRIMARY KEY (refresh_id, dataset_id);
ALTER TABLE ONLY ops.refreshes
    ADD CONSTRAINT refreshes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.refreshes
    ADD CONSTRAINT refreshes_run_id_key UNIQUE (run_id);
ALTER TABLE ONLY ops.routing_matrix
    ADD CONSTRAINT routing_matrix_area_key UNIQUE (area);
ALTER TABLE ONLY ops.routing_matrix
    ADD CONSTRAINT routing_matrix_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.run_artifacts
    ADD CONSTRAINT run_artifacts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.run_artifacts
    ADD CONSTRAINT run_artifacts_run_id_phase_name_key UNIQUE (run_id, phase, name);
ALTER TABLE ONLY ops.run_events
    ADD CONSTRAINT run_events_pkey PRIMARY KEY (run_id, seq, ts);
ALTER TABLE ONLY ops.run_leases
    ADD CONSTRAINT run_leases_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY ops.run_phases
    ADD CONSTRAINT run_phases_pkey PRIMARY KEY (run_id, ordinal);
ALTER TABLE ONLY ops.run_phases
    ADD CONSTRAINT run_phases_run_id_name_key UNIQUE (run_id, name);
ALTER TABLE ONLY ops.run_scores
    ADD CONSTRAINT run_scores_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY ops.run_totals
    ADD CONSTRAINT run_totals_pkey PRIMARY KEY (project_id, pipeline, status);
ALTER TABLE ONLY ops.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.schedule_ticks
    ADD CONSTRAINT schedule_ticks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.schedule_ticks
    ADD CONSTRAINT schedule_ticks_schedule_id_key_key UNIQUE (schedule_id, key);
ALTER TABLE ONLY ops.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.schedules
    ADD CONSTRAINT schedules_project_id_env_slug_key UNIQUE (project_id, env, slug);
ALTER TABLE ONLY ops.score_gates
    ADD CONSTRAINT score_gates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.score_gates
    ADD CONSTRAINT score_gates_project_id_env_pipeline_key UNIQUE NULLS NOT DISTINCT (project_id, env, pipeline);
ALTER TABLE ONLY ops.secret_grants
    ADD CONSTRAINT secret_grants_pkey PRIMARY KEY (project_id, reference);
ALTER TABLE ONLY ops.signal_weights
    ADD CONSTRAINT signal_weights_pkey PRIMARY KEY (signal);
ALTER TABLE ONLY ops.signals
    ADD CONSTRAINT signals_pkey PRIMARY KEY (run_id, signal);
ALTER TABLE ONLY ops.silences
    ADD CONSTRAINT silences_pkey PRIMARY KEY (id);
ALTER TABLE ONLY private.access_token_hashes
    ADD CONSTRAINT access_token_hashes_pkey PRIMARY KEY (token_id);
ALTER TABLE ONLY private.access_token_hashes
    ADD CONSTRAINT access_token_hashes_sha256_key UNIQUE (sha256);
ALTER TABLE ONLY private.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY private.cap_windows
    ADD CONSTRAINT cap_windows_pkey PRIMARY KEY (cap_id, starts_at);
ALTER TABLE ONLY private.lineage_mark
    ADD CONSTRAINT lineage_mark_pkey PRIMARY KEY (one);
ALTER TABLE ONLY private.projects_served
    ADD CONSTRAINT projects_served_pkey PRIMARY KEY (project_id, priority);
ALTER TABLE ONLY private.pruned_events
    ADD CONSTRAINT pruned_events_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY private.schema_revision
    ADD CONSTRAINT schema_revision_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY private.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY private.sign_in_failures
    ADD CONSTRAINT sign_in_failures_pkey PRIMARY KEY (id);
ALTER TABLE ONLY private.sign_in_links
    ADD CONSTRAINT sign_in_links_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY private.sign_in_pepper
    ADD CONSTRAINT sign_in_pepper_pkey PRIMARY KEY (only_one);
ALTER TABLE ONLY private.steward_pulse
    ADD CONSTRAINT steward_pulse_pkey PRIMARY KEY (one);
ALTER TABLE ONLY private.totals_mark
    ADD CONSTRAINT totals_mark_pkey PRIMARY KEY (one);
ALTER TABLE ONLY private.webhook_keys
    ADD CONSTRAINT webhook_keys_pkey PRIMARY KEY (schedule_id);
CREATE INDEX access_tokens_project ON ops.access_tokens USING btree (project_id);
CREATE INDEX alerts_escalation ON ops.alerts USING btree (escalates_at) WHERE ((state = 'open'::text) AND (escalates_at IS NOT NULL));
CREATE INDEX alerts_listing ON ops.alerts USING btree (project_id, opened_at DESC, id DESC);
CREATE UNIQUE INDEX alerts_open ON ops.alerts USING btree (rule_id, env, group_key) WHERE (state <> 'resolved'::text);
CREATE INDEX alerts_run ON ops.alerts USING btree (run_id) WHERE (run_id IS NOT NULL);
CREATE UNIQUE INDEX alerts_source ON ops.alerts USING btree (rule_id, source_id) WHERE (source_id IS NOT NULL);
CREATE INDEX audit_log_org ON ops.audit_log USING btree (org_id, at DESC, id DESC);
CREATE INDEX audit_log_project ON ops.audit_log USING btree (project_id, at DESC, id DESC);
CREATE INDEX audit_log_target ON ops.audit_log USING btree (target, at DESC);
CREATE INDEX backfill_chunks_project ON ops.backfill_chunks USING btree (project_id, env);
CREATE INDEX backfill_chunks_queued ON ops.backfill_chunks USING btree (backfill_id) WHERE (state = 'queued'::text);
CREATE UNIQUE INDEX backfill_chunks_run ON ops.backfill_chunks USING btree (run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX backfills_active ON ops.backfills USING btree (created_at, id) WHERE (state = 'active'::text);
CREATE UNIQUE INDEX backfills_key ON ops.backfills USING btree (project_id, env, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX backfills_pipeline ON ops.backfills USING btree (project_id, pipeline, pipeline_version);
CREATE INDEX bi_objects_dataset ON ops.bi_objects USING btree (dataset_id) WHERE (dataset_id IS NOT NULL);
CREATE INDEX bi_objects_run ON ops.bi_objects USING btree (run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX bi_wishes_run ON ops.bi_wishes USING btree (run_id);
CREATE INDEX cap_usage_held ON ops.cap_usage USING btree (cap_id) WHERE (released_at IS NULL);
CREATE INDEX cap_usage_run ON ops.cap_usage USING btree (run_id) WHERE (released_at IS NULL);
CREATE INDEX cap_usage_window ON ops.cap_usage USING btree (cap_id, used_at);
CREATE INDEX caps_project ON ops.caps USING btree (project_id);
CREATE INDEX column_edges_project ON ops.column_edges USING btree (project_id);
CREATE INDEX column_maps_project ON ops.column_maps USING btree (project_id);
CREATE INDEX dataset_columns_pii ON ops.dataset_columns USING btree (dataset_id) WHERE (pii = ANY (ARRAY['yes'::text, 'suspected'::text]));
CREATE INDEX dataset_columns_project ON ops.dataset_columns USING btree (project_id);
CREATE INDEX dataset_notes_project ON ops.dataset_notes USING btree (project_id);
CREATE INDEX dataset_versions_column_map ON ops.dataset_versions USING btree (column_map_id) WHERE (column_map_id IS NOT NULL);
CREATE INDEX dataset_versions_run ON ops.dataset_versions USING btree (run_id);
CREATE INDEX freshness_breaches_open ON ops.freshness_breaches USING btree (rule_id) WHERE (ended_at IS NULL);
CREATE INDEX freshness_breaches_project ON ops.freshness_breaches USING btree (project_id, began_at DESC);
CREATE INDEX freshness_dataset ON ops.freshness USING btree (dataset_id);
CREATE INDEX freshness_project ON ops.freshness USING btree (project_id, env);
CREATE INDEX grants_project ON ops.grants USING btree (project_id);
CREATE INDEX grants_reader ON ops.grants USING btree (reader_id);
CREATE INDEX lineage_sent_project ON ops.lineage_sent USING btree (project_id, done);
CREATE INDEX lineage_sent_untold ON ops.lineage_sent USING btree (run_id) WHERE (NOT done);
CREATE INDEX memberships_project ON ops.memberships USING btree (project_id);
CREATE INDEX memberships_subject ON ops.memberships USING btree (subject);
CREATE INDEX notifications_alert ON ops.notifications USING btree (alert_id) WHERE (alert_id IS NOT NULL);
CREATE INDEX notifications_batch ON ops.notifications USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX notifications_pending ON ops.notifications USING btree (due_at) WHERE (state = 'pending'::text);
CREATE INDEX notifications_project ON ops.notifications USING btree (project_id, created_at DESC);
CREATE INDEX notifications_rule ON ops.notifications USING btree (rule_id);
CREATE INDEX notifications_run ON ops.notifications USING btree (run_id);
CREATE INDEX pool_uses_run ON ops.pool_uses USING btree (run_id);
CREATE INDEX pools_project ON ops.pools USING btree (project_id) WHERE (project_id IS NOT NULL);
CREATE INDEX promotions_current ON ops.promotions USING btree (project_id, pipeline, env, promoted_at DESC, id DESC);
CREATE INDEX promotions_evidence ON ops.promotions USING btree (evidence_run);
CREATE INDEX promotions_version ON ops.promotions USING btree (project_id, pipeline, version);
CREATE INDEX queries_list ON ops.queries USING btree (project_id, created_at DESC, run_id DESC);
CREATE INDEX queries_of_subject ON ops.queries USING btree (subject, created_at DESC, run_id DESC);
CREATE INDEX queries_words ON ops.queries USING gin (to_tsvector('simple'::regconfig, translate(sql, '.'::text, ' '::text)));
CREATE INDEX query_answers_run ON ops.query_answers USING btree (run_id);
CREATE INDEX refresh_tables_dataset ON ops.refresh_tables USING btree (dataset_id);
CREATE INDEX refresh_tables_project ON ops.refresh_tables USING btree (project_id);
CREATE INDEX refreshes_project ON ops.refreshes USING btree (project_id, env, started_at DESC);
CREATE INDEX run_artifacts_saved ON ops.run_artifacts USING btree (project_id, created_at DESC, id DESC) WHERE (kind = 'saved'::text);
CREATE INDEX run_events_client_id ON ONLY ops.run_events USING btree (run_id, event_id) WHERE (event_id IS NOT NULL);
CREATE INDEX run_events_lifecycle ON ONLY ops.run_events USING btree (run_id, seq) WHERE (type = ANY (ARRAY['RUN_CREATED'::text, 'RUN_CLAIMED'::text, 'RUN_STARTED'::text, 'LEASE_EXPIRED'::text, 'RUN_REQUEUED'::text, 'CANCEL_REQUESTED'::text, 'RUN_SUCCEEDED'::text, 'RUN_FAILED'::text, 'RUN_CANCELED'::text]));
CREATE INDEX runs_at_work ON ops.runs USING btree (project_id, created_at DESC, id DESC) INCLUDE (trigger) WHERE (status = ANY (ARRAY['claimed'::text, 'running'::text]));
CREATE INDEX runs_canceled ON ops.runs USING btree (project_id, created_at DESC, id DESC) INCLUDE (trigger) WHERE (status = 'canceled'::text);
CREATE INDEX runs_failed ON ops.runs USING btree (project_id, created_at DESC, id DESC) INCLUDE (trigger) WHERE (status = 'failed'::text);
CREATE INDEX runs_finished ON ops.runs USING brin (finished_at) WITH (pages_per_range='16', autosummarize='on');
CREATE UNIQUE INDEX runs_idempotency ON ops.runs USING btree (project_id, env, idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX runs_list ON ops.runs USING btree (project_id, created_at DESC, id DESC) INCLUDE (trigger);
CREATE INDEX runs_of_line ON ops.runs USING btree (root_run) WHERE (root_run IS NOT NULL);
CREATE INDEX runs_of_pipeline ON ops.runs USING btree (project_id, pipeline, created_at DESC, id DESC);
CREATE INDEX runs_parent ON ops.runs USING btree (parent_run) WHERE (parent_run IS NOT NULL);
CREATE INDEX runs_queue ON ops.runs USING btree (priority, turn, id) WHERE (status = 'queued'::text);
CREATE INDEX runs_queue_of_pipeline ON ops.runs USING btree (project_id, pipeline, pools, priority, turn, id) WHERE (status = 'queued'::text);
CREATE INDEX runs_waiting ON ops.runs USING btree (project_id, created_at DESC, id DESC) INCLUDE (trigger) WHERE (status = 'queued'::text);
CREATE INDEX runs_words ON ops.runs USING gin (to_tsvector('simple'::regconfig, ((((pipeline || ' '::text) || COALESCE(error_code, ''::text)) || ' '::text) || COALESCE(error_message, ''::text))), to_tsvector('simple'::regconfig, tags));
CREATE INDEX schedule_ticks_history ON ops.schedule_ticks USING btree (schedule_id, tick DESC, id DESC);
CREATE INDEX schedule_ticks_pending ON ops.schedule_ticks USING btree (schedule_id) WHERE (outcome = 'pending'::text);
CREATE INDEX schedule_ticks_project ON ops.schedule_ticks USING btree (project_id, env);
CREATE INDEX schedule_ticks_run ON ops.schedule_ticks USING btree (run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX schedules_after ON ops.schedules USING btree (project_id, env, after_pipeline) WHERE (after_pipeline IS NOT NULL);
CREATE INDEX schedules_dataset ON ops.schedules USING btree (project_id, env, dataset) WHERE (dataset IS NOT NULL);
CREATE INDEX schedules_due ON ops.schedules USING btree (due_at) WHERE ((kind = 'cron'::text) AND (NOT paused));
CREATE INDEX silences_project ON ops.silences USING btree (project_id, ends_at);
CREATE INDEX silences_rule ON ops.silences USING btree (rule_id) WHERE (rule_id IS NOT NULL);
CREATE INDEX sessions_expiry ON private.sessions USING btree (expires_at);
CREATE INDEX sessions_subject ON private.sessions USING btree (subject);
CREATE INDEX sign_in_failures_address ON private.sign_in_failures USING btree (address, at);
CREATE INDEX sign_in_failures_at ON private.sign_in_failures USING btree (at);
CREATE INDEX sign_in_failures_name ON private.sign_in_failures USING btree (name_sha256, at);
CREATE INDEX sign_in_links_subject ON private.sign_in_links USING btree (subject);
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ops.audit_log FOR EACH ROW EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ops.promotions FOR EACH ROW EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ops.queries FOR EACH ROW EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ops.run_artifacts FOR EACH ROW EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ops.run_events FOR EACH ROW EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ops.audit_log FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ops.promotions FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ops.queries FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ops.run_artifacts FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ops.run_events FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.access_tokens FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER DELETE OR UPDATE ON ops.alert_rules FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.backfills FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.bi_objects FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.caps FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.channels FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.dataset_notes FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.freshness_rules FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.grants FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.memberships FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.orgs FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.pipelines FOR EACH ROW EXECUTE FUNCTION private.audit_change('spec');
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.pools FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.prices FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.projects FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.promotions FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.routing_matrix FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.schedules FOR EACH ROW EXECUTE FUNCTION private.audit_change('next_at', 'due_at', 'last_tick', 'open_runs', 'anchored_at', 'revision');
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.score_gates FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.secret_grants FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.signal_weights FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON ops.silences FOR EACH ROW EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER audit_made AFTER INSERT ON ops.alert_rules FOR EACH ROW WHEN ((NOT new.built_in)) EXECUTE FUNCTION private.audit_change();
CREATE TRIGGER count_usage AFTER INSERT OR DELETE OR UPDATE OF cap_id, amount, used_at ON ops.cap_usage FOR EACH ROW EXECUTE FUNCTION private.count_cap_usage();
CREATE TRIGGER schedules_after AFTER UPDATE OF status ON ops.runs FOR EACH ROW WHEN (((new.status = 'succeeded'::text) AND (old.status <> 'succeeded'::text) AND (new.trigger <> ALL (ARRAY['backfill'::text, 'replay'::text])))) EXECUTE FUNCTION private.note_success();
CREATE TRIGGER schedules_on_dataset AFTER UPDATE OF version ON ops.datasets FOR EACH ROW WHEN ((new.version IS DISTINCT FROM old.version)) EXECUTE FUNCTION private.note_release();
CREATE TRIGGER terminal_runs_never_change BEFORE UPDATE ON ops.runs FOR EACH ROW WHEN ((old.status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'canceled'::text]))) EXECUTE FUNCTION private.refuse_terminal_change();
CREATE TRIGGER watch_new_project AFTER INSERT ON ops.projects FOR EACH ROW EXECUTE FUNCTION private.watch_new_project();
ALTER TABLE ONLY ops.access_tokens
    ADD CONSTRAINT access_tokens_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.alert_rules
    ADD CONSTRAINT alert_rules_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES ops.alert_rules(id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.backfill_chunks
    ADD CONSTRAINT backfill_chunks_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES ops.backfills(id);
ALTER TABLE ONLY ops.backfill_chunks
    ADD CONSTRAINT backfill_chunks_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.backfills
    ADD CONSTRAINT backfills_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.backfills
    ADD CONSTRAINT backfills_project_id_pipeline_pipeline_version_fkey FOREIGN KEY (project_id, pipeline, pipeline_version) REFERENCES ops.pipelines(project_id, slug, version);
ALTER TABLE ONLY ops.bi_objects
    ADD CONSTRAINT bi_objects_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.bi_objects
    ADD CONSTRAINT bi_objects_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.bi_objects
    ADD CONSTRAINT bi_objects_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.bi_wishes
    ADD CONSTRAINT bi_wishes_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.bi_wishes
    ADD CONSTRAINT bi_wishes_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.cap_usage
    ADD CONSTRAINT cap_usage_cap_id_fkey FOREIGN KEY (cap_id) REFERENCES ops.caps(id);
ALTER TABLE ONLY ops.caps
    ADD CONSTRAINT caps_org_id_fkey FOREIGN KEY (org_id) REFERENCES ops.orgs(id);
ALTER TABLE ONLY ops.caps
    ADD CONSTRAINT caps_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.column_edges
    ADD CONSTRAINT column_edges_map_id_fkey FOREIGN KEY (map_id) REFERENCES ops.column_maps(id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.column_edges
    ADD CONSTRAINT column_edges_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.column_maps
    ADD CONSTRAINT column_maps_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.column_maps
    ADD CONSTRAINT column_maps_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.dataset_columns
    ADD CONSTRAINT dataset_columns_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.dataset_columns
    ADD CONSTRAINT dataset_columns_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.dataset_notes
    ADD CONSTRAINT dataset_notes_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.dataset_notes
    ADD CONSTRAINT dataset_notes_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.dataset_versions
    ADD CONSTRAINT dataset_versions_column_map_id_fkey FOREIGN KEY (column_map_id) REFERENCES ops.column_maps(id);
ALTER TABLE ONLY ops.dataset_versions
    ADD CONSTRAINT dataset_versions_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.dataset_versions
    ADD CONSTRAINT dataset_versions_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.datasets
    ADD CONSTRAINT datasets_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.freshness
    ADD CONSTRAINT freshness_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.freshness
    ADD CONSTRAINT freshness_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES ops.freshness_rules(id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.freshness_rules
    ADD CONSTRAINT freshness_rules_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.grants
    ADD CONSTRAINT grants_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.grants
    ADD CONSTRAINT grants_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.grants
    ADD CONSTRAINT grants_reader_id_fkey FOREIGN KEY (reader_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.lineage_edges
    ADD CONSTRAINT lineage_edges_output_id_fkey FOREIGN KEY (output_id) REFERENCES ops.dataset_versions(id);
ALTER TABLE ONLY ops.lineage_sent
    ADD CONSTRAINT lineage_sent_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.lineage_sent
    ADD CONSTRAINT lineage_sent_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.memberships
    ADD CONSTRAINT memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES ops.orgs(id);
ALTER TABLE ONLY ops.memberships
    ADD CONSTRAINT memberships_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.notifications
    ADD CONSTRAINT notifications_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES ops.alerts(id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.notifications
    ADD CONSTRAINT notifications_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.notifications
    ADD CONSTRAINT notifications_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES ops.alert_rules(id) ON DELETE CASCADE;
ALTER TABLE ONLY ops.notifications
    ADD CONSTRAINT notifications_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.phase_totals
    ADD CONSTRAINT phase_totals_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.phase_usage
    ADD CONSTRAINT phase_usage_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.pipelines
    ADD CONSTRAINT pipelines_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.pool_uses
    ADD CONSTRAINT pool_uses_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES ops.pools(id);
ALTER TABLE ONLY ops.pool_uses
    ADD CONSTRAINT pool_uses_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.pools
    ADD CONSTRAINT pools_org_id_fkey FOREIGN KEY (org_id) REFERENCES ops.orgs(id);
ALTER TABLE ONLY ops.pools
    ADD CONSTRAINT pools_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.prices
    ADD CONSTRAINT prices_org_id_fkey FOREIGN KEY (org_id) REFERENCES ops.orgs(id);
ALTER TABLE ONLY ops.projects
    ADD CONSTRAINT projects_org_id_fkey FOREIGN KEY (org_id) REFERENCES ops.orgs(id);
ALTER TABLE ONLY ops.promotions
    ADD CONSTRAINT promotions_evidence_run_fkey FOREIGN KEY (evidence_run) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.promotions
    ADD CONSTRAINT promotions_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.promotions
    ADD CONSTRAINT promotions_project_id_pipeline_version_fkey FOREIGN KEY (project_id, pipeline, version) REFERENCES ops.pipelines(project_id, slug, version);
ALTER TABLE ONLY ops.queries
    ADD CONSTRAINT queries_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.queries
    ADD CONSTRAINT queries_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.query_answers
    ADD CONSTRAINT query_answers_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.query_answers
    ADD CONSTRAINT query_answers_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.queue_turns
    ADD CONSTRAINT queue_turns_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.refresh_tables
    ADD CONSTRAINT refresh_tables_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES ops.datasets(id);
ALTER TABLE ONLY ops.refresh_tables
    ADD CONSTRAINT refresh_tables_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.refresh_tables
    ADD CONSTRAINT refresh_tables_refresh_id_fkey FOREIGN KEY (refresh_id) REFERENCES ops.refreshes(id);
ALTER TABLE ONLY ops.refreshes
    ADD CONSTRAINT refreshes_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.refreshes
    ADD CONSTRAINT refreshes_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.run_artifacts
    ADD CONSTRAINT run_artifacts_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.run_phases
    ADD CONSTRAINT run_phases_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.run_scores
    ADD CONSTRAINT run_scores_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.run_totals
    ADD CONSTRAINT run_totals_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.runs
    ADD CONSTRAINT runs_executor_id_fkey FOREIGN KEY (executor_id) REFERENCES ops.executors(id);
ALTER TABLE ONLY ops.runs
    ADD CONSTRAINT runs_parent_run_fkey FOREIGN KEY (parent_run) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.runs
    ADD CONSTRAINT runs_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.schedule_ticks
    ADD CONSTRAINT schedule_ticks_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.schedules
    ADD CONSTRAINT schedules_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.score_gates
    ADD CONSTRAINT score_gates_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.secret_grants
    ADD CONSTRAINT secret_grants_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.signals
    ADD CONSTRAINT signals_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY ops.silences
    ADD CONSTRAINT silences_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY ops.silences
    ADD CONSTRAINT silences_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES ops.alert_rules(id) ON DELETE CASCADE;
ALTER TABLE ONLY private.access_token_hashes
    ADD CONSTRAINT access_token_hashes_token_id_fkey FOREIGN KEY (token_id) REFERENCES ops.access_tokens(id);
ALTER TABLE ONLY private.cap_windows
    ADD CONSTRAINT cap_windows_cap_id_fkey FOREIGN KEY (cap_id) REFERENCES ops.caps(id) ON DELETE CASCADE;
ALTER TABLE ONLY private.projects_served
    ADD CONSTRAINT projects_served_project_id_fkey FOREIGN KEY (project_id) REFERENCES ops.projects(id);
ALTER TABLE ONLY private.pruned_events
    ADD CONSTRAINT pruned_events_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.runs(id);
ALTER TABLE ONLY private.sign_in_links
    ADD CONSTRAINT sign_in_links_subject_fkey FOREIGN KEY (subject) REFERENCES private.accounts(subject);
ALTER TABLE ONLY private.webhook_keys
    ADD CONSTRAINT webhook_keys_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES ops.schedules(id) ON DELETE CASCADE;
ALTER TABLE ops.access_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.alert_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.backfill_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.backfills ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.bi_objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.bi_wishes ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.cap_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.capabilities ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.caps ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.column_edges ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.column_maps ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON ops.access_tokens TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.alert_rules TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.alerts TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.audit_log TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.backfill_chunks TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.backfills TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.bi_objects TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.bi_wishes TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.cap_usage TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.capabilities TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.caps TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.channels TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.column_edges TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.column_maps TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.dataset_columns TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.dataset_notes TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.dataset_versions TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.datasets TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.executors TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.freshness TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.freshness_breaches TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.freshness_rules TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.grants TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.lineage_edges TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.lineage_sent TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.memberships TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.notifications TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.orgs TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.phase_totals TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.phase_usage TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.pipelines TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.pool_uses TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.pools TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.prices TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.projects TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.promotions TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.queries TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.query_answers TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.queue_turns TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.refresh_tables TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.refreshes TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.routing_matrix TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_artifacts TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_events TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_leases TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_phases TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_scores TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.run_totals TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.runs TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.schedule_ticks TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.schedules TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.score_gates TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.secret_grants TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.signal_weights TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.signals TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON ops.silences TO owner USING (true) WITH CHECK (true);
ALTER TABLE ops.dataset_columns ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.dataset_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.dataset_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.datasets ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.executors ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.freshness ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.freshness_breaches ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.freshness_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.lineage_edges ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.lineage_sent ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.orgs ENABLE ROW LEVEL SECURITY;
CREATE POLICY people_read ON ops.access_tokens FOR SELECT TO authenticated USING (((subject = ( SELECT private.signed_in() AS signed_in)) OR (id = ( SELECT t.id
   FROM private.presented_token() t(id, subject, name, role, project_id, envs, created_at, expires_at, revoked_at, last_used_at)))));
CREATE POLICY people_read ON ops.alert_rules FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND ((env IS NULL) OR (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs))))));
CREATE POLICY people_read ON ops.alerts FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.audit_log FOR SELECT TO authenticated USING (((((subject = ( SELECT private.signed_in() AS signed_in)) AND ((org_id IS NULL) OR (org_id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs))))) OR (project_id = ANY (ARRAY( SELECT private.my_projects('admin'::text) AS my_projects))) OR (org_id = ANY (ARRAY( SELECT private.my_orgs('admin'::text) AS my_orgs)))) AND ((env IS NULL) OR (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs))))));
CREATE POLICY people_read ON ops.backfill_chunks FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.backfills FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.bi_objects FOR SELECT TO authenticated USING ((((project_id || '/'::text) || env) = ANY (ARRAY( SELECT private.my_scopes() AS my_scopes))));
CREATE POLICY people_read ON ops.bi_wishes FOR SELECT TO authenticated USING ((((project_id || '/'::text) || env) = ANY (ARRAY( SELECT private.my_scopes() AS my_scopes))));
CREATE POLICY people_read ON ops.cap_usage FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND ((run_id IS NULL) OR ( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = cap_usage.run_id))))));
CREATE POLICY people_read ON ops.capabilities FOR SELECT TO authenticated USING (( SELECT (EXISTS ( SELECT
           FROM private.my_orgs() my_orgs(my_orgs))) AS "exists"));
CREATE POLICY people_read ON ops.caps FOR SELECT TO authenticated USING (((org_id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs))) AND ((project_id IS NULL) OR (project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))))));
CREATE POLICY people_read ON ops.channels FOR SELECT TO authenticated USING (( SELECT (EXISTS ( SELECT
           FROM private.my_orgs() my_orgs(my_orgs))) AS "exists"));
CREATE POLICY people_read ON ops.column_edges FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.column_maps m
  WHERE (m.id = column_edges.map_id))))));
CREATE POLICY people_read ON ops.column_maps FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.datasets d
  WHERE (d.id = column_maps.dataset_id))))));
CREATE POLICY people_read ON ops.dataset_columns FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.datasets d
  WHERE (d.id = dataset_columns.dataset_id))))));
CREATE POLICY people_read ON ops.dataset_notes FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.datasets d
  WHERE (d.id = dataset_notes.dataset_id))))));
CREATE POLICY people_read ON ops.dataset_versions FOR SELECT TO authenticated USING ((((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.datasets d
  WHERE (d.id = dataset_versions.dataset_id))))) OR (dataset_id = ANY (ARRAY( SELECT private.my_shared_datasets() AS my_shared_datasets)))));
CREATE POLICY people_read ON ops.datasets FOR SELECT TO authenticated USING ((((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))) OR (id = ANY (ARRAY( SELECT private.my_shared_datasets() AS my_shared_datasets)))));
CREATE POLICY people_read ON ops.executors FOR SELECT TO authenticated USING (( SELECT (EXISTS ( SELECT
           FROM private.my_orgs() my_orgs(my_orgs))) AS "exists"));
CREATE POLICY people_read ON ops.freshness FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.freshness_breaches FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.freshness_rules FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.grants FOR SELECT TO authenticated USING ((((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) OR (reader_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects)))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.datasets d
  WHERE (d.id = grants.dataset_id))))));
CREATE POLICY people_read ON ops.lineage_edges FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.dataset_versions v
  WHERE (v.id = lineage_edges.output_id))))));
CREATE POLICY people_read ON ops.lineage_sent FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = lineage_sent.run_id))))));
CREATE POLICY people_read ON ops.memberships FOR SELECT TO authenticated USING ((((subject = ( SELECT private.subject() AS subject)) AND (org_id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs)))) OR (project_id = ANY (ARRAY( SELECT private.my_projects('admin'::text) AS my_projects))) OR (org_id = ANY (ARRAY( SELECT private.my_orgs('admin'::text) AS my_orgs)))));
CREATE POLICY people_read ON ops.notifications FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR ((run_id IS NULL) AND (alert_id IS NULL)) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = notifications.run_id))) OR (EXISTS ( SELECT
   FROM ops.alerts a
  WHERE (a.id = notifications.alert_id))))));
CREATE POLICY people_read ON ops.orgs FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs))));
CREATE POLICY people_read ON ops.phase_totals FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND ( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs)))))));
CREATE POLICY people_read ON ops.phase_usage FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = phase_usage.run_id))))));
CREATE POLICY people_read ON ops.pipelines FOR SELECT TO authenticated USING ((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))));
CREATE POLICY people_read ON ops.pool_uses FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = pool_uses.run_id))))));
CREATE POLICY people_read ON ops.pools FOR SELECT TO authenticated USING (((org_id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs))) AND ((project_id IS NULL) OR (project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))))));
CREATE POLICY people_read ON ops.prices FOR SELECT TO authenticated USING ((org_id = ANY (ARRAY( SELECT private.my_orgs() AS my_orgs))));
CREATE POLICY people_read ON ops.projects FOR SELECT TO authenticated USING ((id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))));
CREATE POLICY people_read ON ops.promotions FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.queries FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.query_answers FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.queue_turns FOR SELECT TO authenticated USING ((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))));
CREATE POLICY people_read ON ops.refresh_tables FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.refreshes f
  WHERE (f.id = refresh_tables.refresh_id))))));
CREATE POLICY people_read ON ops.refreshes FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.routing_matrix FOR SELECT TO authenticated USING (( SELECT (EXISTS ( SELECT
           FROM private.my_orgs() my_orgs(my_orgs))) AS "exists"));
CREATE POLICY people_read ON ops.run_artifacts FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = run_artifacts.run_id)))) AND (((meta -> 'personal'::text) IS DISTINCT FROM 'true'::jsonb) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE ((r.id = run_artifacts.run_id) AND ((((r.project_id)::text || '/'::text) || r.env) IN ( SELECT private.my_scopes('editor'::text) AS my_scopes))))))));
CREATE POLICY people_read ON ops.run_events FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = run_events.run_id))))));
CREATE POLICY people_read ON ops.run_leases FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = run_leases.run_id))))));
CREATE POLICY people_read ON ops.run_phases FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = run_phases.run_id))))));
CREATE POLICY people_read ON ops.run_scores FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = run_scores.run_id))))));
CREATE POLICY people_read ON ops.run_totals FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND ( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs)))))));
CREATE POLICY people_read ON ops.runs FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.schedule_ticks FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.schedules FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.score_gates FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs)))));
CREATE POLICY people_read ON ops.secret_grants FOR SELECT TO authenticated USING ((project_id = ANY (ARRAY( SELECT private.my_projects('editor'::text) AS my_projects))));
CREATE POLICY people_read ON ops.signal_weights FOR SELECT TO authenticated USING (( SELECT (EXISTS ( SELECT
           FROM private.my_orgs() my_orgs(my_orgs))) AS "exists"));
CREATE POLICY people_read ON ops.signals FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND (( SELECT (NOT (EXISTS ( SELECT
           FROM private.my_hidden_envs() my_hidden_envs(my_hidden_envs))))) OR (EXISTS ( SELECT
   FROM ops.runs r
  WHERE (r.id = signals.run_id))))));
CREATE POLICY people_read ON ops.silences FOR SELECT TO authenticated USING (((project_id = ANY (ARRAY( SELECT private.my_projects() AS my_projects))) AND ((env IS NULL) OR (NOT ((((project_id)::text || '/'::text) || env) IN ( SELECT private.my_hidden_envs() AS my_hidden_envs))))));
ALTER TABLE ops.phase_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.phase_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.pipelines ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.pool_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.pools ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.promotions ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.queries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.query_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.queue_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.refresh_tables ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.refreshes ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.routing_matrix ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_artifacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_phases ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_scores ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.run_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.schedule_ticks ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.score_gates ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.secret_grants ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_role_all ON ops.access_tokens TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.alert_rules TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.alerts TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.audit_log TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.backfill_chunks TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.backfills TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.bi_objects TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.bi_wishes TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.cap_usage TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.capabilities TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.caps TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.channels TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.column_edges TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.column_maps TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.dataset_columns TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.dataset_notes TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.dataset_versions TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.datasets TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.executors TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.freshness TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.freshness_breaches TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.freshness_rules TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.grants TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.lineage_edges TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.lineage_sent TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.memberships TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.notifications TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.orgs TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.phase_totals TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.phase_usage TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.pipelines TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.pool_uses TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.pools TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.prices TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.projects TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.promotions TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.queries TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.query_answers TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.queue_turns TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.refresh_tables TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.refreshes TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.routing_matrix TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_artifacts TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_events TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_leases TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_phases TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_scores TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.run_totals TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.runs TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.schedule_ticks TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.schedules TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.score_gates TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.secret_grants TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.signal_weights TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.signals TO service_role USING (true) WITH CHECK (true);
CREATE POLICY service_role_all ON ops.silences TO service_role USING (true) WITH CHECK (true);
ALTER TABLE ops.signal_weights ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.signals ENABLE ROW LEVEL SECURITY;
ALTER TABLE ops.silences ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.access_token_hashes ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.cap_windows ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON private.access_token_hashes TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON private.cap_windows TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON private.projects_served TO owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON private.webhook_keys TO owner USING (true) WITH CHECK (true);
ALTER TABLE private.projects_served ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.webhook_keys ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA api TO authenticated;
GRANT USAGE ON SCHEMA api TO service_role;
GRANT USAGE ON SCHEMA api TO controlroom_executor;
GRANT USAGE ON SCHEMA ops TO authenticated;
GRANT USAGE ON SCHEMA ops TO service_role;
GRANT USAGE ON SCHEMA ops TO controlroom_executor;
GRANT USAGE ON SCHEMA ops TO controlroom_login;
GRANT USAGE ON SCHEMA private TO authenticated;
GRANT USAGE ON SCHEMA private TO service_role;
GRANT USAGE ON SCHEMA private TO controlroom_executor;
REVOKE ALL ON FUNCTION api.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) TO service_role;
GRANT ALL ON FUNCTION api.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.cancel_backfill(p_backfill_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_backfill(p_backfill_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION api.cancel_backfill(p_backfill_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION api.cancel_run(p_run_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cancel_run(p_run_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION api.cancel_run(p_run_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION api.cap_allow(p_cap_key text, p_amount numeric, p_org text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.cap_allow(p_cap_key text, p_amount numeric, p_org text) TO service_role;
GRANT ALL ON FUNCTION api.cap_allow(p_cap_key text, p_amount numeric, p_org text) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.cap_report() FROM PUBLIC;
GRANT ALL ON FUNCTION api.cap_report() TO authenticated;
GRANT ALL ON FUNCTION api.cap_report() TO service_role;
REVOKE ALL ON FUNCTION api.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) TO service_role;
GRANT ALL ON FUNCTION api.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) TO service_role;
GRANT ALL ON FUNCTION api.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.compute_run_score(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.compute_run_score(p_run_id uuid) TO service_role;
GRANT ALL ON FUNCTION api.compute_run_score(p_run_id uuid) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) TO authenticated;
GRANT ALL ON FUNCTION api.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) TO service_role;
REVOKE ALL ON FUNCTION api.drain_executor(p_executor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.drain_executor(p_executor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.drain_executor(p_executor_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.executor_seen(p_executor_id uuid, p_state text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.executor_seen(p_executor_id uuid, p_state text) TO service_role;
GRANT ALL ON FUNCTION api.executor_seen(p_executor_id uuid, p_state text) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) TO service_role;
GRANT ALL ON FUNCTION api.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) TO service_role;
GRANT ALL ON FUNCTION api.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) TO service_role;
GRANT ALL ON FUNCTION api.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) TO service_role;
GRANT ALL ON FUNCTION api.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.is_draining(p_executor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.is_draining(p_executor_id uuid) TO service_role;
GRANT ALL ON FUNCTION api.is_draining(p_executor_id uuid) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.pause_backfill(p_backfill_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.pause_backfill(p_backfill_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION api.pause_backfill(p_backfill_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION api.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) TO service_role;
GRANT ALL ON FUNCTION api.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) TO authenticated;
GRANT ALL ON FUNCTION api.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) TO service_role;
REVOKE ALL ON FUNCTION api.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) TO service_role;
GRANT ALL ON FUNCTION api.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) TO service_role;
GRANT ALL ON FUNCTION api.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION api.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) TO service_role;
GRANT ALL ON FUNCTION api.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) TO service_role;
GRANT ALL ON FUNCTION api.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) TO authenticated;
GRANT ALL ON FUNCTION api.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) TO service_role;
REVOKE ALL ON FUNCTION api.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) TO service_role;
GRANT ALL ON FUNCTION api.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.release_run(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.release_run(p_run_id uuid, p_lease_token bigint) TO service_role;
GRANT ALL ON FUNCTION api.release_run(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION api.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO service_role;
GRANT ALL ON FUNCTION api.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.replay_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.replay_run(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.replay_run(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.resume_backfill(p_backfill_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.resume_backfill(p_backfill_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.resume_backfill(p_backfill_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) TO authenticated;
GRANT ALL ON FUNCTION api.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) TO service_role;
REVOKE ALL ON FUNCTION api.revoke_lease(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.revoke_lease(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.revoke_lease(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.run_secrets(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.run_secrets(p_run_id uuid, p_lease_token bigint) TO service_role;
GRANT ALL ON FUNCTION api.run_secrets(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) TO service_role;
GRANT ALL ON FUNCTION api.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION api.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) TO authenticated;
GRANT ALL ON FUNCTION api.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) TO service_role;
REVOKE ALL ON FUNCTION api.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) TO service_role;
GRANT ALL ON FUNCTION api.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.start_run(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION api.start_run(p_run_id uuid, p_lease_token bigint) TO service_role;
GRANT ALL ON FUNCTION api.start_run(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
REVOKE ALL ON FUNCTION api.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION api.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION api.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION api.verify_event_chain(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.verify_event_chain(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.verify_event_chain(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION api.why_waiting(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION api.why_waiting(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION api.why_waiting(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.acknowledge_alert(p_alert_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.acknowledge_alert(p_alert_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.acknowledge_alert(p_alert_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.add_account(p_subject text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.add_account(p_subject text) TO service_role;
REVOKE ALL ON FUNCTION ops.add_sign_in_link(p_subject text, p_sha256 bytea, p_lifetime interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.add_sign_in_link(p_subject text, p_sha256 bytea, p_lifetime interval) TO service_role;
REVOKE ALL ON FUNCTION ops.advance_backfills(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.advance_backfills(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.allow_secret(p_project_id uuid, p_reference text, p_envs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.allow_secret(p_project_id uuid, p_reference text, p_envs text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.bi_wish_granted(p_project_id uuid, p_env text, p_asked_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.bi_wish_granted(p_project_id uuid, p_env text, p_asked_at timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION ops.bi_wish_refused(p_project_id uuid, p_env text, p_asked_at timestamp with time zone, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.bi_wish_refused(p_project_id uuid, p_env text, p_asked_at timestamp with time zone, p_error text) TO service_role;
REVOKE ALL ON FUNCTION ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) TO service_role;
REVOKE ALL ON FUNCTION ops.cancel_backfill(p_backfill_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.cancel_backfill(p_backfill_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION ops.cancel_backfill(p_backfill_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION ops.cancel_run(p_run_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.cancel_run(p_run_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION ops.cancel_run(p_run_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION ops.cap_allow(p_cap_key text, p_amount numeric, p_org text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.cap_allow(p_cap_key text, p_amount numeric, p_org text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.cap_allow(p_cap_key text, p_amount numeric, p_org text) TO service_role;
REVOKE ALL ON FUNCTION ops.cap_report() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.cap_report() TO authenticated;
GRANT ALL ON FUNCTION ops.cap_report() TO service_role;
REVOKE ALL ON FUNCTION ops.check_freshness() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.check_freshness() TO service_role;
REVOKE ALL ON FUNCTION ops.check_results(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.check_results(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.check_results(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.claim_messages(p_lease_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claim_messages(p_lease_seconds double precision) TO service_role;
REVOKE ALL ON FUNCTION ops.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.claim_run(p_executor_id uuid, p_capabilities text[], p_lease_seconds double precision, p_max_runs integer, p_dedicated boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.compute_run_score(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.compute_run_score(p_run_id uuid) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.compute_run_score(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.create_access_token(p_name text, p_role text, p_project_id uuid, p_envs text[], p_lifetime interval, p_subject text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.create_access_token(p_name text, p_role text, p_project_id uuid, p_envs text[], p_lifetime interval, p_subject text) TO authenticated;
GRANT ALL ON FUNCTION ops.create_access_token(p_name text, p_role text, p_project_id uuid, p_envs text[], p_lifetime interval, p_subject text) TO service_role;
REVOKE ALL ON FUNCTION ops.create_org(p_org text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.create_org(p_org text) TO service_role;
REVOKE ALL ON FUNCTION ops.create_project(p_org text, p_project text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.create_project(p_org text, p_project text) TO authenticated;
GRANT ALL ON FUNCTION ops.create_project(p_org text, p_project text) TO service_role;
REVOKE ALL ON FUNCTION ops.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.create_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.create_webhook_secret(p_schedule_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.create_webhook_secret(p_schedule_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.create_webhook_secret(p_schedule_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.decide_clocks(p_decisions jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.decide_clocks(p_decisions jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.decide_events(p_schedule_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.decide_events(p_schedule_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.disable_account(p_subject text, p_disabled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.disable_account(p_subject text, p_disabled boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.disallow_secret(p_project_id uuid, p_reference text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.disallow_secret(p_project_id uuid, p_reference text) TO service_role;
REVOKE ALL ON FUNCTION ops.drain_executor(p_executor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.drain_executor(p_executor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.drain_executor(p_executor_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.due_bi_wishes(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.due_bi_wishes(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.due_lineage(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.due_lineage(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.due_schedules(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.due_schedules(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.end_silence(p_silence_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.end_silence(p_silence_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.end_silence(p_silence_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.enroll_lineage() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.enroll_lineage() TO service_role;
REVOKE ALL ON FUNCTION ops.ensure_event_partitions() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.ensure_event_partitions() TO service_role;
REVOKE ALL ON FUNCTION ops.ensure_project(p_org text, p_project text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.ensure_project(p_org text, p_project text) TO service_role;
REVOKE ALL ON FUNCTION ops.escalate_alerts() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.escalate_alerts() TO service_role;
REVOKE ALL ON FUNCTION ops.executor_seen(p_executor_id uuid, p_state text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.executor_seen(p_executor_id uuid, p_state text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.executor_seen(p_executor_id uuid, p_state text) TO service_role;
REVOKE ALL ON FUNCTION ops.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.fail_run(p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb, p_retryable boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.find_queries(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.find_runs(p_filter jsonb, p_limit integer, p_before_at timestamp with time zone, p_before_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.finish_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.fire_schedule(p_schedule_id uuid, p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.fire_schedule(p_schedule_id uuid, p_key text) TO authenticated;
GRANT ALL ON FUNCTION ops.fire_schedule(p_schedule_id uuid, p_key text) TO service_role;
REVOKE ALL ON FUNCTION ops.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.heartbeat_run(p_run_id uuid, p_lease_token bigint, p_phase text, p_progress jsonb, p_usage jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.heartbeat_runs(p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds double precision, p_usage jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.hold_run(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.hold_run(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.hold_run(p_run_id uuid, p_lease_token bigint) TO service_role;
REVOKE ALL ON FUNCTION ops.is_draining(p_executor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.is_draining(p_executor_id uuid) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.is_draining(p_executor_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.judge_standing() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.judge_standing() TO service_role;
REVOKE ALL ON FUNCTION ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) TO service_role;
REVOKE ALL ON FUNCTION ops.lineage_refused(p_run_id uuid, p_error text, p_later boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.lineage_refused(p_run_id uuid, p_error text, p_later boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.lineage_told(p_run_id uuid, p_seq bigint, p_done boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.lineage_told(p_run_id uuid, p_seq bigint, p_done boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.link_subject(p_sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.link_subject(p_sha256 bytea) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.list_accounts() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_accounts() TO service_role;
REVOKE ALL ON FUNCTION ops.login_holds(p_sha256 bytea, p_subject text, p_expires_at timestamp with time zone, p_address text, p_user_agent text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.login_holds(p_sha256 bytea, p_subject text, p_expires_at timestamp with time zone, p_address text, p_user_agent text) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.mark_lost_executors(p_stale_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.mark_lost_executors(p_stale_seconds double precision) TO service_role;
REVOKE ALL ON FUNCTION ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) TO authenticated;
GRANT ALL ON FUNCTION ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.message_delivered(p_batch_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.message_delivered(p_batch_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.message_refused(p_batch_id uuid, p_attempts integer, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.message_refused(p_batch_id uuid, p_attempts integer, p_error text) TO service_role;
REVOKE ALL ON FUNCTION ops.metrics(p_queue integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.metrics(p_queue integer) TO service_role;
REVOKE ALL ON FUNCTION ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.note_column(p_dataset_id uuid, p_column text, p_description text, p_tags text[], p_pii text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.note_column(p_dataset_id uuid, p_column text, p_description text, p_tags text[], p_pii text) TO authenticated;
GRANT ALL ON FUNCTION ops.note_column(p_dataset_id uuid, p_column text, p_description text, p_tags text[], p_pii text) TO service_role;
REVOKE ALL ON FUNCTION ops.note_dataset(p_dataset_id uuid, p_description text, p_owners text[], p_tags text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.note_dataset(p_dataset_id uuid, p_description text, p_owners text[], p_tags text[]) TO authenticated;
GRANT ALL ON FUNCTION ops.note_dataset(p_dataset_id uuid, p_description text, p_owners text[], p_tags text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.note_rollback(p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.note_rollback(p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text) TO authenticated;
GRANT ALL ON FUNCTION ops.note_rollback(p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text) TO service_role;
REVOKE ALL ON FUNCTION ops.pause_backfill(p_backfill_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.pause_backfill(p_backfill_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION ops.pause_backfill(p_backfill_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION ops.pause_schedule(p_schedule_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.pause_schedule(p_schedule_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION ops.pause_schedule(p_schedule_id uuid, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION ops.pending_schedules(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.pending_schedules(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) TO authenticated;
GRANT ALL ON FUNCTION ops.preview_rerun(p_run_id uuid, p_way text, p_from_phase text) TO service_role;
REVOKE ALL ON FUNCTION ops.probes_due(p_hour integer, p_probed text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.probes_due(p_hour integer, p_probed text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.promote_pipeline(p_project_id uuid, p_pipeline text, p_version integer, p_env text, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.promote_pipeline(p_project_id uuid, p_pipeline text, p_version integer, p_env text, p_note text) TO authenticated;
GRANT ALL ON FUNCTION ops.promote_pipeline(p_project_id uuid, p_pipeline text, p_version integer, p_env text, p_note text) TO service_role;
REVOKE ALL ON FUNCTION ops.prune(p_keep interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.prune(p_keep interval) TO service_role;
REVOKE ALL ON FUNCTION ops.prune_ticks(p_keep interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.prune_ticks(p_keep interval) TO service_role;
REVOKE ALL ON FUNCTION ops.put_alert_rule(p_project_id uuid, p_name text, p_rule jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.put_alert_rule(p_project_id uuid, p_name text, p_rule jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.put_alert_rule(p_project_id uuid, p_name text, p_rule jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.put_channel(p_name text, p_secret text, p_owner text, p_description text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.put_channel(p_name text, p_secret text, p_owner text, p_description text) TO authenticated;
GRANT ALL ON FUNCTION ops.put_channel(p_name text, p_secret text, p_owner text, p_description text) TO service_role;
REVOKE ALL ON FUNCTION ops.put_freshness_rule(p_project_id uuid, p_env text, p_dataset text, p_warn_seconds double precision, p_error_seconds double precision, p_event_column text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.put_freshness_rule(p_project_id uuid, p_env text, p_dataset text, p_warn_seconds double precision, p_error_seconds double precision, p_event_column text) TO authenticated;
GRANT ALL ON FUNCTION ops.put_freshness_rule(p_project_id uuid, p_env text, p_dataset text, p_warn_seconds double precision, p_error_seconds double precision, p_event_column text) TO service_role;
REVOKE ALL ON FUNCTION ops.put_route(p_area text, p_row jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.put_route(p_area text, p_row jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.put_route(p_area text, p_row jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.receive_webhook(p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.receive_webhook(p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.record_dataset(p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.record_event_time(p_version_id uuid, p_event_time timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_event_time(p_version_id uuid, p_event_time timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION ops.record_evidence(p_capability text, p_probe text, p_ok boolean, p_evidence jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_evidence(p_capability text, p_probe text, p_ok boolean, p_evidence jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.record_signal(p_run_id uuid, p_lease_token bigint, p_key text, p_value double precision, p_data jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.register_artifact(p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint, p_content_type text, p_uri text, p_meta jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.register_executor(p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots integer, p_host text, p_version text) TO service_role;
REVOKE ALL ON FUNCTION ops.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) TO authenticated;
GRANT ALL ON FUNCTION ops.register_pipeline(p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) TO service_role;
REVOKE ALL ON FUNCTION ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) TO service_role;
REVOKE ALL ON FUNCTION ops.release_run(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.release_run(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.release_run(p_run_id uuid, p_lease_token bigint) TO service_role;
REVOKE ALL ON FUNCTION ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_alert_rule(p_project_id uuid, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_alert_rule(p_project_id uuid, p_name text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_alert_rule(p_project_id uuid, p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_cap(p_org text, p_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_cap(p_org text, p_key text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_cap(p_org text, p_key text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_channel(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_channel(p_name text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_channel(p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_member(p_org text, p_project text, p_subject text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_member(p_org text, p_project text, p_subject text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_member(p_org text, p_project text, p_subject text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_pool(p_org text, p_project text, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_pool(p_org text, p_project text, p_name text) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_pool(p_org text, p_project text, p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.remove_schedule(p_schedule_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.remove_schedule(p_schedule_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.remove_schedule(p_schedule_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.replay_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.replay_run(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.replay_run(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.requeue_stale_runs(p_stale_minutes double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.requeue_stale_runs(p_stale_minutes double precision) TO service_role;
REVOKE ALL ON FUNCTION ops.resume_backfill(p_backfill_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.resume_backfill(p_backfill_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.resume_backfill(p_backfill_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean) TO authenticated;
GRANT ALL ON FUNCTION ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) TO authenticated;
GRANT ALL ON FUNCTION ops.retry_run(p_run_id uuid, p_from_phase text, p_latest boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.revoke_access_token(p_name text, p_subject text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.revoke_access_token(p_name text, p_subject text) TO authenticated;
GRANT ALL ON FUNCTION ops.revoke_access_token(p_name text, p_subject text) TO service_role;
REVOKE ALL ON FUNCTION ops.revoke_lease(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.revoke_lease(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.revoke_lease(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.roll_back_refresh(p_refresh_id uuid, p_later boolean, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.roll_back_refresh(p_refresh_id uuid, p_later boolean, p_note text) TO authenticated;
GRANT ALL ON FUNCTION ops.roll_back_refresh(p_refresh_id uuid, p_later boolean, p_note text) TO service_role;
REVOKE ALL ON FUNCTION ops.run_secrets(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.run_secrets(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.run_secrets(p_run_id uuid, p_lease_token bigint) TO service_role;
REVOKE ALL ON FUNCTION ops.run_traceparent(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.run_traceparent(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.run_traceparent(p_run_id uuid, p_lease_token bigint) TO service_role;
REVOKE ALL ON FUNCTION ops.save_answer(p_run_id uuid, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.save_answer(p_run_id uuid, p_name text) TO authenticated;
GRANT ALL ON FUNCTION ops.save_answer(p_run_id uuid, p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.score_ended_runs(p_limit integer, p_within interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.score_ended_runs(p_limit integer, p_within interval) TO service_role;
REVOKE ALL ON FUNCTION ops.session_subject(p_sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.session_subject(p_sha256 bytea) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.set_cap(p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_cap(p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text) TO authenticated;
GRANT ALL ON FUNCTION ops.set_cap(p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text) TO service_role;
REVOKE ALL ON FUNCTION ops.set_member(p_org text, p_project text, p_subject text, p_role text, p_envs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_member(p_org text, p_project text, p_subject text, p_role text, p_envs text[]) TO authenticated;
GRANT ALL ON FUNCTION ops.set_member(p_org text, p_project text, p_subject text, p_role text, p_envs text[]) TO service_role;
REVOKE ALL ON FUNCTION ops.set_password(p_subject text, p_salt bytea, p_cost integer[], p_proof bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_password(p_subject text, p_salt bytea, p_cost integer[], p_proof bytea) TO service_role;
REVOKE ALL ON FUNCTION ops.set_pool(p_org text, p_project text, p_name text, p_slots integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_pool(p_org text, p_project text, p_name text, p_slots integer) TO authenticated;
GRANT ALL ON FUNCTION ops.set_pool(p_org text, p_project text, p_name text, p_slots integer) TO service_role;
REVOKE ALL ON FUNCTION ops.set_price(p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_price(p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION ops.set_price(p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamp with time zone) TO service_role;
REVOKE ALL ON FUNCTION ops.set_score_gate(p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_score_gate(p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric) TO authenticated;
GRANT ALL ON FUNCTION ops.set_score_gate(p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric) TO service_role;
REVOKE ALL ON FUNCTION ops.set_signal_weight(p_signal text, p_weight double precision, p_half_at double precision, p_free_until double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_signal_weight(p_signal text, p_weight double precision, p_half_at double precision, p_free_until double precision) TO authenticated;
GRANT ALL ON FUNCTION ops.set_signal_weight(p_signal text, p_weight double precision, p_half_at double precision, p_free_until double precision) TO service_role;
REVOKE ALL ON FUNCTION ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.shared_dataset(p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.sign_in(p_subject text, p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.sign_in(p_subject text, p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.sign_in_challenge(p_subject text, p_address text, p_cost integer[], OUT salt bytea, OUT cost integer[], OUT wait_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.sign_in_challenge(p_subject text, p_address text, p_cost integer[], OUT salt bytea, OUT cost integer[], OUT wait_seconds integer) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.sign_out(p_sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.sign_out(p_sha256 bytea) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.silence_alerts(p_project_id uuid, p_kind text, p_ends_at timestamp with time zone, p_reason text, p_starts_at timestamp with time zone, p_env text, p_rule text, p_group_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.silence_alerts(p_project_id uuid, p_kind text, p_ends_at timestamp with time zone, p_reason text, p_starts_at timestamp with time zone, p_env text, p_rule text, p_group_key text) TO authenticated;
GRANT ALL ON FUNCTION ops.silence_alerts(p_project_id uuid, p_kind text, p_ends_at timestamp with time zone, p_reason text, p_starts_at timestamp with time zone, p_env text, p_rule text, p_group_key text) TO service_role;
REVOKE ALL ON FUNCTION ops.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) TO authenticated;
GRANT ALL ON FUNCTION ops.start_backfill(p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text, p_dry_run boolean) TO service_role;
REVOKE ALL ON FUNCTION ops.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.start_phase(p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.start_refresh(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_max_attempts integer, p_timeout_seconds double precision, p_tolerance jsonb, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.start_refresh(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_max_attempts integer, p_timeout_seconds double precision, p_tolerance jsonb, p_note text) TO authenticated;
GRANT ALL ON FUNCTION ops.start_refresh(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_max_attempts integer, p_timeout_seconds double precision, p_tolerance jsonb, p_note text) TO service_role;
REVOKE ALL ON FUNCTION ops.start_run(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.start_run(p_run_id uuid, p_lease_token bigint) TO controlroom_executor;
GRANT ALL ON FUNCTION ops.start_run(p_run_id uuid, p_lease_token bigint) TO service_role;
REVOKE ALL ON FUNCTION ops.steward_round() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.steward_round() TO service_role;
REVOKE ALL ON FUNCTION ops.steward_seen() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.steward_seen() TO authenticated;
GRANT ALL ON FUNCTION ops.steward_seen() TO service_role;
REVOKE ALL ON FUNCTION ops.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION ops.submit_query(p_org text, p_project text, p_env text, p_sql text, p_params jsonb, p_engine text, p_idempotency_key text) TO service_role;
REVOKE ALL ON FUNCTION ops.swap_refresh(p_refresh_id uuid, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.swap_refresh(p_refresh_id uuid, p_note text) TO authenticated;
GRANT ALL ON FUNCTION ops.swap_refresh(p_refresh_id uuid, p_note text) TO service_role;
REVOKE ALL ON FUNCTION ops.test_channel(p_project_id uuid, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.test_channel(p_project_id uuid, p_name text) TO authenticated;
GRANT ALL ON FUNCTION ops.test_channel(p_project_id uuid, p_name text) TO service_role;
REVOKE ALL ON FUNCTION ops.unread_clocks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.unread_clocks(p_limit integer) TO service_role;
REVOKE ALL ON FUNCTION ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.use_access_token() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.use_access_token() TO authenticated;
GRANT ALL ON FUNCTION ops.use_access_token() TO service_role;
REVOKE ALL ON FUNCTION ops.use_sign_in_link(p_sha256 bytea, p_salt bytea, p_cost integer[], p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.use_sign_in_link(p_sha256 bytea, p_salt bytea, p_cost integer[], p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text) TO controlroom_login;
REVOKE ALL ON FUNCTION ops.verify_event_chain(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.verify_event_chain(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.verify_event_chain(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION ops.what_if_score(p_run_id uuid, p_weights jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.what_if_score(p_run_id uuid, p_weights jsonb) TO authenticated;
GRANT ALL ON FUNCTION ops.what_if_score(p_run_id uuid, p_weights jsonb) TO service_role;
REVOKE ALL ON FUNCTION ops.why_waiting(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.why_waiting(p_run_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.why_waiting(p_run_id uuid) TO service_role;
REVOKE ALL ON FUNCTION private.add_column_map(p_dataset_id uuid, p_project_id uuid, p_sha256 bytea, p_said jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.add_default_rules(p_project_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.added(p_one bigint[], p_other bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.new_id() FROM PUBLIC;
GRANT ALL ON FUNCTION private.new_id() TO service_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.backfills TO service_role;
GRANT SELECT ON TABLE ops.backfills TO authenticated;
REVOKE ALL ON FUNCTION private.advance_backfill(p_backfill ops.backfills) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.anomaly(p_value double precision, p_at timestamp with time zone, p_values double precision[], p_times timestamp with time zone[], p_floor double precision, p_counts boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.appends(p_spec jsonb, p_phase text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit(p_org_id uuid, p_project_id uuid, p_action text, p_target text, p_before jsonb, p_after jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit_account(p_subject text, p_action text, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit_refresh(p_refresh_id uuid, p_act text, p_note text, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit_run(p_project_id uuid, p_action text, p_run_id uuid, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.audit_table(p_table text, VARIADIC p_left_out text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.backfill_defaults(p_definition jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.backfill_estimate(p_project_id uuid, p_env text, p_pipeline text, p_chunks integer, p_partitions integer, p_parallel integer) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.alert_rules TO service_role;
GRANT SELECT ON TABLE ops.alert_rules TO authenticated;
REVOKE ALL ON FUNCTION private.blank_rule(p_project_id uuid, p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.bound_transaction() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.presented_traceparent() FROM PUBLIC;
GRANT ALL ON FUNCTION private.presented_traceparent() TO service_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.runs TO service_role;
GRANT SELECT ON TABLE ops.runs TO authenticated;
REVOKE ALL ON FUNCTION private.breached_before(p_rule ops.alert_rules, p_run ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.breaches(p_value double precision, p_comparison text, p_threshold double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.bucketed(p_seconds double precision[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.built_by(p_refresh_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.caller_role() FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.caps TO service_role;
GRANT SELECT ON TABLE ops.caps TO authenticated;
REVOKE ALL ON FUNCTION private.cap_used(p_cap ops.caps, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.caps_on(p_project_id uuid, p_pipeline text) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.schedules TO service_role;
GRANT SELECT ON TABLE ops.schedules TO authenticated;
REVOKE ALL ON FUNCTION private.change_schedule(p_old ops.schedules, p_new ops.schedules) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.change_words(p_seen double precision, p_usual double precision, p_less text, p_more text) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.routing_matrix TO service_role;
GRANT SELECT ON TABLE ops.routing_matrix TO authenticated;
REVOKE ALL ON FUNCTION private.channels_of(p_route ops.routing_matrix, p_level integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.charge_leases(p_run_ids uuid[], p_lease_tokens bigint[], p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.charge_metered_caps(p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.charge_usage(p_reports jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.check_freshness(p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.check_query_filter(p_filter jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.check_run_filter(p_filter jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.chunk_params(p_spec jsonb, p_partition jsonb, p_params jsonb, p_first text, p_until text) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.backfill_chunks TO service_role;
GRANT SELECT ON TABLE ops.backfill_chunks TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.pipelines TO service_role;
GRANT SELECT ON TABLE ops.pipelines TO authenticated;
REVOKE ALL ON FUNCTION private.chunk_run(p_backfill ops.backfills, p_pipeline ops.pipelines, p_chunk ops.backfill_chunks) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.claim_under_limits(p_capabilities text[], p_max_runs integer, p_dedicated boolean, p_now timestamp with time zone, p_open uuid[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.cost_of(p_org_id uuid, p_cpu_seconds numeric, p_gb_seconds numeric, p_read_bytes numeric, p_written_bytes numeric, OUT cost numeric, OUT currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.count_cap_usage() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.count_ended_runs() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.count_in_window(p_cap_id uuid, p_at timestamp with time zone, p_amount numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.cpu_seconds(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.create_scheduled_run(p_schedule ops.schedules, p_key text, p_tick timestamp with time zone, p_data jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.cut_into_chunks(p_partition jsonb, p_definition jsonb, p_size integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.database_health() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.dataset_clock(p_project_id uuid, p_env text, p_dataset text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.decide_cron(p_schedule_id uuid, p_revision integer, p_expected timestamp with time zone, p_ticks timestamp with time zone[], p_next timestamp with time zone, p_now timestamp with time zone, p_before timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.decide_pending(p_schedule_id uuid, p_now timestamp with time zone) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.refreshes TO service_role;
GRANT SELECT ON TABLE ops.refreshes TO authenticated;
REVOKE ALL ON FUNCTION private.decided_refresh(p_refresh_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.due_schedules(p_limit integer, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.duration_bounds() FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.datasets TO service_role;
GRANT SELECT ON TABLE ops.datasets TO authenticated;
REVOKE ALL ON FUNCTION private.edited_dataset(p_dataset_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.emit(p_run_id uuid, p_type text, p_phase text, p_message text, p_data jsonb, p_level text, p_event_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.emit_unowned(p_run_id uuid, p_type text, p_message text, p_data jsonb, p_level text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.end_lease(p_run_id uuid, p_type text, p_message text, p_data jsonb, p_level text, OUT seq bigint, OUT hash bytea, OUT phase text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.end_run(p_run_id uuid, p_status text, p_type text, p_message text, p_data jsonb, p_level text, p_error_code text, p_error_message text, p_error_data jsonb, p_output_manifest jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.end_sign_ins(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.ended_run(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.env_of_act(p_action text, p_target text, p_row jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.escalate(p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.escalation_wait(p_route ops.routing_matrix, p_level integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.event_hash(p_previous bytea, p_run_id uuid, p_seq bigint, p_ts timestamp with time zone, p_type text, p_phase text, p_level text, p_message text, p_data jsonb, p_lease_token bigint, p_event_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.expose(p_name text, p_comment text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.find_project(p_org text, p_project text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.fire_tick(p_schedule ops.schedules, p_key text, p_tick timestamp with time zone, p_data jsonb, INOUT open_runs uuid[], OUT outcome text, OUT reason text, OUT run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.history_of(p_dataset_id uuid, p_version bigint, p_at timestamp with time zone, p_mode text, OUT rows double precision[], OUT lags double precision[], OUT times timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.hmac_sha256(p_key bytea, p_message bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.hold_outputs(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.hold_pools_anew(p_org_id uuid, p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.http_errors() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.insert_run(p_project_id uuid, p_env text, p_pipeline text, p_version integer, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_held_back(p_project_id uuid, p_pipeline text, p_pools jsonb, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_installation_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_installation_admin() TO authenticated;
GRANT ALL ON FUNCTION private.is_installation_admin() TO service_role;
REVOKE ALL ON FUNCTION private.is_leased(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_metered() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_own_query(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_refresh(p_run ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_time(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_trusted() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.is_usual(p_run ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.jitter(p_schedule_id uuid, p_tick timestamp with time zone, p_seconds double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.judge_run(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.judge_ticks(p_schedule ops.schedules, p_now timestamp with time zone, p_ticks timestamp with time zone[]) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.memberships TO service_role;
GRANT SELECT ON TABLE ops.memberships TO authenticated;
REVOKE ALL ON FUNCTION private.keep_an_admin(p_old ops.memberships) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.keep_answer(p_run_id uuid, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.keep_worst(p_run_id uuid, p_project_id uuid, p_signal text, p_value double precision, p_data jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.know_event_time(p_version_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.lacks_executor(p_run ops.runs, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.lease_lost(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.let_people_read(p_table text, p_condition text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.limited_scope(p_org text, p_project text, OUT org_id uuid, OUT project_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.limits_lock(p_org_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.lock_account(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.lock_limits(p_org_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.lock_suspicion(p_project_id uuid, p_env text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.make_append_only(p_table text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.make_backfill(p_project_id uuid, p_env text, p_new ops.backfills, p_pipeline ops.pipelines, p_chunks jsonb, p_idempotency_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.make_rerun(p_old ops.runs, p_way text, p_from text, p_trigger text, p_key text, p_available_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.measured(p_usage jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.min_score(p_project_id uuid, p_pipeline text, p_env text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.moved(p_result jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.my_backfill(p_backfill_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.my_dataset(p_dataset_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.my_hidden_envs() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_hidden_envs() TO authenticated;
GRANT ALL ON FUNCTION private.my_hidden_envs() TO service_role;
REVOKE ALL ON FUNCTION private.my_memberships() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_memberships() TO authenticated;
GRANT ALL ON FUNCTION private.my_memberships() TO service_role;
REVOKE ALL ON FUNCTION private.my_orgs(p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_orgs(p_role text) TO authenticated;
GRANT ALL ON FUNCTION private.my_orgs(p_role text) TO service_role;
REVOKE ALL ON FUNCTION private.my_projects(p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_projects(p_role text) TO authenticated;
GRANT ALL ON FUNCTION private.my_projects(p_role text) TO service_role;
REVOKE ALL ON FUNCTION private.my_schedule(p_schedule_id uuid, p_role text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.my_scopes(p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_scopes(p_role text) TO authenticated;
GRANT ALL ON FUNCTION private.my_scopes(p_role text) TO service_role;
REVOKE ALL ON FUNCTION private.my_shared_datasets() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_shared_datasets() TO authenticated;
GRANT ALL ON FUNCTION private.my_shared_datasets() TO service_role;
REVOKE ALL ON FUNCTION private.name_sha256(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.needed_capabilities(p_spec jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.needed_pools(p_spec jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.next_turn(p_project_id uuid, p_priority integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.no_such_version(p_name text, p_dataset ops.datasets, p_project_id uuid, p_env text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.note_release() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.note_skipped(p_schedule ops.schedules, p_from timestamp with time zone, p_through timestamp with time zone, p_ticks integer, p_reason text, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.note_stale(p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.note_success() FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.alerts TO service_role;
GRANT SELECT ON TABLE ops.alerts TO authenticated;
REVOKE ALL ON FUNCTION private.notify_of(p_alert ops.alerts, p_rule ops.alert_rules, p_kind text, p_level integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.null_anomalies(p_dataset_id uuid, p_version bigint, p_mode text, p_nulls jsonb, p_rows double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.open_alert(p_rule ops.alert_rules, p_env text, p_group text, p_source uuid, p_value double precision, p_run_id uuid, p_seen_at timestamp with time zone, p_said text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.open_runs(p_schedule ops.schedules) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.open_session(p_sha256 bytea, p_subject text, p_lifetime interval, p_address text, p_user_agent text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.origin() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.outline(p_phases jsonb) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.run_leases TO service_role;
GRANT SELECT ON TABLE ops.run_leases TO authenticated;
REVOKE ALL ON FUNCTION private.owned(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.param_defaults(p_spec jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.partition_starts(p_step text, p_from date, p_to date, p_values jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.partition_value(p_param jsonb, p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.period_end(p_period text, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.period_start(p_period text, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.phases_json(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.pipeline_version(p_project_id uuid, p_env text, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.planned_rerun(p_old ops.runs, p_way text, p_from text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.pool_used(p_pool_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.pools_for(p_project_id uuid, p_needs jsonb) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.access_tokens TO service_role;
GRANT SELECT ON TABLE ops.access_tokens TO authenticated;
REVOKE ALL ON FUNCTION private.presented_token() FROM PUBLIC;
GRANT ALL ON FUNCTION private.presented_token() TO authenticated;
GRANT ALL ON FUNCTION private.presented_token() TO service_role;
REVOKE ALL ON FUNCTION private.probes_due(p_hour integer, p_now timestamp with time zone, p_probed text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.project_slug(p_project_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.projects_asked_for(p_filter jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.promoted_version(p_project_id uuid, p_pipeline text, p_env text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.protect_table(p_table text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.query_conditions(p_filter jsonb, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.query_spec(p_sql text, p_engine text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.queue_groups() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.queue_run(p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority integer, p_trigger text, p_max_attempts integer, p_timeout_seconds double precision, p_available_at timestamp with time zone, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb, p_repeat boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.raise_error(p_sqlstate text, p_message text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) TO authenticated;
GRANT ALL ON FUNCTION private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) TO service_role;
GRANT ALL ON FUNCTION private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) TO controlroom_executor;
REVOKE ALL ON FUNCTION private.receive_webhook(p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.record_column_lineage(p_run_id uuid, p_result jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.record_cost_signal(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.record_data_signals(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.record_pipeline_signals(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.refresh_of(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.refuse_older(p_old ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.refuse_schedule_circle(p_schedule ops.schedules) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.refuse_terminal_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.release_datasets(p_run_id uuid) FROM PUBLIC;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.dataset_versions TO service_role;
GRANT SELECT ON TABLE ops.dataset_versions TO authenticated;
REVOKE ALL ON FUNCTION private.released_at(p_version ops.dataset_versions) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.requeue_run(p_run_id uuid, p_message text, p_data jsonb, p_available_at timestamp with time zone, p_attempts_back integer, p_leases_lost integer, p_error_code text, p_error_message text, p_error_data jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require(p_value text, p_field text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_admin(p_org_id uuid, p_project_id uuid, p_envs text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_backfillable(p_pipeline ops.pipelines, p_definition jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_envs(p_envs text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_fresh_look() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_installation_admin() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_lease(p_run_id uuid, p_lease_token bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_metered_caps(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_own_word(p_spec jsonb, p_phases jsonb, p_priority integer, p_max_attempts integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_patience(p_subject text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_promoted(p_project_id uuid, p_env text, p_pipeline text, p_version integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_question(p_sql text, p_params jsonb, p_engine text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_role(p_project_id uuid, p_env text, p_role text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_server(p_env text, p_engine text, p_sees_personal boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.require_slug(p_slug text, p_field text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.rerun_definition(p_old ops.runs, p_way text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.rerun_plan(p_old ops.runs, p_spec jsonb, p_phases jsonb, p_way text, p_from text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.resolve_alerts(p_rule_id uuid, p_env text, p_group text, p_source uuid, p_seen_at timestamp with time zone, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.resume(p_schedule_id uuid, p_catch_up boolean, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.role_rank(p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.role_rank(p_role text) TO authenticated;
GRANT ALL ON FUNCTION private.role_rank(p_role text) TO service_role;
REVOKE ALL ON FUNCTION private.route_of(p_rule ops.alert_rules, p_env text, p_group text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.rule_aggregate(p_rule ops.alert_rules, p_run ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.rule_value(p_signal text, p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.run_conditions(p_filter jsonb, p_before_at timestamp with time zone, p_before_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.run_status_conditions(p_filter jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.runs_ahead(p_run ops.runs, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.schedule_defaults(p_definition jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.scheduled_params(p_spec jsonb, p_schedule ops.schedules, p_tick timestamp with time zone, p_given jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.scheduled_version(p_project_id uuid, p_env text, p_pipeline text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.schema_changes(p_dataset_id uuid, p_version bigint, p_columns jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.score_breakdown(p_run_id uuid, p_weights jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.score_gate_open(p_project_id uuid, p_pipeline text, p_env text, p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.score_sentence(p_score numeric, p_breakdown jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.season_words(p_season text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.sees_scope(p_org_id uuid, p_project_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.settle_chunks(p_backfill ops.backfills) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.share_limits() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.signed_in() FROM PUBLIC;
GRANT ALL ON FUNCTION private.signed_in() TO authenticated;
GRANT ALL ON FUNCTION private.signed_in() TO service_role;
REVOKE ALL ON FUNCTION private.silenced(p_alert_id uuid, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.span_words(p_seconds double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.spec_outline(p_spec jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.spread_suspicion(p_dataset_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.steady_anomaly(p_value double precision, p_values double precision[], p_floor double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.stopped_by_cap(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.subject() FROM PUBLIC;
GRANT ALL ON FUNCTION private.subject() TO authenticated;
GRANT ALL ON FUNCTION private.subject() TO service_role;
REVOKE ALL ON FUNCTION private.swap_in(p_refresh_id uuid, p_by text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.swap_within_tolerance(p_run_id uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.take_over_artifacts(p_run_id uuid, p_phase text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.take_run(p_run_id uuid, p_lease_token bigint, p_done text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.throttled_seconds(p_name_sha256 bytea, p_address text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.tick_hindrance(p_schedule ops.schedules, p_open uuid[], p_data jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.used_up(p_project_id uuid, p_pipeline text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.version_named(p_dataset ops.datasets, p_when text) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.waits_for_cap(p_run ops.runs, p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.waits_for_pool(p_run ops.runs) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.watch_new_project() FROM PUBLIC;
REVOKE ALL ON FUNCTION private.webhook_data(p_body bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION private.wish_bi(p_run_id uuid) FROM PUBLIC;
GRANT SELECT ON TABLE api.dataset_versions TO authenticated;
GRANT SELECT ON TABLE api.datasets TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.executors TO service_role;
GRANT SELECT ON TABLE ops.executors TO authenticated;
GRANT SELECT ON TABLE api.executors TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.lineage_edges TO service_role;
GRANT SELECT ON TABLE ops.lineage_edges TO authenticated;
GRANT SELECT ON TABLE api.lineage_edges TO authenticated;
GRANT SELECT ON TABLE api.pipelines TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.orgs TO service_role;
GRANT SELECT ON TABLE ops.orgs TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.projects TO service_role;
GRANT SELECT ON TABLE ops.projects TO authenticated;
GRANT SELECT ON TABLE api.projects TO authenticated;
GRANT SELECT,INSERT ON TABLE ops.run_artifacts TO service_role;
GRANT SELECT ON TABLE ops.run_artifacts TO authenticated;
GRANT SELECT ON TABLE api.run_artifacts TO authenticated;
GRANT SELECT,INSERT ON TABLE ops.run_events TO service_role;
GRANT SELECT ON TABLE ops.run_events TO authenticated;
GRANT SELECT ON TABLE api.run_events TO authenticated;
GRANT SELECT ON TABLE api.run_leases TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.run_phases TO service_role;
GRANT SELECT ON TABLE ops.run_phases TO authenticated;
GRANT SELECT ON TABLE api.run_phases TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.run_scores TO service_role;
GRANT SELECT ON TABLE ops.run_scores TO authenticated;
GRANT SELECT ON TABLE api.run_scores TO authenticated;
GRANT SELECT ON TABLE api.runs TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.signals TO service_role;
GRANT SELECT ON TABLE ops.signals TO authenticated;
GRANT SELECT ON TABLE api.signals TO authenticated;
GRANT SELECT,INSERT ON TABLE ops.audit_log TO service_role;
GRANT SELECT ON TABLE ops.audit_log TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.bi_objects TO service_role;
GRANT SELECT ON TABLE ops.bi_objects TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.bi_wishes TO service_role;
GRANT SELECT ON TABLE ops.bi_wishes TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.cap_usage TO service_role;
GRANT SELECT ON TABLE ops.cap_usage TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.capabilities TO service_role;
GRANT SELECT ON TABLE ops.capabilities TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.channels TO service_role;
GRANT SELECT ON TABLE ops.channels TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.column_edges TO service_role;
GRANT SELECT ON TABLE ops.column_edges TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.column_maps TO service_role;
GRANT SELECT ON TABLE ops.column_maps TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.dataset_columns TO service_role;
GRANT SELECT ON TABLE ops.dataset_columns TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.dataset_notes TO service_role;
GRANT SELECT ON TABLE ops.dataset_notes TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.freshness TO service_role;
GRANT SELECT ON TABLE ops.freshness TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.freshness_breaches TO service_role;
GRANT SELECT ON TABLE ops.freshness_breaches TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.freshness_rules TO service_role;
GRANT SELECT ON TABLE ops.freshness_rules TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.grants TO service_role;
GRANT SELECT ON TABLE ops.grants TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.lineage_sent TO service_role;
GRANT SELECT ON TABLE ops.lineage_sent TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.notifications TO service_role;
GRANT SELECT ON TABLE ops.notifications TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.phase_totals TO service_role;
GRANT SELECT ON TABLE ops.phase_totals TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.phase_usage TO service_role;
GRANT SELECT ON TABLE ops.phase_usage TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.pool_uses TO service_role;
GRANT SELECT ON TABLE ops.pool_uses TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.pools TO service_role;
GRANT SELECT ON TABLE ops.pools TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.prices TO service_role;
GRANT SELECT ON TABLE ops.prices TO authenticated;
GRANT SELECT,INSERT ON TABLE ops.promotions TO service_role;
GRANT SELECT ON TABLE ops.promotions TO authenticated;
GRANT SELECT,INSERT ON TABLE ops.queries TO service_role;
GRANT SELECT ON TABLE ops.queries TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.query_answers TO service_role;
GRANT SELECT ON TABLE ops.query_answers TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.queue_turns TO service_role;
GRANT SELECT ON TABLE ops.queue_turns TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.refresh_tables TO service_role;
GRANT SELECT ON TABLE ops.refresh_tables TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.run_totals TO service_role;
GRANT SELECT ON TABLE ops.run_totals TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.schedule_ticks TO service_role;
GRANT SELECT ON TABLE ops.schedule_ticks TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.score_gates TO service_role;
GRANT SELECT ON TABLE ops.score_gates TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.secret_grants TO service_role;
GRANT SELECT ON TABLE ops.secret_grants TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.signal_weights TO service_role;
GRANT SELECT ON TABLE ops.signal_weights TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ops.silences TO service_role;
GRANT SELECT ON TABLE ops.silences TO authenticated;
