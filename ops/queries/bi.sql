-- What stands in Superset. Row-level security decides which rows a caller sees.

-- name: bi_objects
select b.kind, b.name, b.superset_uuid, b.superset_id, b.digest, b.dataset_id, b.run_id, b.version, b.fingerprint,
  b.certified_at, b.published_at
from ops.bi_objects b
where b.project_id = %(project_id)s and b.env = %(env)s
order by b.kind, b.name;

-- name: record_bi_objects
select ops.record_bi_objects(p_project_id => %(project_id)s, p_env => %(env)s, p_objects => %(objects)s);

-- name: note_rollback
select ops.note_rollback(
  p_project_id => %(project_id)s, p_env => %(env)s, p_table => %(table)s, p_before => %(before)s, p_after => %(after)s,
  p_note => %(note)s
);

-- name: phase_verdicts
-- Of the run that made a version: its validate phases, and whether all their checks held, those that only warn included.
select p.name, p.status = 'succeeded' and coalesce((p.metrics ->> 'failed_checks')::int, 0) = 0 as passed
from ops.run_phases p
where p.run_id = %(run_id)s and p.kind = 'validate'
order by p.ordinal;

-- name: due_bi_wishes
select project_id, org, project, env, run_id, asked_at from ops.due_bi_wishes();

-- name: bi_wish_granted
select ops.bi_wish_granted(p_project_id => %(project_id)s, p_env => %(env)s, p_asked_at => %(asked_at)s);

-- name: bi_wish_refused
select ops.bi_wish_refused(
  p_project_id => %(project_id)s, p_env => %(env)s, p_asked_at => %(asked_at)s, p_error => %(error)s
);

-- name: waiting_bi_wishes
select w.project_id, o.slug as org, p.slug as project, w.env, w.run_id, w.asked_at, w.tries, w.error
from ops.bi_wishes w
join ops.projects p on p.id = w.project_id
join ops.orgs o on o.id = p.org_id
order by w.asked_at;
