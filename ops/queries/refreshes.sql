-- Full refreshes. Row-level security decides which of them a caller sees.

-- name: start_refresh
select ops.start_refresh(
  p_project_id => %(project_id)s, p_env => %(env)s, p_pipeline => %(pipeline)s, p_spec => %(spec)s,
  p_spec_sha256 => %(spec_sha256)s, p_git_sha => %(git_sha)s, p_params => %(params)s, p_phases => %(phases)s,
  p_max_attempts => %(max_attempts)s, p_timeout_seconds => %(timeout_seconds)s, p_tolerance => %(tolerance)s,
  p_note => %(note)s
);

-- name: swap_refresh
select ops.swap_refresh(p_refresh_id => %(refresh_id)s, p_note => %(note)s);

-- name: roll_back_refresh
select ops.roll_back_refresh(p_refresh_id => %(refresh_id)s, p_later => %(later)s, p_note => %(note)s);

-- name: refreshes
-- Newest first. A refresh is what the last run of its line is, until it is decided on.
select
  f.id as refresh_id, o.slug as org, p.slug as project, f.env, f.pipeline, r.id as run_id,
  case
    when f.rolled_back_at is not null then 'rolled back'
    when f.swapped_at is not null then 'swapped'
    when r.status = 'succeeded' then 'built'
    when r.status in ('failed', 'canceled') then r.status
    else 'building'
  end as state,
  f.tolerance, f.note, f.started_by, f.started_at, f.swapped_by, f.swapped_at, f.rolled_back_by, f.rolled_back_at
from ops.refreshes f
join ops.projects p on p.id = f.project_id
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select x.id, x.status from ops.runs x
  where x.id = f.run_id or x.root_run = f.run_id
  order by x.created_at desc, x.id desc limit 1
) as r
where f.project_id = %(project_id)s and (%(env)s::text is null or f.env = %(env)s)
  and (%(pipeline)s::text is null or f.pipeline = %(pipeline)s)
order by f.started_at desc, f.id desc
limit %(limit)s;

-- name: comparisons
select h.metrics -> 'comparison' as comparison
from ops.run_phases h
where h.run_id = %(run_id)s and h.kind = 'compare' and h.metrics ? 'comparison'
order by h.ordinal;
