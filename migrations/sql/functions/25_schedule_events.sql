-- Events that start schedules: each is written into the ledger by the transaction in which it happens, and can therefore
-- not be lost. The steward decides it later.

-- Where nobody waits for a pipeline it costs a run's end one probe of a small index.
create or replace function private.note_success() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- What a refresh has built is nobody's yet.
  if private.refresh_of(new.id) is not null then
    return null;
  end if;
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select s.project_id, s.env, s.id, 'run:' || new.id, new.finished_at, 'pending',
    pg_catalog.jsonb_build_object('run_id', new.id)
  from ops.schedules s
  where s.project_id = new.project_id and s.env = new.env and s.after_pipeline = new.pipeline
    and s.kind = 'after_pipeline'
  on conflict (schedule_id, key) do nothing;
  return null;
end
$$;

-- A past that is computed again is not news: what follows a backfill or a replay is for whoever ordered it to say.
create or replace trigger schedules_after
  after update of status on ops.runs
  for each row when (
    new.status = 'succeeded' and old.status <> 'succeeded' and new.trigger not in ('backfill', 'replay'))
  execute function private.note_success();

create or replace function private.note_release() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select s.project_id, s.env, s.id, 'dataset:' || new.id || '@' || new.version, new.updated_at, 'pending',
    pg_catalog.jsonb_build_object('dataset', s.dataset, 'version', new.version, 'run_id', (
      select v.run_id from ops.dataset_versions v where v.dataset_id = new.id and v.version = new.version))
  from ops.schedules s
  where s.project_id = new.project_id and s.env = new.env and s.dataset = new.layer || '.' || new.name
    and s.kind = 'on_dataset'
  on conflict (schedule_id, key) do nothing;
  return null;
end
$$;

create or replace trigger schedules_on_dataset
  after update of version on ops.datasets
  for each row when (new.version is distinct from old.version)
  execute function private.note_release();

-- A tick for each when_stale schedule whose dataset is too old at p_now, and another for each further span of that length:
-- a run that failed to freshen it is not the last try. Of several spans that nobody watched, the last is noted.
create or replace function private.note_stale(p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_noted int;
begin
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select a.project_id, a.env, a.id, 'stale:' || extract(epoch from a.at)::text, a.at, 'pending',
    pg_catalog.jsonb_build_object('dataset', a.dataset, 'clock', a.clock)
  from (
    select s.*, c.clock, c.clock + pg_catalog.make_interval(
      secs => pg_catalog.floor(extract(epoch from p_now - c.clock)::float8 / s.stale_seconds) * s.stale_seconds) as at
    from ops.schedules s
    cross join lateral (
      select coalesce(private.dataset_clock(s.project_id, s.env, s.dataset), s.anchored_at) as clock
    ) as c
    where s.kind = 'when_stale' and not s.paused
      and p_now - c.clock >= pg_catalog.make_interval(secs => s.stale_seconds)
  ) as a
  on conflict (schedule_id, key) do nothing;
  get diagnostics v_noted = row_count;
  return v_noted;
end
$$;

-- What the elected steward asks: which clocks are due.
create or replace function ops.due_schedules(p_limit int default 200)
returns table (
  id uuid, revision int, cron text, timezone text, next_at timestamptz, anchored_at timestamptz, asked_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from private.due_schedules(p_limit, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.due_schedules(p_limit int, p_now timestamptz)
returns table (
  id uuid, revision int, cron text, timezone text, next_at timestamptz, anchored_at timestamptz, asked_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.id, s.revision, s.cron, s.timezone, s.next_at, s.anchored_at, p_now
    from ops.schedules s
    where s.kind = 'cron' and not s.paused and (s.due_at is null or s.due_at <= p_now)
    order by s.due_at nulls first, s.id
    limit p_limit;
end
$$;

-- Decisions, each {id, revision, expected, ticks, next, before, asked_at, fault}; see private.decide_cron. Each is about what
-- was so when its clock was asked for. With a fault the clock cannot be read: the schedule is paused with that reason. In the
-- order of their ids, so that two stewards cannot block each other. Returns how many ticks were decided.
create or replace function ops.decide_clocks(p_decisions jsonb) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_done int := 0;
begin
  for v_one in
    select * from pg_catalog.jsonb_to_recordset(p_decisions) as d (
      id uuid, revision int, expected timestamptz, ticks timestamptz[], next timestamptz, before timestamptz,
      asked_at timestamptz, fault text)
    order by d.id
  loop
    if v_one.fault is null then
      v_done := v_done + private.decide_cron(
        v_one.id, v_one.revision, v_one.expected, v_one.ticks, v_one.next, v_one.asked_at, v_one.before);
    else
      update ops.schedules s
      set paused = true, paused_reason = v_one.fault, paused_at = v_one.asked_at, revision = s.revision + 1
      where s.id = v_one.id and s.revision = v_one.revision and not s.paused;
    end if;
  end loop;
  return v_done;
end
$$;

-- Schedules with events that wait for a decision.
create or replace function ops.pending_schedules(p_limit int default 200) returns setof uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.note_stale(pg_catalog.clock_timestamp());
  return query
    select p.schedule_id
    from (select distinct t.schedule_id from ops.schedule_ticks t where t.outcome = 'pending') as p
    left join ops.schedules s on s.id = p.schedule_id
    where not coalesce(s.paused, false)
    order by 1
    limit p_limit;
end
$$;

create or replace function ops.decide_events(p_schedule_id uuid) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.decide_pending(p_schedule_id, pg_catalog.clock_timestamp());
end
$$;

-- Forgets decided ticks that were noted longer than p_keep ago. Ids begin with their moment: the primary key finds them.
create or replace function ops.prune_ticks(p_keep interval) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_gone int;
begin
  if p_keep is null or p_keep < interval '1 day' then
    raise exception using errcode = 'CR007', message = 'p_keep must be one day or more';
  end if;
  delete from ops.schedule_ticks
  where outcome <> 'pending' and id < pg_catalog.rpad(pg_catalog.lpad(pg_catalog.to_hex(
    (extract(epoch from pg_catalog.clock_timestamp() - p_keep) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
  get diagnostics v_gone = row_count;
  return v_gone;
end
$$;
