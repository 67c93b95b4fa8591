-- Renews one lease for as long as it was claimed for. Raises where it is gone.
create or replace function ops.heartbeat_run(
  p_run_id uuid, p_lease_token bigint, p_phase text default null, p_progress jsonb default null
) returns table (expires_at timestamptz, cancel_requested boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    update ops.run_leases l
    set expires_at = pg_catalog.clock_timestamp() + l.lease_seconds * interval '1 second',
      phase = coalesce(p_phase, l.phase), progress = coalesce(p_progress, l.progress)
    where l.run_id = p_run_id and l.lease_token = p_lease_token and l.expires_at > pg_catalog.clock_timestamp()
    returning l.expires_at, l.cancel_requested;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
end
$$;
