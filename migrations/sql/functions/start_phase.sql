-- Begins a try at a phase and returns its number, from 1. A repeat is known by its event id.
create or replace function ops.start_phase(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid default null
) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_attempt int;
begin
  perform private.owned(p_run_id, p_lease_token);
  if p_event_id is not null
     and exists (select from ops.run_events where run_id = p_run_id and event_id = p_event_id) then
    select attempt into v_attempt from ops.run_phases where run_id = p_run_id and name = p_phase;
    return v_attempt;
  end if;
  perform private.require_metered_caps(p_run_id);
  update ops.run_phases
  set status = 'running', attempt = attempt + 1, started_at = pg_catalog.clock_timestamp(), finished_at = null,
    input_fingerprint = p_input_fingerprint, output_fingerprint = null, error_code = null, error_message = null,
    error_data = null
  where run_id = p_run_id and name = p_phase
  returning attempt into v_attempt;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'run %s has no phase %L; its phases are fixed when it is created', p_run_id, p_phase);
  end if;
  update ops.run_leases set phase = p_phase, progress = null where run_id = p_run_id;
  perform private.emit(
    p_run_id, 'PHASE_STARTED', p_phase, '', pg_catalog.jsonb_build_object('attempt', v_attempt), 'info', p_event_id);
  return v_attempt;
end
$$;
