-- What an ended run says about itself beside its own row, each beside its own history of the last eight weeks, of runs that
-- succeeded. Units: docs/signals.md. Every signal's data says in words what was seen ("said").

-- What was written, by dataset: rows beside what is usual, nulls by column, columns that came, went or changed their type.
create or replace function private.record_data_signals(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_past record;
begin
  for v_one in
    select v.id, v.project_id, v.dataset_id, d.layer || '.' || d.name as table, v.version, v.mode, v.columns, v.recorded_at,
      v.event_time, case v.mode when 'replace' then v.total_rows else v.rows end as rows,
      (v.stats ->> 'rows')::float8 as added, v.stats -> 'nulls' as nulls,
      private.is_usual(r) as is_usual, private.is_refresh(r) as is_refresh
    from ops.dataset_versions v
    join ops.datasets d on d.id = v.dataset_id
    join ops.runs r on r.id = v.run_id
    where v.run_id = p_run_id and d.layer <> 'quarantine'
    order by v.dataset_id, v.version
  loop
    -- A refresh is compared by its own phases, with what readers have.
    continue when v_one.is_refresh;
    perform private.keep_worst(p_run_id, v_one.project_id, 'schema_drift', s.changes, jsonb_build_object(
        'table', v_one.table, 'changes', s.what, 'said', case when s.changes > 0
          then pg_catalog.format('the columns of %s changed: %s', v_one.table, s.what)
          else pg_catalog.format('the columns of %s are those of before', v_one.table) end))
    from private.schema_changes(v_one.dataset_id, v_one.version, v_one.columns) as s;

    continue when not v_one.is_usual;
    v_past := private.history_of(v_one.dataset_id, v_one.version, v_one.recorded_at, v_one.mode);
    perform private.keep_worst(p_run_id, v_one.project_id, 'row_count_anomaly', abs(a.z), jsonb_build_object(
        'table', v_one.table, 'seen', v_one.rows, 'usual', round((exp(a.usual) - 1)::numeric), 'points', a.points,
        'said', pg_catalog.format('%s %s %s rows than %s (%s, usually about %s)', v_one.table,
          case v_one.mode when 'replace' then 'has' else 'got' end,
          private.change_words(v_one.rows, exp(a.usual) - 1, 'fewer', 'more'),
          private.season_words(a.season, v_one.recorded_at), to_char(v_one.rows, 'FM999,999,999,999'),
          to_char(round((exp(a.usual) - 1)::numeric), 'FM999,999,999,999'))))
    from private.anomaly(ln(1 + v_one.rows::float8), v_one.recorded_at, v_past.rows, v_past.times, 0.03, true) as a;

    perform private.keep_worst(p_run_id, v_one.project_id, 'freshness_lag', greatest(a.z, 0), jsonb_build_object(
        'table', v_one.table, 'seen', round(l.lag::numeric), 'usual', round((exp(a.usual) - 1)::numeric), 'points', a.points,
        'said', pg_catalog.format('the newest data of %s is %s old (usually %s)', v_one.table,
          private.span_words(l.lag), private.span_words(exp(a.usual) - 1))))
    from (
      select greatest(extract(epoch from v_one.recorded_at - v_one.event_time)::float8, 0) as lag) as l
    cross join lateral private.anomaly(ln(1 + l.lag), v_one.recorded_at, v_past.lags, v_past.times, 0.3) as a
    where v_one.event_time is not null;

    perform private.keep_worst(p_run_id, v_one.project_id, 'null_rate', greatest(n.z, 0), jsonb_build_object(
        'table', v_one.table, 'column', n.column_name, 'seen', round(n.share::numeric, 4),
        'usual', round(n.usual::numeric, 4), 'points', n.points,
        'said', pg_catalog.format('%s.%s is null in %s %% of rows (usually %s %%)', v_one.table, n.column_name,
          round((100 * n.share)::numeric, 1), round((100 * n.usual)::numeric, 1))))
    from private.null_anomalies(v_one.dataset_id, v_one.version, v_one.mode, v_one.nulls, v_one.added) as n
    order by n.z desc
    limit 1;
  end loop;
end
$$;

-- Does the run, or the one that it is a retry of, make everything anew?
create or replace function private.is_refresh(p_run ops.runs) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.refreshes f where f.run_id = coalesce(p_run.root_run, p_run.id))
$$;

-- Runs that bring a day of the past again, and full refreshes, are not compared: neither with others nor others with them.
drop function if exists private.is_usual(text);
create or replace function private.is_usual(p_run ops.runs) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_run.trigger <> all ('{backfill,replay}') and not private.is_refresh(p_run)
$$;

-- One signal a run, the worst of its datasets.
create or replace function private.keep_worst(
  p_run_id uuid, p_project_id uuid, p_signal text, p_value float8, p_data jsonb
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.signals as s (run_id, signal, project_id, value, data)
  values (p_run_id, p_signal, p_project_id, round(p_value::numeric, 3)::float8, p_data)
  on conflict (run_id, signal) do update
  set value = excluded.value, data = excluded.data
  where s.value < excluded.value
$$;

-- Versions of successful runs before this one that readers got, as arrays of one order. A replaced table counts whole, else what
-- came.
create or replace function private.history_of(
  p_dataset_id uuid, p_version bigint, p_at timestamptz, p_mode text, out rows float8[], out lags float8[],
  out times timestamptz[]
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(ln(1 + h.rows::float8)),
    array_agg(ln(1 + greatest(extract(epoch from h.recorded_at - h.event_time)::float8, 0))), array_agg(h.recorded_at)
  from (
    select case p_mode when 'replace' then v.total_rows else v.rows end as rows, v.recorded_at, v.event_time
    from ops.dataset_versions v
    join ops.runs r on r.id = v.run_id and r.status = 'succeeded' and private.is_usual(r)
    where v.dataset_id = p_dataset_id and v.version < p_version and v.recorded_at > p_at - interval '56 days'
      and v.mode = p_mode and not v.aside
    order by v.version desc
    limit 1500
  ) as h
$$;

-- The share of nulls of each column beside the last sixty versions. A share of n rows varies by sqrt(p (1 - p) / n) by itself.
create or replace function private.null_anomalies(
  p_dataset_id uuid, p_version bigint, p_mode text, p_nulls jsonb, p_rows float8
) returns table (column_name text, share float8, z float8, usual float8, points int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with past as (
    select c.key as column_name, array_agg(c.value::float8 / v.rows) as shares,
      percentile_cont(0.5) within group (order by c.value::float8 / v.rows) as usual
    from (
      select (v.stats ->> 'rows')::float8 as rows, v.stats -> 'nulls' as nulls
      from ops.dataset_versions v
      where v.dataset_id = p_dataset_id and v.version < p_version and v.mode = p_mode and not v.aside
        and (v.stats ->> 'rows')::float8 > 0
        and exists (
          select from ops.runs r where r.id = v.run_id and r.status = 'succeeded' and private.is_usual(r))
      order by v.version desc
      limit 60
    ) as v
    cross join lateral pg_catalog.jsonb_each_text(v.nulls) as c
    group by c.key
  ), now as (
    select n.key as column_name, n.value::float8 / p_rows as share, past.shares,
      least(greatest(past.usual, 1 / p_rows), 0.5) as p
    from pg_catalog.jsonb_each_text(p_nulls) as n join past on past.column_name = n.key
    where p_rows > 0
  )
  select n.column_name, n.share, a.z, a.usual, a.points
  from now n
  cross join lateral private.steady_anomaly(
    n.share, n.shares, greatest(0.005, sqrt(n.p * (1 - n.p) / p_rows))) as a
$$;

-- Beside the version before that readers got, whoever wrote it; the first version has changed nothing.
create or replace function private.schema_changes(p_dataset_id uuid, p_version bigint, p_columns jsonb)
returns table (changes int, what text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with before as (
    select v.columns
    from ops.dataset_versions v
    where v.dataset_id = p_dataset_id and v.version < p_version and not v.aside
      and exists (select from ops.runs r where r.id = v.run_id and r.status = 'succeeded')
    order by v.version desc
    limit 1
  ), changed as (
    select case
      when b.value is null then n.key || ' is new'
      when n.value is null then b.key || ' is gone'
      else pg_catalog.format('%s is %s, was %s', n.key, n.value, b.value)
    end as what
    from (select c.key, c.value from before, pg_catalog.jsonb_each_text(before.columns) as c) as b
    full join pg_catalog.jsonb_each_text(p_columns) as n on n.key = b.key
    where n.value is distinct from b.value
  )
  select count(*)::int, coalesce(string_agg(what, ', ' order by what), '')
  from changed
  where exists (select from before)
$$;

-- How long the run took beside runs of its pipeline before it, and how many of the latest failed.
create or replace function private.record_pipeline_signals(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select r.id, r.project_id, r.env, r.pipeline, r.status, r.parent_run, r.created_at, r.started_at,
    extract(epoch from r.finished_at - r.started_at)::float8 as seconds, private.is_usual(r) as is_usual
  into strict v_run
  from ops.runs r where r.id = p_run_id;

  perform private.keep_worst(p_run_id, v_run.project_id, 'error_rate', e.share, jsonb_build_object(
      'runs', e.runs, 'failed', e.failed,
      'said', pg_catalog.format('%s of the last %s runs of %s failed', e.failed, e.runs, v_run.pipeline)))
  from (
    select count(*) as runs, count(*) filter (where status = 'failed') as failed,
      (count(*) filter (where status = 'failed'))::float8 / nullif(count(*), 0) as share
    from (
      select r.status
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) <= (v_run.created_at, v_run.id) and r.status in ('succeeded', 'failed')
      order by r.created_at desc, r.id desc
      limit 20
    ) as latest
  ) as e
  where e.runs >= 5;

  perform private.keep_worst(p_run_id, v_run.project_id, 'duration_anomaly', greatest(a.z, 0), jsonb_build_object(
      'seen', round(v_run.seconds::numeric, 3), 'usual', round((exp(a.usual) - 1)::numeric, 3), 'points', a.points,
      'said', pg_catalog.format('it took %s than %s (%s, usually %s)',
        private.change_words(v_run.seconds, exp(a.usual) - 1, 'shorter', 'longer'),
        private.season_words(a.season, v_run.started_at), private.span_words(v_run.seconds), private.span_words(exp(a.usual) - 1))))
  from (
    select array_agg(ln(1 + greatest(h.seconds, 0))) as seconds, array_agg(h.started_at) as times
    from (
      select extract(epoch from r.finished_at - r.started_at)::float8 as seconds, r.started_at
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) < (v_run.created_at, v_run.id)
        and r.created_at > v_run.created_at - interval '56 days' and r.status = 'succeeded'
        -- A retry does a part of the work.
        and r.parent_run is null and private.is_usual(r) and r.started_at is not null
      order by r.created_at desc, r.id desc
      limit 1500
    ) as h
  ) as h
  -- Of a run of a second half a second is noise: 1 + seconds.
  cross join lateral private.anomaly(ln(1 + greatest(v_run.seconds, 0)), v_run.started_at, h.seconds, h.times, 0.1) as a
  where v_run.status = 'succeeded' and v_run.seconds is not null and v_run.parent_run is null
    and v_run.is_usual;
end
$$;

-- Processor time beside the latest runs of the pipeline, where phases say it.
create or replace function private.record_cost_signal(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select r.project_id, r.env, r.pipeline, r.created_at, r.id, c.seconds, private.is_usual(r) as is_usual
  into strict v_run
  from ops.runs r cross join lateral private.cpu_seconds(r.id) as c (seconds)
  where r.id = p_run_id;
  if v_run.seconds is null or not v_run.is_usual then
    return;
  end if;
  perform private.keep_worst(p_run_id, v_run.project_id, 'cost_anomaly', greatest(a.z, 0), jsonb_build_object(
      'seen', round(v_run.seconds::numeric, 2), 'usual', round((exp(a.usual) - 1)::numeric, 2), 'points', a.points,
      'said', pg_catalog.format('it used %s of processor time (usually %s)',
        private.span_words(v_run.seconds), private.span_words(exp(a.usual) - 1))))
  from (
    select array_agg(ln(1 + c.seconds)) as seconds
    from (
      select r.id
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) < (v_run.created_at, v_run.id) and r.status = 'succeeded' and r.parent_run is null
        and private.is_usual(r)
      order by r.created_at desc, r.id desc
      limit 60
    ) as r
    cross join lateral private.cpu_seconds(r.id) as c (seconds)
    where c.seconds is not null
  ) as h
  cross join lateral private.steady_anomaly(ln(1 + v_run.seconds), h.seconds, 0.15) as a;
end
$$;

create or replace function private.cpu_seconds(p_run_id uuid) returns float8
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sum(greatest((p.metrics ->> 'cpu_seconds')::float8, 0))
  from ops.run_phases p
  where p.run_id = p_run_id and pg_catalog.jsonb_typeof(p.metrics -> 'cpu_seconds') = 'number'
$$;

create or replace function private.span_words(p_seconds float8) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_seconds < 10 then round(p_seconds::numeric, 1) || ' s'
    when p_seconds < 120 then round(p_seconds::numeric) || ' s'
    when p_seconds < 7200 then round((p_seconds / 60)::numeric) || ' min'
    when p_seconds < 172800 then round((p_seconds / 3600)::numeric, 1) || ' h'
    else round((p_seconds / 86400)::numeric, 1) || ' d'
  end
$$;
