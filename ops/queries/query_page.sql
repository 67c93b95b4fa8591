-- What the page of SQL asks beside the history. Row-level security decides which rows a caller sees.

-- name: question
select q.run_id, q.project_id, o.slug as org, p.slug as project, q.env, q.sql, q.params, q.engine, q.subject, r.status,
  q.created_at, r.started_at, r.finished_at, h.rows_out as rows, (h.metrics ->> 'cached_from')::uuid as cached_from,
  coalesce((h.metrics ->> 'personal')::boolean, false) as personal, coalesce(h.metrics -> 'masked', '{}') as masked,
  coalesce(r.input_manifest -> 'tables', '{}') as versions, r.error_code, r.error_message, clock_timestamp() as asked_at
from ops.queries q
join ops.runs r on r.id = q.run_id
join ops.projects p on p.id = q.project_id
join ops.orgs o on o.id = p.org_id
left join ops.run_phases h on h.run_id = q.run_id and h.name = 'query'
where q.run_id = %(run_id)s;

-- name: lake_tables
-- By layer in the order in which data goes through them, then by name; with the columns that are or may be personal data.
select d.id as dataset_id, d.layer, d.name, d.version, d.total_rows, d.columns, coalesce(c.personal, '{}') as personal
from ops.datasets d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
left join lateral (
  select array_agg(m.name order by m.name) as personal
  from ops.dataset_columns m where m.dataset_id = d.id and m.pii in ('yes', 'suspected')
) as c on true
where o.slug = %(org)s and p.slug = %(project)s and d.env = %(env)s and d.version is not null
order by coalesce(array_position(array['gold', 'silver', 'bronze'], d.layer), 9), d.layer, d.name
limit %(limit)s;

-- name: saved
-- Within the project: the index then ends at the limit.
select a.run_id, a.artifact_id, a.name, a.sha256, a.byte_size, a.created_at, a.saved_by
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
    select run_id, id as artifact_id, name, sha256, byte_size, created_at, meta ->> 'saved_by' as saved_by
    from ops.run_artifacts
    where project_id = p.id and kind = 'saved'
    order by created_at desc, id desc
    limit %(limit)s
) a
where o.slug = %(org)s and p.slug = %(project)s
order by a.created_at desc, a.artifact_id desc;

-- name: save_answer
select ops.save_answer(p_run_id => %(run_id)s, p_name => %(name)s);
