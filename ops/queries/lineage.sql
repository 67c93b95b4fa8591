-- What is told of a run to a receiver of lineage, and how far it has been told. Row-level security decides whose runs a caller sees.

-- name: enroll
select ops.enroll_lineage();

-- name: due
select d.run_id, d.seq, d.attempts from ops.due_lineage(p_limit => %(limit)s) as d;

-- name: told
select ops.lineage_told(p_run_id => %(run_id)s, p_seq => %(seq)s, p_done => %(done)s);

-- name: refused
select ops.lineage_refused(p_run_id => %(run_id)s, p_error => %(error)s, p_later => %(later)s);

-- name: run
select
  r.id as run_id, r.project_id, o.slug as org, p.slug as project, r.env, r.pipeline, r.pipeline_version, r.spec, r.spec_sha256,
  r.git_sha, r.trigger, r.attempt, r.input_manifest, r.error_code, r.error_message,
  q.id as parent_run, q.pipeline as parent_pipeline, q.env as parent_env
from ops.runs r
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
left join ops.runs q on q.id = r.parent_run and q.project_id = r.project_id
where r.id = %(run_id)s;

-- name: events
-- Progress and renewals are nothing that a receiver of lineage asks for.
select e.seq, e.ts, e.type, e.phase, e.message, e.data
from ops.run_events e
where e.run_id = %(run_id)s and e.type not in ('PHASE_PROGRESS', 'LEASE_RENEWED')
order by e.seq;

-- name: head
-- The number of the run's last event, and whether it is the last for ever. By the run and not by its events: those are pruned.
select coalesce(l.event_seq, r.event_seq) as seq, r.status in ('succeeded', 'failed', 'canceled') as ended
from ops.runs r
left join ops.run_leases l on l.run_id = r.id
where r.id = %(run_id)s;

-- name: phases
select
  p.name, p.kind, p.attempt, coalesce(p.metrics -> 'checks', p.error_data -> 'checks', '[]') as checks
from ops.run_phases p
where p.run_id = %(run_id)s
order by p.ordinal;

-- name: written
-- By the phases' own answers and not by who committed: a retry answers for what the run before it had written.
select
  n.phase, n."table", n.version, v.mode, v.rows, v.byte_size,
  coalesce(
    (select jsonb_agg(jsonb_build_array(e.input_table, e.input_version) order by e.input_table, e.input_version)
     from ops.lineage_edges e where e.output_id = v.id), '[]') as inputs,
  coalesce(
    (select jsonb_agg(jsonb_build_array(e.output_column, e.input_table, e.input_column, e.kind, e.subtype)
       order by e.output_column, e.input_table, e.input_column, e.subtype)
     from ops.column_edges e where e.map_id = v.column_map_id), '[]') as columns_from
from (
  select p.name as phase, p.ordinal, d.one ->> 'table' as "table", (d.one ->> 'version')::bigint as version
  from ops.run_phases p
  cross join lateral jsonb_array_elements(coalesce(p.result -> 'datasets', '[]')) as d (one)
  where p.run_id = %(run_id)s and p.status = 'succeeded'
) as n
join ops.runs r on r.id = %(run_id)s
join ops.datasets t on t.project_id = r.project_id and t.env = r.env and t.layer || '.' || t.name = n."table"
join ops.dataset_versions v on v.dataset_id = t.id and v.version = n.version
order by n.ordinal, n."table", n.version;

-- name: tables
-- What is known of versions of tables, and what people say of the tables.
select
  w."table", w.version, coalesce(v.columns, d.columns) as columns, coalesce(n.description, '') as description,
  coalesce(n.owners, '{}') as owners, coalesce(n.tags, '{}') as tags,
  coalesce(
    (select jsonb_object_agg(c.name, jsonb_build_object(
       'description', c.description, 'tags', to_jsonb(c.tags), 'pii', c.pii, 'pii_from', c.pii_from))
     from ops.dataset_columns c where c.dataset_id = d.id), '{}') as notes
from unnest(%(tables)s::text[], %(versions)s::bigint[]) as w ("table", version)
join ops.datasets d on d.project_id = %(project_id)s and d.env = %(env)s and d.layer || '.' || d.name = w."table"
left join ops.dataset_versions v on v.dataset_id = d.id and v.version = w.version
left join ops.dataset_notes n on n.dataset_id = d.id;
