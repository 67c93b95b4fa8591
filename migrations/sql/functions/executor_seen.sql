-- Says that the executor lives, and in which state: active, draining or lost. One that was asked to drain is not active again.
create or replace function ops.executor_seen(p_executor_id uuid, p_state text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.executors
  set last_seen = pg_catalog.clock_timestamp(),
    state = case when p_state = 'active' and drain_asked_at is not null then 'draining' else p_state end
  where id = p_executor_id;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no executor %s; register it first', p_executor_id);
  end if;
end
$$;
