-- Puts runs whose lease ended p_stale_minutes ago or earlier back into the queue, at most 500 at a time, and returns how
-- many it dealt with. A lost lease is not a handler's failure: the attempt is given back and counted apart; after
-- max_lost_leases the run fails. A cancel that the lost owner never honoured is honoured here.
--
-- A row that someone holds (ops.hold_run) or is just ending is stepped over: SKIP LOCKED.
create or replace function ops.requeue_stale_runs(p_stale_minutes float8 default 0) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_deadline timestamptz := pg_catalog.clock_timestamp() - coalesce(p_stale_minutes, 0) * interval '1 minute';
  v_run record;
  v_lease record;
  v_count int := 0;
begin
  for v_run in
    select r.id, r.lost_leases, r.max_lost_leases
    from ops.runs r
    where r.id = any (array(select run_id from ops.run_leases where expires_at <= v_deadline limit 500))
    for no key update skip locked
  loop
    select * into v_lease
    from ops.run_leases where run_id = v_run.id and expires_at <= v_deadline for update skip locked;
    if not found then
      continue;
    end if;
    perform private.emit(
      v_run.id, 'LEASE_EXPIRED', v_lease.phase, '',
      pg_catalog.jsonb_build_object('executor', v_lease.executor_id, 'expired_at', v_lease.expires_at), 'warning');
    if v_lease.cancel_requested then
      perform private.end_run(
        v_run.id, 'canceled', 'RUN_CANCELED', 'canceled after its lease ended', '{}', 'warning', 'RUN_CANCELED',
        'canceled after its lease ended');
    elsif v_run.lost_leases + 1 > v_run.max_lost_leases then
      perform private.end_run(
        v_run.id, 'failed', 'RUN_FAILED', 'its executors were lost too often', '{}', 'error', 'LEASE_LOST',
        pg_catalog.format('the lease was lost %s times; look at the executors'' logs, then retry',
          v_run.lost_leases + 1), '{}');
    else
      perform private.requeue_run(
        v_run.id, 'its lease ended without an answer', '{}', pg_catalog.clock_timestamp(), 1, 1);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
