-- Caps as people look at them. Row-level security, and ops.cap_report, decide which a caller sees.

-- name: standing
-- A full cap on runs waits where one of the next few of a project that it holds for says so (ops.why_waiting).
select c.cap_id, c.key, c.org, c.project, c.pipeline, c.org_id, c.project_id, c.unit, c.amount, c.period, c.used, c.began_at,
  c.resets_at as ends_at, c.asked_at,
  c.unit = 'runs' and c.used + 1 > c.amount and exists (
    select
    from ops.projects p
    cross join lateral (
      select q.id
      from ops.runs q
      -- As in `waiting`, below.
      where q.project_id = p.id and q.status = 'queued' and q.available_at <> greatest(q.available_at, c.asked_at)
        and (c.pipeline is null or q.pipeline = c.pipeline)
      order by q.created_at, q.id
      limit 5
    ) as r
    cross join lateral ops.why_waiting(r.id) as w
    where p.org_id = c.org_id and (c.project_id is null or p.id = c.project_id) and w.reason = 'cap') as waits
from ops.cap_report() as c
order by c.org, c.project nulls first, c.key;

-- name: waiting
-- Runs that a full cap on runs holds up, the oldest first: of those that may begin by now as many as are shown are looked at in
-- each project, and ops.why_waiting says whether a cap is what it is. It names one of several caps that are full; all of them
-- hold the run up.
select r.id as run_id, r.pipeline, o.slug || '/' || p.slug || '/' || r.env as "where", r.created_at
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select q.id, q.pipeline, q.env, q.created_at
  from ops.runs q
  -- Not `available_at <= …`: that is taken for one in three, and then the whole queue is read and sorted for these few.
  where q.project_id = p.id and q.status = 'queued' and q.available_at <> greatest(q.available_at, clock_timestamp())
    and (%(pipeline)s::text is null or q.pipeline = %(pipeline)s::text)
  order by q.created_at, q.id
  limit %(limit)s
) as r
cross join lateral ops.why_waiting(r.id) as w
where p.org_id = %(org_id)s and (%(project_id)s::uuid is null or p.id = %(project_id)s::uuid) and w.reason = 'cap'
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
