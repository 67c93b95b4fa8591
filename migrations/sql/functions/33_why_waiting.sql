-- What a queued run waits for, in one row; none for a run that is not queued. Asked in the order in which it would have to be
-- cured: until a pause is over nothing else matters, without an executor no limit does.
--   backoff     it may not begin before `until`
--   nobody      no executor is at work
--   capability  no executor at work can do what it needs
--   cap         a cap on runs is full
--   pool        a pool has too few free slots; data.holders are those that the caller may see
--   queue       data.ahead runs go before it (at most 1,000 are counted)
create or replace function ops.why_waiting(p_run_id uuid)
returns table (reason text, said text, until timestamptz, data jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_run ops.runs;
  v_found record;
begin
  select * into v_run from ops.runs r where r.id = p_run_id;
  -- Not private.require_role: that is for who changes something, and refuses a look at one moment, which pages read in.
  if not private.is_trusted() and not exists (
    select from private.my_scopes('viewer') as s where s = v_run.project_id::text || '/' || v_run.env) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status is distinct from 'queued' then
    return;
  end if;
  if v_run.available_at > v_now then
    return query select 'backoff', pg_catalog.format('it waits until %s',
      pg_catalog.to_char(v_run.available_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')), v_run.available_at,
      pg_catalog.jsonb_build_object('attempt', v_run.attempt, 'error_code', v_run.error_code);
    return;
  end if;
  select w.reason, w.said, null::timestamptz as until, w.data into v_found from private.lacks_executor(v_run, v_now) as w;
  if v_found.reason is null then
    select 'cap' as reason, w.said, w.until, w.data into v_found from private.waits_for_cap(v_run, v_now) as w;
  end if;
  if v_found.said is null then
    select 'pool' as reason, w.said, null::timestamptz as until, w.data into v_found from private.waits_for_pool(v_run) as w;
  end if;
  if v_found.said is null then
    select 'queue' as reason, case n.ahead when 0 then 'it is the next' else pg_catalog.format(
      '%s%s before it', case when n.ahead = 1 then '1 run goes' else n.ahead || ' runs' end,
      case when n.ahead = 1 then '' when n.ahead >= 1000 then ' or more go' else ' go' end) end as said,
      null::timestamptz as until, pg_catalog.jsonb_build_object('ahead', n.ahead) as data
    into v_found from private.runs_ahead(v_run, v_now) as n (ahead);
  end if;
  return query select v_found.reason, v_found.said, v_found.until, v_found.data;
end
$$;

create or replace function private.lacks_executor(p_run ops.runs, p_now timestamptz)
returns table (reason text, said text, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when e.alive = 0 then 'nobody' else 'capability' end,
    case when e.alive = 0 then 'no executor is at work; `controlroom up` starts some'
      else pg_catalog.format('no executor at work has the capability %s', (
        select pg_catalog.string_agg(c, ', ' order by c) from pg_catalog.unnest(p_run.capabilities) as c)) end,
    pg_catalog.jsonb_build_object('executors', e.alive, 'capabilities', p_run.capabilities)
  from (
    select pg_catalog.count(*) as alive,
      pg_catalog.count(*) filter (where p_run.capabilities <@ x.capabilities) as able
    from ops.executors x
    -- The steward calls one lost after the same silence; where nobody is steward, nobody calls.
    where x.state = 'active' and x.last_seen > p_now - interval '2 minutes') as e
  where e.able = 0
$$;

create or replace function private.waits_for_cap(p_run ops.runs, p_now timestamptz)
returns table (said text, until timestamptz, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.format('cap %s is full: %s of %s runs (%s)', c.key, pg_catalog.trim_scale(u.used),
      pg_catalog.trim_scale(c.amount), c.period),
    private.period_end(c.period, p_now),
    pg_catalog.jsonb_build_object('cap', c.key, 'used', u.used, 'amount', c.amount, 'period', c.period)
  from private.caps_on(p_run.project_id, p_run.pipeline) as c
  cross join lateral (select private.cap_used(c, p_now) as used) as u
  where c.unit = 'runs' and u.used + 1 > c.amount
  order by c.key
  limit 1
$$;

create or replace function private.waits_for_pool(p_run ops.runs) returns table (said text, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
      when l.needs > l.slots then pg_catalog.format(
        'pool %s has %s slots, the run needs %s: give the pool more', l.name, l.slots, l.needs)
      else pg_catalog.format('pool %s is full: %s of %s slots are in use and the run needs %s%s', l.name, s.used, l.slots, l.needs,
        '; held by ' || nullif(h.said, ''))
    end,
    pg_catalog.jsonb_build_object('pool', l.name, 'slots', l.slots, 'used', s.used, 'needs', l.needs,
      'holders', h.seen, 'hidden_holders', h.hidden)
  from private.pools_for(p_run.project_id, p_run.pools) as l
  cross join lateral (select private.pool_used(l.pool_id) as used) as s
  cross join lateral (
    select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'run_id', u.run_id, 'pipeline', r.pipeline, 'slots', u.slots) order by u.taken_at) filter (where v.seen), '[]') as seen,
      pg_catalog.count(*) filter (where not v.seen) as hidden,
      pg_catalog.concat_ws(' and ',
        pg_catalog.string_agg(pg_catalog.format('%s %s', r.pipeline, u.run_id), ', ' order by u.taken_at) filter (where v.seen),
        case when pg_catalog.count(*) filter (where not v.seen) > 0 then pg_catalog.format(
          '%s that you may not see', pg_catalog.count(*) filter (where not v.seen)) end) as said
    from ops.pool_uses u
    join ops.runs r on r.id = u.run_id
    cross join lateral (select private.is_trusted() or exists (
      select from private.my_scopes() as m where m = r.project_id::text || '/' || r.env) as seen) as v
    where u.pool_id = l.pool_id and private.is_leased(u.run_id, u.lease_token)) as h
  where s.used + l.needs > l.slots
  order by l.name
  limit 1
$$;

-- How many runs that may be claimed stand before it, of whatever project.
create or replace function private.runs_ahead(p_run ops.runs, p_now timestamptz) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.count(*)
  from (
    select from ops.runs r
    where r.status = 'queued' and (r.priority, r.turn, r.id) < (p_run.priority, p_run.turn, p_run.id)
      and r.available_at <= p_now
    order by r.priority, r.turn, r.id
    limit 1000) as n
$$;
