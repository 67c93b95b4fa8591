-- The fence held open: the run row is locked FOR SHARE until the caller's transaction ends, so that nobody can requeue,
-- claim or end the run meanwhile. Several phases of the run may hold it at once, and heartbeats never touch that row.
--
-- The lock comes first and the check after it: the other way round a requeue could slip between them.
create or replace function ops.hold_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from ops.runs where id = p_run_id for share;
  perform from ops.run_leases
  where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp();
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
end
$$;
