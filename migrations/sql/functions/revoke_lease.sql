-- Takes an owned run away from its executor: its lease ends now and the run is requeued as a lost one, or canceled where that was
-- asked for. For an executor that renews and does nothing; one that works finds out at its next call. Returns the resulting
-- status. Waits while the run is held, so that a commit under way is either whole or refused.
create or replace function ops.revoke_lease(p_run_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select project_id, env into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'operator');
  perform from ops.runs where id = p_run_id for no key update;
  update ops.run_leases set expires_at = pg_catalog.clock_timestamp() where run_id = p_run_id;
  if found then
    perform private.audit_run(v_run.project_id, 'runs.revoke_lease', p_run_id, '{}');
    perform ops.requeue_stale_runs(0);
  end if;
  return (select status from ops.runs where id = p_run_id);
end
$$;
