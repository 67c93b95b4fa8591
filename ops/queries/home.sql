-- The first page. Row-level security decides which rows a caller sees.

-- name: pipeline_counts
-- By project, because the index is; without people's questions. Ended are those of the runs created since then that ended after %(lately)s.
select o.slug as org, p.slug as project, r.pipeline, r.status, r.runs, r.ended
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select pipeline, status, count(*) as runs, count(*) filter (where finished_at >= %(lately)s) as ended
  from ops.runs
  where project_id = p.id and created_at >= %(since)s and trigger <> 'query'
  group by pipeline, status
) as r;

-- name: failing
-- The last run of each pipeline and environment that failed and was followed by none, since then; the latest first. Of each
-- project the latest two hundred failures are looked at.
select f.id as run_id
from (
  select distinct on (r.project_id, r.pipeline, r.env) r.id, r.project_id, r.pipeline, r.env, r.created_at
  from ops.projects p
  cross join lateral (
    select id, project_id, pipeline, env, created_at
    from ops.runs
    where project_id = p.id and status = 'failed' and created_at >= %(since)s and trigger <> 'query'
    order by created_at desc, id desc
    limit 200) as r
  order by r.project_id, r.pipeline, r.env, r.created_at desc, r.id desc) as f
-- Not "where none exists that is later": that is planned as a join of all runs with each other.
cross join lateral (
  select n.id
  from ops.runs n
  where n.project_id = f.project_id and n.pipeline = f.pipeline and n.env = f.env
  order by n.created_at desc, n.id desc
  limit 1) as last
where last.id = f.id
order by f.created_at desc, f.id desc
limit %(limit)s;

-- name: parts
-- When the parts of the installation were last heard of, as far as the caller may know: tables and dashboards are those that
-- they see.
select current_setting('server_version') as version, clock_timestamp() as asked_at, ops.steward_seen() as steward_at,
  (select max(d.updated_at) from ops.datasets d) as lake_at, (select count(*) from ops.datasets d) as tables,
  (select max(b.published_at) from ops.bi_objects b) as superset_at,
  (select count(*) from ops.bi_objects b where b.kind = 'dashboard') as dashboards;
