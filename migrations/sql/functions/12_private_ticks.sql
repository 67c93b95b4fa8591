-- The two ways to a tick: the clock, whose ticks the steward counts out, and events, which are in the ledger already.

-- Notes skipped ticks of a clock that stand in a row.
create or replace function private.note_skipped(
  p_schedule ops.schedules, p_from timestamptz, p_through timestamptz, p_ticks int, p_reason text, p_now timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.schedule_ticks (
    project_id, env, schedule_id, key, tick, through, ticks, outcome, reason, decided_at)
  values (
    p_schedule.project_id, p_schedule.env, p_schedule.id, extract(epoch from p_from)::bigint::text, p_from,
    case when p_ticks is distinct from 1 then p_through end, p_ticks, 'skipped', p_reason, p_now)
  on conflict (schedule_id, key) do nothing;
end
$$;

-- Decides ticks of a cron schedule. p_ticks are all its ticks from where it stands up to p_now, p_next is the one after them
-- (null: there is none). Prepared from what it was at p_revision and p_expected; if it has moved on since, nothing happens,
-- so that of two stewards one decides, and one that died is simply followed by another.
-- p_before: ticks before p_ticks[1] were too many to be listed; they begin here.
create or replace function private.decide_cron(
  p_schedule_id uuid, p_revision int, p_expected timestamptz, p_ticks timestamptz[], p_next timestamptz, p_now timestamptz,
  p_before timestamptz default null
) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
  v_open uuid[];
  v_one record;
  v_fired record;
  v_from timestamptz;
  v_through timestamptz;
  v_skipped int := 0;
  v_why text := '';
  v_done int := 0;
  v_next timestamptz;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found or v_schedule.paused or v_schedule.kind <> 'cron' or v_schedule.revision <> p_revision
    or v_schedule.next_at is distinct from p_expected then
    return 0;
  end if;
  v_open := private.open_runs(v_schedule);
  if p_before is not null then
    perform private.note_skipped(
      v_schedule, p_before, p_ticks[1], null, 'missed; more than can be listed', p_now);
  end if;
  for v_one in select * from private.judge_ticks(v_schedule, p_now, p_ticks) loop
    v_done := v_one.ordinal;
    if v_skipped > 0 and v_one.verdict <> v_why then
      perform private.note_skipped(v_schedule, v_from, v_through, v_skipped, v_why, p_now);
      v_skipped := 0;
    end if;
    if v_one.verdict = 'fire' then
      v_fired := private.fire_tick(
        v_schedule, extract(epoch from v_one.tick)::bigint::text, v_one.tick, '{}', v_open);
      v_open := v_fired.open_runs;
      insert into ops.schedule_ticks (
        project_id, env, schedule_id, key, tick, outcome, reason, run_id, decided_at)
      values (
        v_schedule.project_id, v_schedule.env, v_schedule.id, extract(epoch from v_one.tick)::bigint::text, v_one.tick,
        v_fired.outcome, v_fired.reason, v_fired.run_id, p_now)
      -- Decided before, when the server's clock was ahead of itself: its run is the same by its key, and the row stands.
      on conflict (schedule_id, key) do nothing;
      continue;
    end if;
    if v_skipped = 0 then
      v_from := v_one.tick;
      v_why := v_one.verdict;
    end if;
    v_through := v_one.tick;
    v_skipped := v_skipped + 1;
  end loop;
  if v_skipped > 0 then
    perform private.note_skipped(v_schedule, v_from, v_through, v_skipped, v_why, p_now);
  end if;
  v_next := coalesce(p_ticks[v_done + 1], p_next);
  update ops.schedules
  set next_at = v_next,
    due_at = coalesce(v_next + private.jitter(id, v_next, jitter_seconds), 'infinity'),
    last_tick = coalesce(p_ticks[v_done], last_tick), open_runs = v_open
  where id = p_schedule_id;
  return v_done;
end
$$;

-- Decides the pending ticks of a schedule that are due, in their order.
create or replace function private.decide_pending(p_schedule_id uuid, p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
  v_ids uuid[];
  v_ticks timestamptz[];
  v_open uuid[];
  v_one record;
  v_tick ops.schedule_ticks;
  v_fired record;
  v_done int := 0;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found then
    update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was removed', decided_at = p_now
    where schedule_id = p_schedule_id and outcome = 'pending';
    return 0;
  end if;
  if v_schedule.paused then
    return 0;
  end if;
  select pg_catalog.array_agg(t.id order by t.tick, t.id), pg_catalog.array_agg(t.tick order by t.tick, t.id)
  into v_ids, v_ticks
  from ops.schedule_ticks t where t.schedule_id = p_schedule_id and t.outcome = 'pending';
  v_open := private.open_runs(v_schedule);
  for v_one in select * from private.judge_ticks(v_schedule, p_now, v_ticks) loop
    select * into strict v_tick from ops.schedule_ticks where id = v_ids[v_one.ordinal];
    if v_one.verdict = 'fire' then
      v_fired := private.fire_tick(v_schedule, v_tick.key, v_tick.tick, v_tick.data, v_open);
      v_open := v_fired.open_runs;
    else
      select 'skipped' as outcome, v_one.verdict as reason, null::uuid as run_id into v_fired;
    end if;
    update ops.schedule_ticks
    set outcome = v_fired.outcome, reason = v_fired.reason, run_id = v_fired.run_id, decided_at = p_now
    where id = v_tick.id;
    v_done := v_done + 1;
  end loop;
  if v_done > 0 then
    update ops.schedules set last_tick = v_tick.tick, open_runs = v_open where id = p_schedule_id;
  end if;
  return v_done;
end
$$;
