-- What claim_run needs beside its own statement.

create or replace function private.phases_json(p_run_id uuid) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_object(
      'ordinal', ordinal, 'name', name, 'kind', kind, 'depends_on', depends_on, 'status', status, 'attempt', attempt,
      'input_fingerprint', input_fingerprint, 'output_fingerprint', output_fingerprint, 'result', result,
      'effect_of', effect_of, 'kept', kept)
    order by ordinal), '[]')
  from ops.run_phases
  where run_id = p_run_id
$$;

create or replace function private.period_start(p_period text, p_now timestamptz) returns timestamptz
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.date_trunc(p_period, p_now at time zone 'UTC') at time zone 'UTC'
$$;

-- What is used of a cap now: what is not released where it is concurrent, else what was charged since the period began.
create or replace function private.cap_used(p_cap ops.caps, p_now timestamptz) returns numeric
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.sum(u.amount), 0)
  from ops.cap_usage u
  where u.cap_id = p_cap.id
    and case
      when p_cap.period = 'concurrent' then u.released_at is null
      else u.used_at >= private.period_start(p_cap.period, p_now)
    end
$$;

-- The slow way, taken only while a cap on runs exists: claimers take turns, so that none of them charges what another has
-- just used up. A capped project is stepped over; it never holds up the rest.
drop function if exists private.claim_under_caps(text[], int, timestamptz);
create or replace function private.claim_under_caps(
  p_capabilities text[], p_max_runs int, p_dedicated boolean, p_now timestamptz
) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[] := '{}';
  v_full uuid[];
  v_run record;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.caps', 0));
  while pg_catalog.cardinality(v_ids) < p_max_runs loop
    v_full := array(
      select distinct p.id
      from ops.caps c
      join ops.projects p on p.org_id = c.org_id and (c.project_id is null or c.project_id = p.id)
      where c.unit = 'runs' and private.cap_used(c, p_now) + 1 > c.amount);
    select r.id, r.project_id into v_run
    from ops.runs r
    where r.status = 'queued' and r.available_at <= p_now and r.capabilities <@ p_capabilities
      and (r.capabilities <> '{}' or not p_dedicated)
      and r.project_id <> all (v_full) and r.id <> all (v_ids)
    order by r.priority, r.turn, r.id
    for no key update skip locked
    limit 1;
    exit when not found;
    insert into ops.cap_usage (cap_id, project_id, run_id, amount, used_at)
    select c.id, v_run.project_id, v_run.id, 1, p_now
    from ops.caps c
    join ops.projects p on p.id = v_run.project_id
    where c.unit = 'runs' and c.org_id = p.org_id and (c.project_id is null or c.project_id = p.id);
    v_ids := v_ids || v_run.id;
  end loop;
  return v_ids;
end
$$;

-- The lease row of the caller, locked. The one place where SQL decides whether a lease is held.
create or replace function private.owned(p_run_id uuid, p_lease_token bigint) returns ops.run_leases
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
begin
  select * into v_lease
  from ops.run_leases
  where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp()
  for update;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
  return v_lease;
end
$$;
