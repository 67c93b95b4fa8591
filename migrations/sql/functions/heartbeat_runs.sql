-- Renews all leases of one executor in one statement; a lost one is answered with held = false. p_usage is what each try at work has
-- used so far: [{run_id, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes}]; it is charged here.
-- cap_exceeded names the cap that is used up: the owner stops the work by force and fails the run.
drop function if exists ops.heartbeat_runs(uuid, uuid[], bigint[], float8);
create or replace function ops.heartbeat_runs(
  p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds float8, p_usage jsonb default null
) returns table (run_id uuid, held boolean, expires_at timestamptz, cancel_requested boolean, cap_exceeded text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_answers jsonb;
begin
  -- Whoever renews is not lost, whatever the steward thought.
  update ops.executors
  set last_seen = pg_catalog.clock_timestamp(),
    state = case when state <> 'lost' then state when drain_asked_at is null then 'active' else 'draining' end
  where id = p_executor_id;
  -- Whoever locks leases of several runs does it in the order of the runs' ids, so that no two wait for each other in a circle.
  perform from ops.run_leases l
  join unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token) on a.run_id = l.run_id and a.lease_token = l.lease_token
  order by l.run_id
  for no key update of l;
  with asked as (
    -- Unqualified: only the grammar's own unnest takes several arrays.
    select * from unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token)
  ), renewed as (
    update ops.run_leases l
    set expires_at = pg_catalog.clock_timestamp() + p_lease_seconds * interval '1 second'
    from asked a
    where l.run_id = a.run_id and l.lease_token = a.lease_token and l.expires_at > pg_catalog.clock_timestamp()
    returning l.run_id, l.lease_token, l.expires_at, l.cancel_requested
  )
  select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'run_id', a.run_id, 'lease_token', r.lease_token, 'expires_at', r.expires_at,
    'cancel_requested', coalesce(r.cancel_requested, false)))
  into v_answers
  from asked a left join renewed r on r.run_id = a.run_id and r.lease_token = a.lease_token;
  perform private.charge_leases(p_run_ids, p_lease_tokens, p_usage);
  return query
    select a.run_id, a.lease_token is not null, a.expires_at, a.cancel_requested,
      case when a.lease_token is not null then private.stopped_by_cap(a.run_id) end
    from pg_catalog.jsonb_to_recordset(v_answers) as a (
      run_id uuid, lease_token bigint, expires_at timestamptz, cancel_requested boolean);
end
$$;

-- Charges what is reported of runs whose leases are held; the caller has just renewed those, and so locked their rows.
create or replace function private.charge_leases(p_run_ids uuid[], p_lease_tokens bigint[], p_usage jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_usage is null or p_usage = '[]' then
    return;
  end if;
  if pg_catalog.jsonb_typeof(p_usage) <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_usage must be a JSON array of what each try has used';
  end if;
  perform private.charge_usage(pg_catalog.jsonb_agg(
    u.report || pg_catalog.jsonb_build_object('lease_token', l.lease_token, 'rows_moved', null, 'bytes_moved', null)))
  from pg_catalog.jsonb_array_elements(p_usage) as u (report)
  join ops.run_leases l on l.run_id = (u.report ->> 'run_id')::uuid and l.expires_at > pg_catalog.clock_timestamp()
  join unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token)
    on a.run_id = l.run_id and a.lease_token = l.lease_token
  having pg_catalog.count(*) > 0;
end
$$;

-- Why the owner of a run must stop it, in words; null where no cap is used up.
create or replace function private.stopped_by_cap(p_run_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not private.is_metered() then
    return null;
  end if;
  return (select private.used_up(r.project_id, r.pipeline) from ops.runs r where r.id = p_run_id);
end
$$;
