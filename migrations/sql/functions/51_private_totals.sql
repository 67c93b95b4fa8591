-- Upper bounds of durations, in seconds; what is longer falls into one bucket more.
create or replace function private.duration_bounds() returns float8[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select '{0.1,0.5,1,5,15,60,300,1800,7200}'::float8[] $$;

-- Durations as counts by bucket.
create or replace function private.bucketed(p_seconds float8[]) returns bigint[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select pg_catalog.count(s.seconds)
    from pg_catalog.generate_series(0, pg_catalog.cardinality(private.duration_bounds())) as b (bucket)
    left join unnest(p_seconds) as s (seconds)
      -- The bounds are upper ends that belong to their bucket, and width_bucket's are lower ends.
      on pg_catalog.width_bucket(s.seconds - 1e-9, private.duration_bounds()) = b.bucket
    group by b.bucket
    order by b.bucket)
$$;

create or replace function private.added(p_one bigint[], p_other bigint[]) returns bigint[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array(select a + b from unnest(p_one, p_other) with ordinality as t (a, b, n) order by n)
$$;

-- Counts what has ended since the last time; returns how many runs. Each run is counted once, whoever ended it when: a row that
-- ended never changes again, so the transaction that wrote it is its own for ever, and only transactions that can no longer
-- commit anything (below the snapshot's xmin) are counted. A clock could not promise that.
create or replace function private.count_ended_runs() returns int
language plpgsql
set search_path = pg_catalog, pg_temp
-- The index of ranges serves as a bitmap or not at all.
set enable_bitmapscan = on
set enable_seqscan = off
as $$
declare
  v_mark record;
  v_horizon bigint;
  v_own bigint;
  v_ids uuid[];
  -- More names than these are counted as one, so that a scrape stays small.
  v_names constant int := 400;
begin
  select horizon, at into v_mark from private.totals_mark for update skip locked;
  if not found then
    return 0;
  end if;
  v_own := pg_catalog.pg_current_xact_id()::text::bigint;
  v_horizon := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint;
  if v_horizon <= v_mark.horizon then
    return 0;
  end if;
  v_ids := array(
    select r.id
    from ops.runs r
    -- Wide enough for any transaction of ours, narrow enough for the index of ranges.
    where r.finished_at >= v_mark.at - interval '10 minutes' and r.status in ('succeeded', 'failed', 'canceled')
      and v_own - pg_catalog.age(r.xmin) between v_mark.horizon and v_horizon - 1);
  if pg_catalog.cardinality(v_ids) > 0 then
    insert into ops.run_totals as t (project_id, pipeline, status, runs, lost_leases, seconds, buckets)
    select e.project_id, n.name, e.status, pg_catalog.count(*), pg_catalog.sum(e.lost_leases), pg_catalog.sum(e.seconds),
      private.bucketed(pg_catalog.array_agg(e.seconds))
    from (
      select project_id, pipeline, status, lost_leases,
        greatest(extract(epoch from finished_at - created_at), 0)::float8 as seconds
      from ops.runs where id = any (v_ids)
    ) e
    cross join lateral (
      select case
        when exists (select from ops.run_totals k where k.project_id = e.project_id and k.pipeline = e.pipeline)
          or (select pg_catalog.count(*) from ops.run_totals) < v_names then e.pipeline
        else '(other)'
      end as name) n
    group by e.project_id, n.name, e.status
    on conflict (project_id, pipeline, status) do update set
      runs = t.runs + excluded.runs, lost_leases = t.lost_leases + excluded.lost_leases,
      seconds = t.seconds + excluded.seconds, buckets = private.added(t.buckets, excluded.buckets);
    insert into ops.phase_totals as t (project_id, kind, status, phases, seconds, buckets)
    select p.project_id, p.kind, p.status, pg_catalog.count(*),
      pg_catalog.sum(extract(epoch from p.finished_at - p.started_at)),
      private.bucketed(pg_catalog.array_agg(extract(epoch from p.finished_at - p.started_at)::float8))
    from ops.run_phases p
    where p.run_id = any (v_ids) and p.started_at is not null and p.finished_at is not null and p.status in ('succeeded', 'failed', 'canceled')
    group by p.project_id, p.kind, p.status
    on conflict (project_id, kind, status) do update set
      phases = t.phases + excluded.phases, seconds = t.seconds + excluded.seconds,
      buckets = private.added(t.buckets, excluded.buckets);
  end if;
  update private.totals_mark set horizon = v_horizon, at = pg_catalog.clock_timestamp();
  return pg_catalog.cardinality(v_ids);
end
$$;

-- The steward's round: it lives, and what has ended is counted.
create or replace function ops.steward_round() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into private.steward_pulse (at) values (pg_catalog.clock_timestamp())
  on conflict (one) do update set at = excluded.at;
  return private.count_ended_runs();
end
$$;
