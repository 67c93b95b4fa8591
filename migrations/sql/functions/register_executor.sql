-- Announces an executor. Its id is new at every boot: a reused name would hide an orphan.
create or replace function ops.register_executor(
  p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots int, p_host text, p_version text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.executors (id, name, capabilities, labels, slots, host, version)
  values (p_executor_id, p_name, p_capabilities, p_labels, p_slots, p_host, p_version)
  on conflict (id) do update
  set name = excluded.name, capabilities = excluded.capabilities, labels = excluded.labels, slots = excluded.slots,
    host = excluded.host, version = excluded.version, last_seen = pg_catalog.clock_timestamp(),
    state = case when ops.executors.drain_asked_at is null then 'active' else 'draining' end;
end
$$;
