-- What people read over HTTP. Each view asks as its caller, so that the policies of the tables below decide; columns are named,
-- so that a column of a table is shown because someone meant it. Dropped first: a view's columns cannot be replaced by fewer.

drop view if exists api.projects, api.executors, api.runs, api.run_leases, api.run_phases, api.run_events, api.run_artifacts,
  api.run_scores, api.signals, api.datasets, api.dataset_versions, api.lineage_edges, api.pipelines;

create view api.projects with (security_invoker = true) as
  select p.id, o.slug as org, p.slug as project, p.created_at
  from ops.projects p join ops.orgs o on o.id = p.org_id;

create view api.executors with (security_invoker = true) as
  select id, name, capabilities, labels, slots, version, state, registered_at, last_seen, drain_asked_at from ops.executors;

create view api.pipelines with (security_invoker = true) as
  select id, project_id, slug, version, spec, sha256, git_sha, created_at from ops.pipelines;

create view api.runs with (security_invoker = true) as
  select id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, params, input_manifest,
    output_manifest, status, phase, priority, available_at, capabilities, attempt, max_attempts, lost_leases,
    max_lost_leases, timeout_seconds, idempotency_key, trigger, parent_run, error_code, error_message, error_data, tags,
    executor_id, created_at, claimed_at, started_at, finished_at
  from ops.runs;

-- Without the token: who reads a run must not be able to speak for its owner.
create view api.run_leases with (security_invoker = true) as
  select run_id, project_id, executor_id, lease_seconds, expires_at, cancel_requested, phase, progress
  from ops.run_leases;

create view api.run_phases with (security_invoker = true) as
  select run_id, ordinal, project_id, name, kind, depends_on, status, attempt, started_at, finished_at, rows_in, rows_out,
    byte_size, input_fingerprint, output_fingerprint, metrics, error_code, error_message, error_data
  from ops.run_phases;

create view api.run_events with (security_invoker = true) as
  select run_id, seq, ts, project_id, type, phase, level, message, data, event_id from ops.run_events;

create view api.run_artifacts with (security_invoker = true) as
  select id, run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta, created_at
  from ops.run_artifacts;

create view api.run_scores with (security_invoker = true) as
  select run_id, project_id, score, breakdown, computed_at from ops.run_scores;

create view api.signals with (security_invoker = true) as
  select run_id, signal, project_id, value, data, recorded_at from ops.signals;

create view api.datasets with (security_invoker = true) as
  select id, project_id, env, layer, name, version, columns, fingerprint, total_rows, updated_at from ops.datasets;

create view api.dataset_versions with (security_invoker = true) as
  select id, dataset_id, project_id, version, run_id, phase, mode, rows, total_rows, byte_size, fingerprint, columns, adopted,
    recorded_at
  from ops.dataset_versions;

create view api.lineage_edges with (security_invoker = true) as
  select output_id, project_id, input_table, input_version, input_fingerprint from ops.lineage_edges;

-- To read, and no more: most of these views could be written through.
grant select on all tables in schema api to authenticated;

notify pgrst, 'reload schema';
