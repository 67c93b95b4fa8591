-- What a tick of a schedule becomes. Whoever calls holds the schedule's row, so that one decides at a time.

-- A share of the schedule's jitter, the same for a tick whoever asks and however often.
create or replace function private.jitter(p_schedule_id uuid, p_tick timestamptz, p_seconds float8) returns interval
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_seconds = 0 then
    return interval '0';
  end if;
  return pg_catalog.make_interval(secs => pg_catalog.floor(p_seconds * (
    ('x' || pg_catalog.encode(pg_catalog.substring(pg_catalog.sha256(pg_catalog.convert_to(
      p_schedule_id::text || '@' || extract(epoch from p_tick)::bigint, 'UTF8')), 1, 4), 'hex'))::bit(32)::bigint
    / 4294967296.0)));
end
$$;

-- The version that a schedule runs: in dev the newest that was registered, elsewhere the one that was promoted.
create or replace function private.scheduled_version(p_project_id uuid, p_env text, p_pipeline text)
returns ops.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found ops.pipelines;
begin
  if p_env = 'dev' then
    select * into v_found from ops.pipelines p
    where p.project_id = p_project_id and p.slug = p_pipeline order by p.version desc limit 1;
  else
    select * into v_found from ops.pipelines p
    where p.project_id = p_project_id and p.slug = p_pipeline
      and p.version = private.promoted_version(p_project_id, p_pipeline, p_env);
  end if;
  if v_found.id is null then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'no version of %s runs in %s; %s', p_pipeline, p_env,
      case p_env when 'dev' then 'register it with `controlroom schedule apply`'
        else 'promote one with `controlroom pipeline promote`' end);
  end if;
  return v_found;
end
$$;

-- The spec's defaults, the schedule's values over them, those of the event over both. "{tick}" is the tick in UTC,
-- "{date}" its date where the schedule is at home.
create or replace function private.scheduled_params(
  p_spec jsonb, p_schedule ops.schedules, p_tick timestamptz, p_given jsonb
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known jsonb := coalesce(p_spec -> 'params', '{}');
  v_given jsonb := p_schedule.params || coalesce(p_given, '{}');
  v_wrong text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(v_given) as k where not v_known ? k;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'pipeline %s has no parameter %s; correct the schedule with `controlroom schedule add`',
      p_schedule.pipeline, v_wrong);
  end if;
  return private.param_defaults(p_spec)
    || coalesce((
      select pg_catalog.jsonb_object_agg(g.key, case g.value #>> '{}'
        when '{tick}' then pg_catalog.to_jsonb(pg_catalog.to_char(p_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        when '{date}' then pg_catalog.to_jsonb(pg_catalog.to_char(p_tick at time zone p_schedule.timezone, 'YYYY-MM-DD'))
        else g.value end)
      from pg_catalog.jsonb_each(v_given) as g), '{}');
end
$$;

-- Queues the run of a tick; the key makes a second one impossible, whoever else might try.
create or replace function private.create_scheduled_run(
  p_schedule ops.schedules, p_key text, p_tick timestamptz, p_data jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline ops.pipelines := private.scheduled_version(p_schedule.project_id, p_schedule.env, p_schedule.pipeline);
begin
  return ops.create_run(
    p_project_id => p_schedule.project_id, p_env => p_schedule.env, p_pipeline => p_schedule.pipeline,
    p_spec => v_pipeline.spec, p_spec_sha256 => v_pipeline.sha256, p_git_sha => v_pipeline.git_sha,
    p_params => private.scheduled_params(v_pipeline.spec, p_schedule, p_tick, p_data -> 'params'),
    p_phases => private.spec_outline(v_pipeline.spec),
    p_idempotency_key => 'schedule:' || p_schedule.id || ':' || p_key,
    p_priority => p_schedule.priority, p_trigger => 'schedule',
    p_max_attempts => coalesce((v_pipeline.spec ->> 'max_attempts')::int, 3),
    p_timeout_seconds => (v_pipeline.spec ->> 'timeout')::float8,
    p_tags => pg_catalog.jsonb_build_object('schedule', p_schedule.slug, 'started_by', p_schedule.kind,
      'tick', pg_catalog.to_char(p_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
end
$$;

-- Why a tick that is otherwise to fire does not; null where it does. May cancel runs, where that is the schedule's way.
create or replace function private.tick_hindrance(p_schedule ops.schedules, p_open uuid[], p_data jsonb) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_score numeric;
  v_run uuid;
begin
  if p_schedule.kind = 'on_dataset' and exists (
    select from ops.runs r where r.id = (p_data ->> 'run_id')::uuid and r.pipeline = p_schedule.pipeline) then
    return 'the pipeline itself changed the dataset';
  end if;
  if p_schedule.min_score is not null then
    v_score := (ops.compute_run_score((p_data ->> 'run_id')::uuid));
    if v_score < p_schedule.min_score then
      return pg_catalog.format('run %s scored %s, less than %s', p_data ->> 'run_id', v_score, p_schedule.min_score);
    end if;
  end if;
  if p_schedule.overlap = 'skip' and p_open <> '{}' then
    return pg_catalog.format('run %s has not ended', p_open[1]);
  end if;
  if p_schedule.overlap = 'cancel_running' then
    -- In the order in which heartbeats lock leases.
    for v_run in select r from unnest(p_open) as r order by r loop
      perform ops.cancel_run(v_run, pg_catalog.format('the next tick of schedule %s', p_schedule.slug));
    end loop;
  end if;
  return null;
end
$$;

-- Those of the schedule's runs that have not ended.
create or replace function private.open_runs(p_schedule ops.schedules) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule.overlap = 'queue' then
    return '{}';
  end if;
  return array(
    select r.id from ops.runs r
    where r.id = any (p_schedule.open_runs) and r.status in ('queued', 'claimed', 'running') order by r.id);
end
$$;

-- Fires one tick, or says why not. A refusal of ours ends in the ledger; it must not keep other ticks from their turn.
create or replace function private.fire_tick(
  p_schedule ops.schedules, p_key text, p_tick timestamptz, p_data jsonb, inout open_runs uuid[],
  out outcome text, out reason text, out run_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  reason := private.tick_hindrance(p_schedule, open_runs, p_data);
  if reason is not null then
    outcome := 'skipped';
    return;
  end if;
  run_id := private.create_scheduled_run(p_schedule, p_key, p_tick, p_data);
  outcome := 'fired';
  reason := '';
  if p_schedule.overlap <> 'queue' then
    open_runs := open_runs || run_id;
  end if;
exception
  when sqlstate 'CR002' or sqlstate 'CR003' or sqlstate 'CR004' or sqlstate 'CR005' or sqlstate 'CR006' or sqlstate 'CR007'
    or data_exception or integrity_constraint_violation then
    outcome := 'failed';
    reason := sqlerrm;
    run_id := null;
end
$$;

-- Sorts ticks that are due at p_now: which fire, and why others are passed over. p_ticks stand in their order; of those,
-- the first that is not yet due ends the list.
create or replace function private.judge_ticks(p_schedule ops.schedules, p_now timestamptz, p_ticks timestamptz[])
returns table (ordinal int, tick timestamptz, verdict text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with due as (
      select t.o::int as o, t.tick as at, t.tick + private.jitter(p_schedule.id, t.tick, p_schedule.jitter_seconds) as due_at
      from pg_catalog.unnest(p_ticks) with ordinality as t (tick, o)
    ), taken as (
      select d.o, d.at, p_now - d.due_at > pg_catalog.make_interval(secs => p_schedule.grace_seconds) as late
      from due d
      where d.o < coalesce((select pg_catalog.min(n.o) from due n where n.due_at > p_now), 2147483647)
    ), ranked as (
      select t.*, pg_catalog.count(*) filter (where t.late) over (order by t.o desc) as late_rank,
        pg_catalog.max(t.o) over () as last
      from taken t
    )
    select r.o, r.at, case
      when not r.late then 'fire'
      when p_schedule.misfire = 'skip' then 'missed'
      when p_schedule.misfire = 'run_once' then case when r.o = r.last then 'fire' else 'missed; a later tick stands for it' end
      when r.late_rank <= p_schedule.catch_up_limit then 'fire'
      else 'missed; more than the catch-up limit of ' || p_schedule.catch_up_limit end
    from ranked r
    order by r.o;
end
$$;
