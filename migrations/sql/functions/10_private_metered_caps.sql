-- Caps on what runs use while they work: CPU-seconds, rows, bytes, money. The owner of a run says what each try at a phase has
-- used so far; what is more than it said before is charged at once. Values are cumulative and bound to run, phase, attempt and
-- lease token: a repeat charges nothing, and a retry has a row of its own, so that none resets what another used.
-- Caps on runs are the claim's: their runs wait.

drop function if exists private.require_metered_caps(uuid);
drop function if exists private.charge_metered_caps(uuid, uuid, bigint, bigint, bigint);

create or replace function private.is_metered() returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Nearly every installation has no such cap, and each phase and heartbeat asks.
  return exists (select from ops.caps c where c.unit <> 'runs');
end
$$;

-- In words, the first metered cap that is used up for runs of the pipeline; null where none is.
create or replace function private.used_up(p_project_id uuid, p_pipeline text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return (
    select pg_catalog.format(
      'cap %s is used up: %s of %s %s (%s); raise it, or retry when its period is over%s', c.key,
      pg_catalog.trim_scale(round(private.cap_used(c, v_now), 3)), pg_catalog.trim_scale(c.amount), c.unit, c.period,
      pg_catalog.to_char(private.period_end(c.period, v_now) at time zone 'UTC', '", at" YYYY-MM-DD HH24:MI "UTC"'))
    from private.caps_on(p_project_id, p_pipeline) as c
    where c.unit <> 'runs' and private.cap_used(c, v_now) >= c.amount
    order by c.key
    limit 1);
end
$$;

create or replace function private.require_metered_caps(p_run_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said text;
begin
  if private.is_metered() then
    select private.used_up(r.project_id, r.pipeline) into v_said from ops.runs r where r.id = p_run_id;
    if v_said is not null then
      raise exception using errcode = 'CR003', message = v_said;
    end if;
  end if;
end
$$;

-- What it costs at the prices that are valid now; null where there are none.
create or replace function private.cost_of(
  p_org_id uuid, p_cpu_seconds numeric, p_gb_seconds numeric, p_read_bytes numeric, p_written_bytes numeric,
  out cost numeric, out currency text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select round(pg_catalog.sum(p.price * case p.unit
      when 'cpu_second' then p_cpu_seconds
      when 'gb_hour' then p_gb_seconds / 3600
      when 'gb_read' then p_read_bytes / 1000000000
      else p_written_bytes / 1000000000
    end), 12), pg_catalog.max(p.currency)
  into cost, currency
  from (
    select distinct on (o.unit) o.unit, o.price, o.currency
    from ops.prices o
    where o.org_id = p_org_id and o.valid_from <= pg_catalog.clock_timestamp()
    order by o.unit, o.valid_from desc) as p;
end
$$;

-- Takes reports [{run_id, lease_token, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes,
-- rows_moved, bytes_moved}] of runs whose lease rows the caller has locked. Caps are charged in the order of their ids, last, so
-- that no two callers wait for each other in a circle.
create or replace function private.charge_usage(p_reports jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new record;
  v_old ops.phase_usage;
  v_sum ops.phase_usage;
  v_cost record;
  v_more jsonb := '[]';
begin
  for v_new in
    select u.*, r.project_id, r.pipeline, p.org_id
    from pg_catalog.jsonb_to_recordset(p_reports) as u (
      run_id uuid, lease_token bigint, phase text, attempt int, seconds numeric, cpu_seconds numeric,
      peak_memory_bytes numeric, read_bytes numeric, written_bytes numeric, rows_moved numeric, bytes_moved numeric)
    join ops.runs r on r.id = u.run_id
    join ops.projects p on p.id = r.project_id
    -- Of a try that was begun: what was never started cannot have used anything.
    join ops.run_phases ph on ph.run_id = u.run_id and ph.name = u.phase and u.attempt between 1 and ph.attempt
    order by u.run_id, u.phase, u.attempt
  loop
    select * into v_old from ops.phase_usage o
    where o.run_id = v_new.run_id and o.phase = v_new.phase and o.attempt = v_new.attempt
      and o.lease_token = v_new.lease_token;
    v_sum.seconds := greatest(v_old.seconds, v_new.seconds, 0);
    v_sum.cpu_seconds := greatest(v_old.cpu_seconds, v_new.cpu_seconds, 0);
    v_sum.peak_memory_bytes := greatest(v_old.peak_memory_bytes, v_new.peak_memory_bytes, 0);
    v_sum.read_bytes := greatest(v_old.read_bytes, v_new.read_bytes, 0);
    v_sum.written_bytes := greatest(v_old.written_bytes, v_new.written_bytes, 0);
    v_sum.rows_moved := greatest(v_old.rows_moved, v_new.rows_moved, 0);
    v_sum.bytes_moved := greatest(v_old.bytes_moved, v_new.bytes_moved, 0);
    select * into v_cost from private.cost_of(
      v_new.org_id, v_sum.cpu_seconds - coalesce(v_old.cpu_seconds, 0),
      (v_sum.peak_memory_bytes * v_sum.seconds - coalesce(v_old.peak_memory_bytes * v_old.seconds, 0)) / 1000000000,
      v_sum.read_bytes - coalesce(v_old.read_bytes, 0), v_sum.written_bytes - coalesce(v_old.written_bytes, 0));
    insert into ops.phase_usage as o (
      run_id, phase, attempt, lease_token, project_id, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes,
      rows_moved, bytes_moved, cost, currency)
    values (
      v_new.run_id, v_new.phase, v_new.attempt, v_new.lease_token, v_new.project_id, v_sum.seconds, v_sum.cpu_seconds,
      v_sum.peak_memory_bytes, v_sum.read_bytes, v_sum.written_bytes, v_sum.rows_moved, v_sum.bytes_moved, v_cost.cost,
      v_cost.currency)
    on conflict (run_id, phase, attempt, lease_token) do update
    set seconds = excluded.seconds, cpu_seconds = excluded.cpu_seconds, peak_memory_bytes = excluded.peak_memory_bytes,
      read_bytes = excluded.read_bytes, written_bytes = excluded.written_bytes, rows_moved = excluded.rows_moved,
      bytes_moved = excluded.bytes_moved, cost = coalesce(o.cost + excluded.cost, o.cost, excluded.cost),
      currency = coalesce(excluded.currency, o.currency), reported_at = pg_catalog.clock_timestamp();
    v_more := v_more || pg_catalog.jsonb_build_object(
      'run_id', v_new.run_id, 'lease_token', v_new.lease_token, 'phase', v_new.phase, 'attempt', v_new.attempt,
      'project_id', v_new.project_id, 'pipeline', v_new.pipeline, 'org_id', v_new.org_id,
      'cpu_seconds', v_sum.cpu_seconds - coalesce(v_old.cpu_seconds, 0),
      'rows', v_sum.rows_moved - coalesce(v_old.rows_moved, 0), 'bytes', v_sum.bytes_moved - coalesce(v_old.bytes_moved, 0),
      'money', v_cost.cost);
  end loop;
  if private.is_metered() then
    perform private.charge_metered_caps(v_more);
  end if;
end
$$;

-- One row of ops.cap_usage a cap, try and period grows with what the try uses.
create or replace function private.charge_metered_caps(p_more jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  for v_one in
    select c.id as cap_id, m.run_id, m.lease_token, m.phase, m.attempt, m.project_id,
      case when c.period = 'concurrent' then '-infinity' else private.period_start(c.period, v_now) end as since,
      case c.unit when 'cpu_seconds' then m.cpu_seconds when 'rows' then m.rows when 'bytes' then m.bytes else m.money end
        as amount
    from pg_catalog.jsonb_to_recordset(p_more) as m (
      run_id uuid, lease_token bigint, phase text, attempt int, project_id uuid, pipeline text, org_id uuid,
      cpu_seconds numeric, rows numeric, bytes numeric, money numeric)
    join ops.caps c on c.org_id = m.org_id and (c.project_id is null or c.project_id = m.project_id)
      and (c.pipeline is null or c.pipeline = m.pipeline)
    where c.unit <> 'runs'
    order by c.id, m.run_id, m.phase
    -- A cap that is just being removed needs nothing any more, and a heartbeat does not wait for that.
    for key share of c skip locked
  loop
    continue when v_one.amount is null or v_one.amount <= 0;
    update ops.cap_usage u
    set amount = u.amount + v_one.amount
    where u.run_id = v_one.run_id and u.cap_id = v_one.cap_id and u.lease_token = v_one.lease_token
      and u.phase = v_one.phase and u.attempt = v_one.attempt and u.used_at >= v_one.since and u.released_at is null;
    if not found then
      insert into ops.cap_usage (cap_id, project_id, run_id, lease_token, phase, attempt, amount, used_at)
      values (
        v_one.cap_id, v_one.project_id, v_one.run_id, v_one.lease_token, v_one.phase, v_one.attempt, v_one.amount, v_now);
    end if;
  end loop;
end
$$;
