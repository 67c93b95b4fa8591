-- Appends a batch of events in their order and returns the last sequence number. An event whose id is known is left out.
create or replace function ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
  v_seq bigint := v_lease.event_seq;
  v_event jsonb;
  v_known uuid[];
begin
  v_known := array(
    select e.event_id from ops.run_events e
    where e.run_id = p_run_id and e.event_id = any (array(
      select (j ->> 'event_id')::uuid from pg_catalog.jsonb_array_elements(p_events) as j)));
  for v_event in select * from pg_catalog.jsonb_array_elements(p_events) loop
    if (v_event ->> 'event_id')::uuid = any (v_known) then
      continue;
    end if;
    -- Owners report what happens inside a phase; a run's own transitions are written by the RPCs that make them.
    if v_event ->> 'type' is distinct from 'PHASE_PROGRESS' and v_event ->> 'type' is distinct from 'LEASE_RENEWED' then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'type is %L; append_events takes PHASE_PROGRESS and LEASE_RENEWED', v_event ->> 'type');
    end if;
    v_seq := private.emit(
      p_run_id, v_event ->> 'type', v_event ->> 'phase', coalesce(v_event ->> 'message', ''),
      coalesce(v_event -> 'data', '{}'), coalesce(v_event ->> 'level', 'info'), (v_event ->> 'event_id')::uuid);
  end loop;
  return v_seq;
end
$$;
