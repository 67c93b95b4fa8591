-- Every call of the ops schema, with named arguments: a reordered signature fails instead of mixing values up.

-- name: ensure_project
select ops.ensure_project(p_org => %(org)s, p_project => %(project)s);

-- name: register_pipeline
select ops.register_pipeline(
    p_project_id => %(project_id)s, p_slug => %(slug)s, p_spec => %(spec)s, p_sha256 => %(sha256)s, p_git_sha => %(git_sha)s
);

-- name: create_run
select ops.create_run(
    p_project_id => %(project_id)s, p_env => %(env)s, p_pipeline => %(pipeline)s,
    p_spec => %(spec)s, p_spec_sha256 => %(spec_sha256)s, p_git_sha => %(git_sha)s,
    p_params => %(params)s, p_phases => %(phases)s, p_idempotency_key => %(idempotency_key)s,
    p_priority => %(priority)s, p_trigger => %(trigger)s, p_max_attempts => %(max_attempts)s,
    p_timeout_seconds => %(timeout_seconds)s, p_available_at => %(available_at)s, p_parent_run => %(parent_run)s,
    p_tags => %(tags)s, p_input_manifest => %(input_manifest)s
);

-- name: register_executor
select ops.register_executor(
    p_executor_id => %(executor_id)s, p_name => %(name)s, p_capabilities => %(capabilities)s::text[], p_labels => %(labels)s,
    p_slots => %(slots)s, p_host => %(host)s, p_version => %(version)s
);

-- name: drain_executor
select ops.drain_executor(p_executor_id => %(executor_id)s);

-- name: is_draining
select ops.is_draining(p_executor_id => %(executor_id)s);

-- name: executor_seen
select ops.executor_seen(p_executor_id => %(executor_id)s, p_state => %(state)s);

-- name: claim_run
select * from ops.claim_run(
    p_executor_id => %(executor_id)s, p_capabilities => %(capabilities)s::text[],
    p_lease_seconds => %(lease_seconds)s, p_max_runs => %(max_runs)s
);

-- name: start_run
select ops.start_run(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);

-- name: heartbeat_run
select * from ops.heartbeat_run(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_phase => %(phase)s, p_progress => %(progress)s,
    p_usage => %(usage)s
);

-- name: heartbeat_runs
select * from ops.heartbeat_runs(
    p_executor_id => %(executor_id)s, p_run_ids => %(run_ids)s::uuid[],
    p_lease_tokens => %(lease_tokens)s::bigint[], p_lease_seconds => %(lease_seconds)s, p_usage => %(usage)s
);

-- name: pin_inputs
select ops.pin_inputs(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_manifest => %(manifest)s);

-- name: start_phase
select ops.start_phase(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_phase => %(phase)s,
    p_input_fingerprint => %(input_fingerprint)s, p_event_id => %(event_id)s
);

-- name: finish_phase
select ops.finish_phase(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_phase => %(phase)s,
    p_status => %(status)s, p_result => %(result)s
);

-- name: append_events
select ops.append_events(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_events => %(events)s);

-- name: register_artifact
select ops.register_artifact(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_phase => %(phase)s, p_name => %(name)s, p_kind => %(kind)s,
    p_sha256 => %(sha256)s, p_byte_size => %(byte_size)s, p_content_type => %(content_type)s, p_uri => %(uri)s,
    p_meta => %(meta)s
);

-- name: hold_run
select ops.hold_run(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);

-- name: record_dataset
select ops.record_dataset(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_phase => %(phase)s, p_dataset => %(dataset)s
);

-- name: complete_run
select ops.complete_run(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_output_manifest => %(output_manifest)s
);

-- name: fail_run
select ops.fail_run(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_error_code => %(error_code)s,
    p_error_message => %(error_message)s, p_error_data => %(error_data)s, p_retryable => %(retryable)s
);

-- name: release_canceled_run
select ops.release_canceled_run(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_reason => %(reason)s);

-- name: release_run
select ops.release_run(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);

-- name: cancel_run
select ops.cancel_run(p_run_id => %(run_id)s, p_reason => %(reason)s);

-- name: retry_run
select ops.retry_run(p_run_id => %(run_id)s, p_from_phase => %(from_phase)s, p_latest => %(latest)s);

-- name: requeue_stale_runs
select ops.requeue_stale_runs(p_stale_minutes => %(stale_minutes)s);

-- name: compute_run_score
select ops.compute_run_score(p_run_id => %(run_id)s);

-- name: cap_allow
select ops.cap_allow(p_cap_key => %(cap_key)s, p_amount => %(amount)s, p_org => %(org)s);

-- name: verify_event_chain
select * from ops.verify_event_chain(p_run_id => %(run_id)s);

-- name: record_signal
select ops.record_signal(
    p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_key => %(key)s, p_value => %(value)s, p_data => %(data)s
);

-- name: shared_dataset
select ops.shared_dataset(
  p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_org => %(org)s, p_project => %(project)s,
  p_layer => %(layer)s, p_name => %(name)s
);

-- name: released_versions
select ops.released_versions(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_tables => %(tables)s);

-- name: build_on
select ops.build_on(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_table => %(table)s);

-- name: run_secrets
select ops.run_secrets(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);
