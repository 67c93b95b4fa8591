-- Schedules as people have them: who may change what runs (editor), who may say when it runs (operator).

-- The schedule, locked, where the caller has the role in its environment.
create or replace function private.my_schedule(p_schedule_id uuid, p_role text) returns ops.schedules
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_schedule.project_id, v_schedule.env, p_role);
  return v_schedule;
end
$$;

-- What a definition may say, and what is so where it says nothing: an event is something that happened, none of them is
-- passed over; of missed ticks of a clock one is made up for; what is stale already needs no second run at a time.
create or replace function private.schedule_defaults(p_definition jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kind text := p_definition ->> 'kind';
  v_unknown text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_unknown
  from pg_catalog.jsonb_object_keys(p_definition) as k
  where k <> all ('{pipeline,kind,cron,timezone,after_pipeline,dataset,stale_seconds,misfire,grace_seconds,catch_up_limit,overlap,jitter_seconds,params,priority,min_score}');
  if v_unknown is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_definition has no field %s; see docs/schedules.md for those that it has', v_unknown);
  end if;
  perform private.require(v_kind, 'p_definition.kind'), private.require(p_definition ->> 'pipeline', 'p_definition.pipeline');
  return pg_catalog.jsonb_build_object(
    'timezone', 'UTC', 'misfire', case when v_kind in ('cron', 'when_stale') then 'run_once' else 'run_all' end,
    'grace_seconds', 60, 'catch_up_limit', 100, 'overlap', case v_kind when 'when_stale' then 'skip' else 'queue' end,
    'jitter_seconds', 0, 'params', '{}'::jsonb, 'priority', 100) || pg_catalog.jsonb_strip_nulls(p_definition);
end
$$;

-- A chain of pipelines that starts itself never ends.
create or replace function private.refuse_schedule_circle(p_schedule ops.schedules) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_circle text;
begin
  with recursive chain (pipeline, way) as (
    select p_schedule.pipeline, array[p_schedule.after_pipeline, p_schedule.pipeline]
    union all
    select s.pipeline, c.way || s.pipeline
    from chain c
    join ops.schedules s on s.project_id = p_schedule.project_id and s.env = p_schedule.env
      and s.after_pipeline = c.pipeline and s.id <> p_schedule.id
    where s.pipeline <> all (c.way[2:]) and c.pipeline <> p_schedule.after_pipeline
  )
  select pg_catalog.array_to_string(c.way, ' → ') into v_circle
  from chain c where c.pipeline = p_schedule.after_pipeline limit 1;
  if v_circle is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s would start itself for ever; break the circle', v_circle);
  end if;
end
$$;

-- Makes a schedule what the definition says; a repeat of the same changes nothing. Returns its id.
create or replace function ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new ops.schedules;
  v_old ops.schedules;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_slug, 'p_slug');
  v_new := pg_catalog.jsonb_populate_record(null::ops.schedules, private.schedule_defaults(p_definition));
  if not exists (select from ops.pipelines where project_id = p_project_id and slug = v_new.pipeline) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no pipeline %s in that project; register it with `controlroom schedule apply`', v_new.pipeline);
  end if;
  perform pg_catalog.clock_timestamp() at time zone v_new.timezone;
  -- One at a time in a project: two that go round in a circle together must not pass each other.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_project_id::text || '/schedules', 0));
  select * into v_old from ops.schedules where project_id = p_project_id and env = p_env and slug = p_slug for no key update;
  v_new.id := coalesce(v_old.id, private.new_id());
  v_new.project_id := p_project_id;
  v_new.env := p_env;
  perform private.refuse_schedule_circle(v_new);
  if v_old.id is null then
    insert into ops.schedules (
      id, project_id, env, slug, pipeline, kind, cron, timezone, after_pipeline, dataset, stale_seconds, misfire,
      grace_seconds, catch_up_limit, overlap, jitter_seconds, params, priority, min_score, created_by)
    values (
      v_new.id, p_project_id, p_env, p_slug, v_new.pipeline, v_new.kind, v_new.cron, v_new.timezone, v_new.after_pipeline,
      v_new.dataset, v_new.stale_seconds, v_new.misfire, v_new.grace_seconds, v_new.catch_up_limit, v_new.overlap,
      v_new.jitter_seconds, v_new.params, v_new.priority, v_new.min_score, private.subject());
  else
    perform private.change_schedule(v_old, v_new);
  end if;
  return v_new.id;
end
$$;

-- Another clock begins anew: its ticks are those from now on. Anything else leaves the schedule where it stands.
create or replace function private.change_schedule(p_old ops.schedules, p_new ops.schedules) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_clock boolean := (p_old.kind, p_old.cron, p_old.timezone, p_old.stale_seconds, p_old.dataset)
    is distinct from (p_new.kind, p_new.cron, p_new.timezone, p_new.stale_seconds, p_new.dataset);
begin
  update ops.schedules s
  set pipeline = p_new.pipeline, kind = p_new.kind, cron = p_new.cron, timezone = p_new.timezone,
    after_pipeline = p_new.after_pipeline, dataset = p_new.dataset, stale_seconds = p_new.stale_seconds,
    misfire = p_new.misfire, grace_seconds = p_new.grace_seconds, catch_up_limit = p_new.catch_up_limit,
    overlap = p_new.overlap, jitter_seconds = p_new.jitter_seconds, params = p_new.params, priority = p_new.priority,
    min_score = p_new.min_score, revision = s.revision + 1,
    anchored_at = case when v_clock then pg_catalog.clock_timestamp() else s.anchored_at end,
    next_at = case when v_clock then null else s.next_at end,
    due_at = case when v_clock then null
      when s.next_at is null then s.due_at
      else s.next_at + private.jitter(s.id, s.next_at, p_new.jitter_seconds) end,
    -- Where overlapping was queued until now, nobody has kept the list.
    open_runs = case
      when p_new.overlap = 'queue' then '{}'
      when s.overlap <> 'queue' then s.open_runs
      else array(
        select r.id from ops.schedule_ticks t join ops.runs r on r.id = t.run_id
        where t.schedule_id = s.id and r.status in ('queued', 'claimed', 'running')) end
  where s.id = p_old.id
    and (s.pipeline, s.kind, s.cron, s.timezone, s.after_pipeline, s.dataset, s.stale_seconds, s.misfire, s.grace_seconds,
      s.catch_up_limit, s.overlap, s.jitter_seconds, s.params, s.priority, s.min_score)
    is distinct from (p_new.pipeline, p_new.kind, p_new.cron, p_new.timezone, p_new.after_pipeline, p_new.dataset,
      p_new.stale_seconds, p_new.misfire, p_new.grace_seconds, p_new.catch_up_limit, p_new.overlap, p_new.jitter_seconds,
      p_new.params, p_new.priority, p_new.min_score);
  if v_clock and p_old.kind <> 'cron' then
    update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was changed',
      decided_at = pg_catalog.clock_timestamp()
    where schedule_id = p_old.id and outcome = 'pending';
  end if;
end
$$;

create or replace function ops.pause_schedule(p_schedule_id uuid, p_reason text default '') returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'operator');
  update ops.schedules
  set paused = true, paused_reason = coalesce(p_reason, ''), paused_by = private.subject(),
    paused_at = pg_catalog.clock_timestamp(), revision = revision + 1
  where id = p_schedule_id and not paused;
end
$$;

-- What was due in the pause is passed over and noted, or (p_catch_up) made up for as the schedule's misfire policy says.
create or replace function ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean default false) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'operator');
  perform private.resume(p_schedule_id, p_catch_up, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.resume(p_schedule_id uuid, p_catch_up boolean, p_now timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id and paused for no key update;
  if not found then
    return;
  end if;
  if not p_catch_up then
    if v_schedule.next_at <= p_now then
      perform private.note_skipped(v_schedule, v_schedule.next_at, p_now, null, 'paused', p_now);
    end if;
    update ops.schedule_ticks set outcome = 'skipped', reason = 'paused', decided_at = p_now
    where schedule_id = p_schedule_id and outcome = 'pending';
  end if;
  update ops.schedules
  set paused = false, paused_reason = '', paused_by = null, paused_at = null, revision = revision + 1,
    anchored_at = case when p_catch_up then anchored_at else p_now end,
    next_at = case when p_catch_up then next_at end, due_at = case when p_catch_up then due_at end
  where id = p_schedule_id;
end
$$;

-- The ledger of its ticks stays.
create or replace function ops.remove_schedule(p_schedule_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'editor');
  update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was removed',
    decided_at = pg_catalog.clock_timestamp()
  where schedule_id = p_schedule_id and outcome = 'pending';
  delete from ops.schedules where id = p_schedule_id;
end
$$;

-- Starts a run now, as a tick of its own; paused or not. With a key a repeat gives the same run.
create or replace function ops.fire_schedule(p_schedule_id uuid, p_key text default null) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules := private.my_schedule(p_schedule_id, 'operator');
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_key text := 'manual:' || coalesce(p_key, private.new_id()::text);
  v_run uuid;
begin
  select t.run_id into v_run from ops.schedule_ticks t where t.schedule_id = p_schedule_id and t.key = v_key;
  if found then
    return v_run;
  end if;
  v_run := private.create_scheduled_run(v_schedule, v_key, v_now, '{}');
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, reason, run_id, decided_at)
  values (v_schedule.project_id, v_schedule.env, p_schedule_id, v_key, v_now, 'fired', 'by hand', v_run, v_now);
  if v_schedule.overlap <> 'queue' then
    update ops.schedules set open_runs = private.open_runs(v_schedule) || v_run where id = p_schedule_id;
  end if;
  return v_run;
end
$$;
