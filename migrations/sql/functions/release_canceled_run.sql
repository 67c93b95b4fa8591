-- The owner honours a cancel request.
create or replace function ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.take_run(p_run_id, p_lease_token, '{canceled}') then
    perform private.end_run(
      p_run_id, 'canceled', 'RUN_CANCELED', coalesce(p_reason, ''), '{}', 'warning', 'RUN_CANCELED', p_reason);
  end if;
end
$$;
