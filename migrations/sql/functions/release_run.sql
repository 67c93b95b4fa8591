-- A drain: back to queued at once, and the attempt is given back.
create or replace function ops.release_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.take_run(p_run_id, p_lease_token, '{queued}') then
    perform private.requeue_run(
      p_run_id, 'released by a draining executor', '{}', pg_catalog.clock_timestamp(), 1, 0);
  end if;
end
$$;
