-- Moves of an owned run, shared by the RPCs.

-- Locks the run row, then the lease: every caller in this order, so that none waits for another in a circle. NO KEY UPDATE,
-- not UPDATE: what refers to the run by a foreign key (an artifact, a retry) must not wait for its owner. Returns false
-- where this token already brought the run to one of p_done: a repeat, to be answered as a success.
create or replace function private.take_run(p_run_id uuid, p_lease_token bigint, p_done text[]) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select status, lease_token into v_run from ops.runs where id = p_run_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no run %s; check the id', p_run_id);
  end if;
  if v_run.lease_token = p_lease_token and v_run.status = any (p_done) then
    return false;
  end if;
  perform private.owned(p_run_id, p_lease_token);
  return true;
end
$$;

-- Ends an owned run for good. The caller has locked the run row.
create or replace function private.end_run(
  p_run_id uuid, p_status text, p_type text, p_message text, p_data jsonb, p_level text,
  p_error_code text default null, p_error_message text default null, p_error_data jsonb default null,
  p_output_manifest jsonb default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_end record;
begin
  select * into v_end from private.end_lease(p_run_id, p_type, p_message, p_data, p_level);
  if p_status <> 'succeeded' then
    update ops.run_phases
    set status = case when p_status = 'canceled' then 'canceled' else 'failed' end,
      finished_at = pg_catalog.clock_timestamp(), error_code = coalesce(error_code, p_error_code)
    where run_id = p_run_id and status = 'running';
  end if;
  update ops.runs
  set status = p_status, finished_at = pg_catalog.clock_timestamp(), event_seq = v_end.seq, event_hash = v_end.hash,
    phase = v_end.phase, error_code = p_error_code, error_message = p_error_message, error_data = p_error_data,
    output_manifest = coalesce(p_output_manifest, output_manifest)
  where id = p_run_id;
end
$$;

-- Puts an owned run back into the queue. The caller has locked the run row.
create or replace function private.requeue_run(
  p_run_id uuid, p_message text, p_data jsonb, p_available_at timestamptz, p_attempts_back int, p_leases_lost int,
  p_error_code text default null, p_error_message text default null, p_error_data jsonb default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_end record;
begin
  select * into v_end from private.end_lease(p_run_id, 'RUN_REQUEUED', p_message, p_data, 'warning');
  update ops.run_phases set status = 'pending' where run_id = p_run_id and status = 'running';
  update ops.runs
  set status = 'queued', available_at = p_available_at, attempt = attempt - p_attempts_back,
    lost_leases = lost_leases + p_leases_lost, event_seq = v_end.seq, event_hash = v_end.hash, phase = v_end.phase,
    error_code = p_error_code, error_message = p_error_message, error_data = p_error_data
  where id = p_run_id;
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;
