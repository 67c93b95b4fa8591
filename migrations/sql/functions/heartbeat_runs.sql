-- Renews all leases of one executor in one statement; a lost one is answered with held = false.
create or replace function ops.heartbeat_runs(
  p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds float8
) returns table (run_id uuid, held boolean, expires_at timestamptz, cancel_requested boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  -- Whoever renews is not lost, whatever the steward thought.
  update ops.executors
  set last_seen = pg_catalog.clock_timestamp(), state = case state when 'lost' then 'active' else state end
  where id = p_executor_id;
  return query
    with asked as (
      -- Unqualified: only the grammar's own unnest takes several arrays.
      select * from unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token)
    ), renewed as (
      update ops.run_leases l
      set expires_at = pg_catalog.clock_timestamp() + p_lease_seconds * interval '1 second'
      from asked a
      where l.run_id = a.run_id and l.lease_token = a.lease_token and l.expires_at > pg_catalog.clock_timestamp()
      returning l.run_id, l.expires_at, l.cancel_requested
    )
    select a.run_id, r.run_id is not null, r.expires_at, coalesce(r.cancel_requested, false)
    from asked a left join renewed r on r.run_id = a.run_id;
end
$$;
