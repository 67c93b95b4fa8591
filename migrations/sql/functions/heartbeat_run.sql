-- Renews one lease for as long as it was claimed for. Raises where it is gone. p_usage: what the tries at work have used so far,
-- as ops.heartbeat_runs takes it.
drop function if exists ops.heartbeat_run(uuid, bigint, text, jsonb);
create or replace function ops.heartbeat_run(
  p_run_id uuid, p_lease_token bigint, p_phase text default null, p_progress jsonb default null, p_usage jsonb default null
) returns table (expires_at timestamptz, cancel_requested boolean, cap_exceeded text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update ops.run_leases l
  set expires_at = pg_catalog.clock_timestamp() + l.lease_seconds * interval '1 second',
    phase = coalesce(p_phase, l.phase), progress = coalesce(p_progress, l.progress)
  where l.run_id = p_run_id and l.lease_token = p_lease_token and l.expires_at > pg_catalog.clock_timestamp()
  returning l.expires_at, l.cancel_requested into expires_at, cancel_requested;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
  perform private.charge_leases(array[p_run_id], array[p_lease_token], p_usage);
  cap_exceeded := private.stopped_by_cap(p_run_id);
  return next;
end
$$;
