-- The executors and what they are at. Row-level security decides which leases a caller sees; executors are everybody's.

-- name: executors
select
    x.id as executor_id, x.name, x.capabilities, x.slots, x.host, x.labels ->> 'ray_node' as ray_node, x.version, x.state, x.registered_at, x.last_seen,
    x.drain_asked_at, clock_timestamp() as asked_at
from ops.executors x
where x.last_seen >= clock_timestamp() - %(within)s::interval
order by x.last_seen desc, x.id
limit %(limit)s;

-- name: leases
-- There is one for each run that is owned now.
select l.executor_id, l.run_id, r.pipeline, o.slug || '/' || p.slug || '/' || r.env as "where",
    coalesce(l.phase, r.phase) as phase, r.started_at, l.expires_at
from ops.run_leases l
join ops.runs r on r.id = l.run_id
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
order by r.created_at, l.run_id
limit %(limit)s;
