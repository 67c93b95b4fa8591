-- Caps, pools and prices, as people set them. An admin of the project sets what is the project's, an admin of the org the rest.

drop function if exists private.lock_limits();
drop function if exists ops.remove_cap(text);

-- Claims share locks while they choose, and not a table's, since heartbeats read those: whoever changes limits waits for the
-- claims under way, so that each is before the change, and then counted by it, or after it. Until the change is committed,
-- claims step over the org's runs (private.share_limits), so that the transaction must not stay open for long.
create or replace function private.lock_limits(p_org_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.limits', 0));
  perform pg_catalog.pg_advisory_xact_lock(private.limits_lock(p_org_id));
  perform private.bound_transaction();
exception
  when lock_not_available then
    raise exception using errcode = 'CR006', message =
      'limits cannot be changed while a claim takes so long; try again';
end
$$;

-- Ends the caller's session where it lets the transaction lie for 5 s, or (from Postgres 17 on) goes on in it for a minute, unless
-- it has asked for less itself. A minute, for a cap with a month of charges is not removed in a moment.
create or replace function private.bound_transaction() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_catalog.set_config(b.name, b.most::text, true)
  from (values ('idle_in_transaction_session_timeout', 5000), ('transaction_timeout', 60000)) as b (name, most)
  join pg_catalog.pg_settings s on s.name = b.name
  where s.setting::int not between 1 and b.most;
end
$$;

-- Ids of the scope that a limit is to have; the caller is an admin there.
create or replace function private.limited_scope(p_org text, p_project text, out org_id uuid, out project_id uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  select f.org_id, f.project_id into org_id, project_id from private.find_project(p_org, p_project) as f;
  perform private.require_admin(org_id, project_id, '{dev,stage,prod}');
end
$$;

-- Makes a cap, or changes how much it allows. Unit, period and scope stay: what was charged would mean something else. Runs that
-- are at work count in a concurrent cap from its first moment.
create or replace function ops.set_cap(
  p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_old ops.caps;
  v_cap uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  if p_key is null or p_key !~ '^[a-z][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_key is %L; begin with a letter, then a-z, 0-9, _ . - up to 63 characters', p_key);
  end if;
  if p_amount is null or p_amount < 0 or p_amount = 'NaN' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_amount is %s; it must be zero or more', coalesce(p_amount::text, 'missing'));
  end if;
  if p_unit is null or p_unit not in ('runs', 'cpu_seconds', 'rows', 'bytes', 'money')
     or p_period is null or p_period not in ('hour', 'day', 'week', 'month', 'concurrent')
     or (p_period = 'concurrent' and p_unit <> 'runs') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a cap on %L by %L is none; use runs, cpu_seconds, rows, bytes or money by hour, day, week or month, or runs by concurrent',
      p_unit, p_period);
  end if;
  if p_pipeline is not null and v_project is null then
    raise exception using errcode = 'CR007', message = 'p_pipeline needs p_project: a pipeline is a project''s';
  end if;
  perform private.lock_limits(v_org);
  select * into v_old from ops.caps where org_id = v_org and key = p_key;
  if not found then
    insert into ops.caps (key, org_id, project_id, pipeline, unit, amount, period, created_by)
    values (p_key, v_org, v_project, p_pipeline, p_unit, p_amount, p_period, private.subject())
    returning id into v_cap;
    if p_period = 'concurrent' then
      insert into ops.cap_usage (cap_id, project_id, run_id, lease_token, amount)
      select v_cap, l.project_id, l.run_id, l.lease_token, 1
      from ops.run_leases l
      join ops.runs r on r.id = l.run_id
      join ops.projects p on p.id = l.project_id
      where p.org_id = v_org and (v_project is null or p.id = v_project) and (p_pipeline is null or r.pipeline = p_pipeline);
    end if;
  elsif (v_old.unit, v_old.period) <> (p_unit, p_period)
     or v_old.project_id is distinct from v_project or v_old.pipeline is distinct from p_pipeline then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'there is a cap %s with another scope, unit or period; choose another name, or remove it first', p_key);
  else
    update ops.caps set amount = p_amount where id = v_old.id returning id into v_cap;
  end if;
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_cap;
end
$$;

-- Ends a cap, and with it the record of what was charged to it; the audit log keeps the cap.
create or replace function ops.remove_cap(p_org text, p_key text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cap ops.caps;
begin
  -- One answer for what is not there and what the caller may not know of.
  select c.* into v_cap from ops.caps c join ops.orgs o on o.id = c.org_id where o.slug = p_org and c.key = p_key;
  if not found or not private.sees_scope(v_cap.org_id, v_cap.project_id) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no cap %L; `controlroom cap list` shows them', p_key);
  end if;
  perform private.require_admin(v_cap.org_id, v_cap.project_id, '{dev,stage,prod}');
  perform private.lock_limits(v_cap.org_id);
  -- First: heartbeats step over it (private.charge_metered_caps), and over its charges whoever ends a run (private.end_lease).
  perform from ops.caps where id = v_cap.id for update;
  delete from ops.cap_usage where cap_id = v_cap.id;
  delete from ops.caps where id = v_cap.id;
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;

-- May the caller know of what belongs to this org or project?
create or replace function private.sees_scope(p_org_id uuid, p_project_id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.is_trusted() or (
    exists (select from private.my_orgs() as o where o = p_org_id)
    and (p_project_id is null or exists (select from private.my_projects() as p where p = p_project_id)));
end
$$;

-- Makes a pool or changes its slots. Runs at work that name it hold their slots from its first moment; fewer slots than are in use
-- take nothing away, they are given out when enough have come back.
create or replace function ops.set_pool(p_org text, p_project text, p_name text, p_slots int) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_pool uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  if p_name is null or p_name !~ '^[a-z][a-z0-9_]{0,62}$' or p_slots is null or p_slots < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a pool %L of %s slots is none; the name begins with a letter, then a-z, 0-9, _; slots are zero or more', p_name,
      coalesce(p_slots::text, 'no'));
  end if;
  perform private.lock_limits(v_org);
  update ops.pools set slots = p_slots
  where org_id = v_org and project_id is not distinct from v_project and name = p_name
  returning id into v_pool;
  if not found then
    insert into ops.pools (org_id, project_id, name, slots, created_by)
    values (v_org, v_project, p_name, p_slots, private.subject())
    returning id into v_pool;
    perform private.hold_pools_anew(v_org, p_name);
  end if;
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_pool;
end
$$;

-- After a pool of that name came or went: whoever is at work holds slots of the one that the name now stands for.
create or replace function private.hold_pools_anew(p_org_id uuid, p_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.pool_uses u
  using ops.pools l
  where l.id = u.pool_id and l.org_id = p_org_id and l.name = p_name;
  insert into ops.pool_uses (pool_id, run_id, project_id, lease_token, slots)
  select f.pool_id, l.run_id, l.project_id, l.lease_token, f.needs
  from ops.run_leases l
  join ops.projects p on p.id = l.project_id and p.org_id = p_org_id
  join ops.runs r on r.id = l.run_id and r.pools ? p_name
  cross join lateral private.pools_for(l.project_id, r.pools) as f
  where f.name = p_name;
end
$$;

-- Ends a pool: a name without a pool holds nobody up.
create or replace function ops.remove_pool(p_org text, p_project text, p_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_pool uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  perform private.lock_limits(v_org);
  select id into v_pool from ops.pools
  where org_id = v_org and project_id is not distinct from v_project and name = p_name;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no pool %L; `controlroom pool list` shows them', p_name);
  end if;
  delete from ops.pool_uses where pool_id = v_pool;
  delete from ops.pools where id = v_pool;
  perform private.hold_pools_anew(v_org, p_name);
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;

-- What a unit costs from p_valid_from on; now, where it is null. Not from a moment that is over: what was charged stays.
create or replace function ops.set_price(
  p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamptz default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_known text;
  v_price uuid;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  select s.org_id into v_org from private.limited_scope(p_org, null) as s;
  if p_unit is null or p_unit not in ('cpu_second', 'gb_hour', 'gb_read', 'gb_written')
     or p_price is null or p_price < 0 or p_price in ('NaN', 'Infinity') or p_currency is null or p_currency !~ '^[A-Z]{3}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a price of %s %s for a %L is none; the unit is cpu_second, gb_hour, gb_read or gb_written, the price zero or more, the '
      'currency three capital letters', p_price, p_currency, p_unit);
  end if;
  if p_valid_from < v_now - interval '1 minute' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_valid_from is %s, which is over; what was used then keeps its price', p_valid_from);
  end if;
  -- Two admins at once must not bring two currencies.
  perform from ops.orgs where id = v_org for no key update;
  select currency into v_known from ops.prices where org_id = v_org limit 1;
  if v_known <> p_currency then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'the prices of %s are in %s; give this one in %s too: costs are added up', p_org, v_known, v_known);
  end if;
  insert into ops.prices (org_id, unit, price, currency, valid_from, created_by)
  values (v_org, p_unit, p_price, p_currency, greatest(p_valid_from, v_now), private.subject())
  on conflict (org_id, unit, valid_from) do update set price = excluded.price
  returning id into v_price;
  return v_price;
end
$$;

-- The caps that the caller may know of, what is used of each, and when it is used up if it goes on as since the period began.
create or replace function ops.cap_report() returns table (
  key text, org text, project text, pipeline text, unit text, period text, amount numeric, used numeric,
  resets_at timestamptz, used_up_at timestamptz, cap_id uuid, org_id uuid, project_id uuid, began_at timestamptz,
  asked_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return query
    select c.key, o.slug, p.slug, c.pipeline, c.unit, c.period, c.amount, u.used, private.period_end(c.period, v_now),
      case
        when c.period = 'concurrent' then null
        when u.used >= c.amount then v_now
        -- Counted from when the cap was made, where that is later than the period's beginning.
        when u.used > 0 then (
          select f.at from (
            select v_now + (v_now - b.at) * least(((c.amount - u.used) / u.used)::float8, 1e6) as at
            from (select greatest(private.period_start(c.period, v_now), c.created_at) as at) as b) as f
          where f.at < private.period_end(c.period, v_now))
      end,
      c.id, c.org_id, c.project_id, case when c.period <> 'concurrent' then private.period_start(c.period, v_now) end, v_now
    from ops.caps c
    join ops.orgs o on o.id = c.org_id
    left join ops.projects p on p.id = c.project_id
    cross join lateral (select private.cap_used(c, v_now) as used) as u
    where private.sees_scope(c.org_id, c.project_id)
    order by c.key, o.slug;
end
$$;
