-- What a scrape is told, as one JSON object. Its cost does not grow with history: ended runs come from totals, owned ones from
-- their leases, and of the queue at most p_queue rows are looked at (queue.cut says so where there are more).
create or replace function ops.metrics(p_queue int default 20000) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- A plan made on an empty table would read all runs for the queue.
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_bounds float8[] := private.duration_bounds();
begin
  perform private.count_ended_runs();
  return pg_catalog.jsonb_build_object(
    'bounds', v_bounds,
    'queue', (
      with queued as materialized (
        select r.project_id, r.env, r.available_at, r.lost_leases, r.capabilities
        from ops.runs r where r.status = 'queued' order by r.priority, r.turn, r.id limit p_queue
      ), by_project as (
        select q.project_id, q.env, pg_catalog.count(*) as runs,
          greatest(extract(epoch from v_now - pg_catalog.min(q.available_at)), 0)::float8 as oldest
        from queued q group by q.project_id, q.env order by 3 desc limit 200
      )
      select pg_catalog.jsonb_build_object(
        'cut', (select pg_catalog.count(*) from queued) >= p_queue,
        'unservable', (
          select pg_catalog.count(*) from queued q
          where not exists (
            select from ops.executors x
            where x.state = 'active' and x.last_seen > v_now - interval '10 minutes' and q.capabilities <@ x.capabilities)),
        'projects', coalesce((
          select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'project', private.project_slug(b.project_id), 'env', b.env, 'runs', b.runs, 'oldest', b.oldest))
          from by_project b), '[]'))),
    'owned', coalesce((
      select pg_catalog.jsonb_agg(o) from (
        select private.project_slug(l.project_id) as project, r.status, pg_catalog.count(*) as runs
        from ops.run_leases l join ops.runs r on r.id = l.run_id
        group by l.project_id, r.status limit 400) o), '[]'),
    'runs', coalesce((
      select pg_catalog.jsonb_agg(t) from (
        select private.project_slug(project_id) as project, pipeline, status, runs, lost_leases, seconds, buckets
        from ops.run_totals limit 2000) t), '[]'),
    'phases', coalesce((
      select pg_catalog.jsonb_agg(t) from (
        select private.project_slug(project_id) as project, kind, status, phases, seconds, buckets
        from ops.phase_totals limit 2000) t), '[]'),
    'claims', (select case when is_called then last_value else 0 end from ops.lease_tokens),
    'executors', coalesce((
      select pg_catalog.jsonb_agg(x) from (
        select state, pg_catalog.count(*) as executors, pg_catalog.sum(slots) as slots
        from ops.executors where last_seen > v_now - interval '1 day' group by state) x), '[]'),
    'leases', (
      select pg_catalog.jsonb_build_object(
        'expired', pg_catalog.count(*) filter (where expires_at <= v_now),
        'renewed', coalesce(pg_catalog.max(
          extract(epoch from v_now - expires_at) + lease_seconds) filter (where expires_at > v_now), 0))
      from ops.run_leases),
    'caps', coalesce((
      select pg_catalog.jsonb_agg(c) from (
        select o.slug as org, k.key, k.unit, k.period, k.amount::float8 as "limit",
          private.cap_used(k, v_now)::float8 as used
        from ops.caps k join ops.orgs o on o.id = k.org_id order by o.slug, k.key limit 200) c), '[]'),
    'steward', pg_catalog.jsonb_build_object(
      'elected', exists (
        select from pg_catalog.pg_locks
        -- compute.steward.ELECTION
        where locktype = 'advisory' and granted and classid = 0 and objid = 1464162113 and objsubid = 1
          and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())),
      'age', (select extract(epoch from v_now - at) from private.steward_pulse)),
    'database', private.database_health());
end
$$;

create or replace function private.project_slug(p_project_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select o.slug || '/' || p.slug from ops.projects p join ops.orgs o on o.id = p.org_id where p.id = p_project_id);
end
$$;

-- What slows a queue down before anything else shows it: a held snapshot, dead rows, connections.
create or replace function private.database_health() returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_catalog.jsonb_build_object(
    'oldest_xmin', (
      select coalesce(pg_catalog.max(pg_catalog.age(x)), 0) from (
        select backend_xmin as x from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database()
        union all select xmin from pg_catalog.pg_replication_slots
        union all select transaction from pg_catalog.pg_prepared_xacts) held
      where x is not null),
    'dead', coalesce((
      select pg_catalog.jsonb_object_agg(relname, n_dead_tup) from pg_catalog.pg_stat_user_tables
      where schemaname = 'ops' and relname in ('runs', 'run_leases', 'run_phases', 'executors', 'run_totals')), '{}'),
    'connections', coalesce((
      select pg_catalog.jsonb_object_agg(s.state, s.n) from (
        select coalesce(state, 'unknown') as state, pg_catalog.count(*) as n
        from pg_catalog.pg_stat_activity where backend_type = 'client backend' group by 1) s), '{}'),
    'max_connections', pg_catalog.current_setting('max_connections')::int);
end
$$;
