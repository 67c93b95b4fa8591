-- Records one number that the run says about itself; the last one counts.
create or replace function ops.record_signal(
  p_run_id uuid, p_lease_token bigint, p_key text, p_value float8, p_data jsonb default '{}'
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
begin
  perform private.require(p_key, 'p_key');
  insert into ops.signals (run_id, signal, project_id, value, data)
  values (p_run_id, p_key, v_lease.project_id, p_value, coalesce(p_data, '{}'))
  on conflict (run_id, signal) do update
  set value = excluded.value, data = excluded.data, recorded_at = pg_catalog.clock_timestamp()
  where (signals.value, signals.data) is distinct from (excluded.value, excluded.data);
end
$$;
