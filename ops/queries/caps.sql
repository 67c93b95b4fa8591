-- Caps as people look at them. Row-level security, and ops.cap_report, decide which a caller sees.

-- name: standing
select c.cap_id, c.key, c.org, c.project, c.pipeline, c.org_id, c.project_id, c.unit, c.amount, c.period, c.used, c.began_at,
  c.resets_at as ends_at, c.asked_at
from ops.cap_report() as c
order by c.org, c.project nulls first, c.key;

-- name: waiting
-- Runs that wait in the projects that a cap on runs holds for, the oldest first; of each project at most as many as are shown.
select r.id as run_id, r.pipeline, o.slug || '/' || p.slug || '/' || r.env as "where", r.created_at
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select w.id, w.pipeline, w.env, w.created_at
  from ops.runs w
  where w.project_id = p.id and w.status = 'queued' and (%(pipeline)s::text is null or w.pipeline = %(pipeline)s::text)
  order by w.created_at, w.id
  limit %(limit)s
) as r
where p.org_id = %(org_id)s and (%(project_id)s::uuid is null or p.id = %(project_id)s::uuid)
order by r.created_at, r.id
limit %(limit)s;

-- name: refused
-- Runs that ended because a cap on what they move was used up, since its period began; newest first.
select r.id as run_id, r.pipeline, o.slug || '/' || p.slug || '/' || r.env as "where", r.created_at
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select f.id, f.pipeline, f.env, f.created_at
  from ops.runs f
  where f.project_id = p.id and f.status = 'failed' and f.created_at >= %(since)s
    and (%(pipeline)s::text is null or f.pipeline = %(pipeline)s::text)
    and f.error_code = 'CAP_EXCEEDED' and position(%(key)s in f.error_message) > 0
  order by f.created_at desc, f.id desc
  limit %(limit)s
) as r
where p.org_id = %(org_id)s and (%(project_id)s::uuid is null or p.id = %(project_id)s::uuid)
order by r.created_at desc, r.id desc
limit %(limit)s;
