-- claimed → running.
create or replace function ops.start_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
begin
  if not private.take_run(p_run_id, p_lease_token, '{}') then
    return;
  end if;
  select status into v_status from ops.runs where id = p_run_id;
  if v_status = 'running' then
    return;
  end if;
  update ops.runs
  set status = 'running', started_at = coalesce(started_at, pg_catalog.clock_timestamp())
  where id = p_run_id;
  perform private.emit(p_run_id, 'RUN_STARTED');
end
$$;
