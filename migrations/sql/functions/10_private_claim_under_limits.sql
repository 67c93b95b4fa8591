-- The slow way of claim_run, taken only while a cap on runs or a pool exists: claimers take turns, so that none of them takes
-- what another has just used up. What is full is stepped over; it never holds up the rest.
--
-- Queued runs come in groups of one project, pipeline and pools, which are held back or not as a whole. The first of each group
-- that is not is looked up along runs_queue_of_pipeline: what waits behind a full cap is not walked through, however much it is.
--
-- Between projects it goes round: who was served longest ago is next. The turns that runs got when they were queued
-- (private.next_turn) do not serve here: what was held back for a day would come back with a day's turns before everybody else's.
drop function if exists private.claim_under_caps(text[], int, timestamptz);
drop function if exists private.claim_under_caps(text[], int, boolean, timestamptz);
drop function if exists private.claim_under_limits(text[], int, boolean, timestamptz);

-- The claim's lock against changes of limits (private.lock_limits), without waiting. Null where nobody changes any, else the orgs
-- whose runs may be claimed: of the one whose limits are being changed it is not known yet what will hold, so that its runs wait.
create or replace function private.share_limits() returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_open uuid[] := '{}';
begin
  if pg_catalog.pg_try_advisory_xact_lock_shared(pg_catalog.hashtextextended('ops.limits', 0)) then
    return null;
  end if;
  for v_org in
    select distinct p.org_id from private.queue_groups() as g join ops.projects p on p.id = g.project_id
  loop
    if pg_catalog.pg_try_advisory_xact_lock_shared(private.limits_lock(v_org)) then
      v_open := v_open || v_org;
    end if;
  end loop;
  return v_open;
end
$$;

create or replace function private.limits_lock(p_org_id uuid) returns bigint
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.hashtextextended('ops.limits/' || p_org_id, 0)
$$;

create or replace function private.claim_under_limits(
  p_capabilities text[], p_max_runs int, p_dedicated boolean, p_now timestamptz, p_open uuid[]
) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[] := '{}';
  v_passed uuid[] := '{}';
  v_projects uuid[];
  v_pipelines text[];
  v_pools jsonb[];
  v_run record;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.caps', 0));
  select pg_catalog.array_agg(g.project_id), pg_catalog.array_agg(g.pipeline), pg_catalog.array_agg(g.pools)
  into v_projects, v_pipelines, v_pools
  from private.queue_groups() as g
  join ops.projects p on p.id = g.project_id
  where p_open is null or p.org_id = any (p_open);
  while pg_catalog.cardinality(v_ids) < p_max_runs loop
    select f.id, f.project_id, f.pipeline, f.pools, f.priority into v_run
    from unnest(v_projects, v_pipelines, v_pools) as g (project_id, pipeline, pools)
    cross join lateral (
      select r.id, r.project_id, r.pipeline, r.pools, r.priority, r.turn
      from ops.runs r
      where r.status = 'queued' and r.project_id = g.project_id and r.pipeline = g.pipeline and r.pools = g.pools
        and r.available_at <= p_now and r.capabilities <@ p_capabilities
        and (r.capabilities <> '{}' or not p_dedicated) and r.id <> all (v_ids) and r.id <> all (v_passed)
      order by r.priority, r.turn, r.id
      limit 1) as f
    left join private.projects_served s on s.project_id = f.project_id and s.priority = f.priority
    where not private.is_held_back(g.project_id, g.pipeline, g.pools, p_now)
    order by f.priority, s.at nulls first, f.turn, f.id
    limit 1;
    exit when not found;
    perform from ops.runs where id = v_run.id and status = 'queued' for no key update skip locked;
    if not found then
      -- Somebody is just changing it.
      v_passed := v_passed || v_run.id;
      continue;
    end if;
    insert into ops.cap_usage (cap_id, project_id, run_id, amount, used_at)
    select c.id, v_run.project_id, v_run.id, 1, p_now
    from private.caps_on(v_run.project_id, v_run.pipeline) as c
    where c.unit = 'runs'
    order by c.id;
    insert into ops.pool_uses (pool_id, run_id, project_id, slots, taken_at)
    select l.pool_id, v_run.id, v_run.project_id, l.needs, p_now
    from private.pools_for(v_run.project_id, v_run.pools) as l;
    insert into private.projects_served as s (project_id, priority, at)
    values (v_run.project_id, v_run.priority, pg_catalog.clock_timestamp())
    on conflict (project_id, priority) do update set at = excluded.at;
    v_ids := v_ids || v_run.id;
  end loop;
  return v_ids;
end
$$;

-- A walk from group to group of the queue, one step of the index each.
create or replace function private.queue_groups() returns table (project_id uuid, pipeline text, pools jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive g as (
    (select r.project_id, r.pipeline, r.pools
     from ops.runs r where r.status = 'queued'
     order by r.project_id, r.pipeline, r.pools limit 1)
    union all
    select n.project_id, n.pipeline, n.pools
    from g cross join lateral (
      select r.project_id, r.pipeline, r.pools
      from ops.runs r
      where r.status = 'queued' and (r.project_id, r.pipeline, r.pools) > (g.project_id, g.pipeline, g.pools)
      order by r.project_id, r.pipeline, r.pools limit 1) as n
  )
  select g.project_id, g.pipeline, g.pools from g
$$;

-- Is a cap on runs or a pool of theirs full?
create or replace function private.is_held_back(
  p_project_id uuid, p_pipeline text, p_pools jsonb, p_now timestamptz
) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select from private.caps_on(p_project_id, p_pipeline) as c
      where c.unit = 'runs' and private.cap_used(c, p_now) + 1 > c.amount)
    or (p_pools <> '{}' and exists (
      select from private.pools_for(p_project_id, p_pools) as l
      where private.pool_used(l.pool_id) + l.needs > l.slots));
end
$$;
