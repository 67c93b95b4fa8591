-- What of a cap is used, and which caps and pools concern whom.

create or replace function private.period_start(p_period text, p_now timestamptz) returns timestamptz
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.date_trunc(p_period, p_now at time zone 'UTC') at time zone 'UTC'
$$;

-- When what is used is forgotten; null for a concurrent cap.
create or replace function private.period_end(p_period text, p_now timestamptz) returns timestamptz
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_period <> 'concurrent' then
    (pg_catalog.date_trunc(p_period, p_now at time zone 'UTC') + ('1 ' || p_period)::interval) at time zone 'UTC'
  end
$$;

-- What is used of a cap now: what is not released where it is concurrent, else what was charged since the period began.
-- A place that belongs to a lease is taken for as long as there is that lease, whatever became of the note of it.
create or replace function private.cap_used(p_cap ops.caps, p_now timestamptz) returns numeric
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_cap.period = 'concurrent' then
    return (select coalesce(pg_catalog.sum(u.amount), 0) from ops.cap_usage u
      where u.cap_id = p_cap.id and u.released_at is null and private.is_leased(u.run_id, u.lease_token));
  end if;
  return coalesce((select w.used from private.cap_windows w
    where w.cap_id = p_cap.id and w.starts_at = private.period_start(p_cap.period, p_now)), 0);
end
$$;

-- Keeps private.cap_windows the sum of ops.cap_usage, whoever writes there.
create or replace function private.count_cap_usage() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform private.count_in_window(old.cap_id, old.used_at, -old.amount);
  end if;
  if tg_op <> 'DELETE' then
    perform private.count_in_window(new.cap_id, new.used_at, new.amount);
  end if;
  return null;
end
$$;

create or replace function private.count_in_window(p_cap_id uuid, p_at timestamptz, p_amount numeric) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into private.cap_windows as w (cap_id, starts_at, used)
  select c.id, private.period_start(c.period, p_at), p_amount
  from ops.caps c
  where c.id = p_cap_id and c.period <> 'concurrent'
  on conflict (cap_id, starts_at) do update set used = w.used + excluded.used
$$;

-- The caps that runs of a pipeline are charged to.
create or replace function private.caps_on(p_project_id uuid, p_pipeline text) returns setof ops.caps
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.*
  from ops.projects p
  join ops.caps c on c.org_id = p.org_id and (c.project_id is null or c.project_id = p.id)
    and (c.pipeline is null or c.pipeline = p_pipeline)
  where p.id = p_project_id
$$;

-- The pools behind the names of a run, with what it needs of each: the project's own, else its org's. A name without a pool
-- holds nobody up.
create or replace function private.pools_for(p_project_id uuid, p_needs jsonb)
returns table (pool_id uuid, name text, slots int, needs int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select distinct on (n.key) l.id, l.name, l.slots, n.value::int
  from pg_catalog.jsonb_each_text(p_needs) as n
  join ops.projects p on p.id = p_project_id
  join ops.pools l on l.org_id = p.org_id and l.name = n.key and (l.project_id is null or l.project_id = p.id)
  order by n.key, l.project_id nulls last
$$;

-- Is there that lease? Without a token it is about to be made.
create or replace function private.is_leased(p_run_id uuid, p_lease_token bigint) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_lease_token is null
    or exists (select from ops.run_leases l where l.run_id = p_run_id and l.lease_token = p_lease_token)
$$;

create or replace function private.pool_used(p_pool_id uuid) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.sum(u.slots), 0) from ops.pool_uses u
  where u.pool_id = p_pool_id and private.is_leased(u.run_id, u.lease_token)
$$;

-- {"name": slots} of a spec's `pool`: a name, {"name": …, "slots": …}, or a list of those.
create or replace function private.needed_pools(p_spec jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said jsonb := p_spec -> 'pool';
  v_one jsonb;
  v_needs jsonb := '{}';
  v_name text;
  v_slots text;
begin
  if v_said is null or v_said = 'null' then
    return v_needs;
  end if;
  if pg_catalog.jsonb_typeof(v_said) <> 'array' then
    v_said := pg_catalog.jsonb_build_array(v_said);
  end if;
  for v_one in select * from pg_catalog.jsonb_array_elements(v_said) loop
    v_name := case pg_catalog.jsonb_typeof(v_one) when 'string' then v_one #>> '{}' when 'object' then v_one ->> 'name' end;
    v_slots := case pg_catalog.jsonb_typeof(v_one) when 'object' then coalesce(v_one ->> 'slots', '1') else '1' end;
    if v_name is null or v_name !~ '^[a-z][a-z0-9_]{0,62}$' or v_slots !~ '^[1-9][0-9]{0,5}$' or v_needs ? v_name then
      raise exception using errcode = 'CR007', message =
        'pool of p_spec must be a name, {"name": …, "slots": 1 or more}, or a list of those, each name once';
    end if;
    v_needs := v_needs || pg_catalog.jsonb_build_object(v_name, v_slots::int);
  end loop;
  return v_needs;
end
$$;
