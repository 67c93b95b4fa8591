-- The first page. Row-level security decides which rows a caller sees.

-- name: pipeline_counts
-- By project, because the index is; without people's questions. Ended are those of the runs created since then that ended after %(lately)s.
-- What has not ended counts whenever it was created.
select o.slug as org, p.slug as project, r.pipeline, r.status, r.runs, r.ended
from ops.projects p
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select pipeline, status, count(*) as runs, count(*) filter (where finished_at >= %(lately)s) as ended
  from ops.runs
  where project_id = p.id and created_at >= %(since)s and trigger <> 'query'
  group by pipeline, status
  union all
  select pipeline, status, count(*), 0
  from ops.runs
  where project_id = p.id and status = 'queued' and created_at < %(since)s and trigger <> 'query'
  group by pipeline, status
  union all
  select pipeline, status, count(*), 0
  from ops.runs
  where project_id = p.id and status in ('claimed', 'running') and created_at < %(since)s and trigger <> 'query'
  group by pipeline, status
) as r;

-- name: failing
-- The last run of each pipeline and environment where that failed, the latest first. Further back than a hundred runs of a
-- pipeline nobody looks.
select r.id as run_id
from (select distinct project_id, slug from ops.pipelines) as g
cross join lateral (
  select distinct on (l.env) l.id, l.status, l.created_at
  from (
    select f.id, f.env, f.status, f.created_at
    from ops.runs f
    where f.project_id = g.project_id and f.pipeline = g.slug and f.trigger <> 'query'
    order by f.created_at desc, f.id desc
    limit 100) as l
  order by l.env, l.created_at desc, l.id desc) as r
where r.status = 'failed'
order by r.created_at desc, r.id desc
limit %(limit)s;

-- name: parts
-- When the parts of the installation were last heard of, as far as the caller may know: tables and dashboards are those that
-- they see.
select current_setting('server_version') as version, clock_timestamp() as asked_at, ops.steward_seen() as steward_at,
  (select max(d.updated_at) from ops.datasets d) as lake_at, (select count(*) from ops.datasets d) as tables,
  (select max(b.published_at) from ops.bi_objects b) as superset_at,
  (select count(*) from ops.bi_objects b where b.kind = 'dashboard') as dashboards;
