-- Queued: canceled at once. Owned: flagged; the owner honours it at its next heartbeat, the steward when the lease ends.
-- Ended already: nothing happens. Returns the resulting status or 'cancel_requested'. For operators, and of a question for
-- whoever asked it.
create or replace function ops.cancel_run(p_run_id uuid, p_reason text) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_asked boolean;
begin
  select project_id, env, status into v_run from ops.runs where id = p_run_id;
  if found then
    perform private.require_role(
      v_run.project_id, v_run.env, case when private.is_own_query(p_run_id) then 'viewer' else 'operator' end);
    -- Not FOR UPDATE before this is known: an owned run may be held for seconds, and a cancel request must not wait.
    if v_run.status = 'queued' then
      select status into v_run.status from ops.runs where id = p_run_id for no key update;
    end if;
  else
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status = 'queued' then
    perform private.audit_run(
      v_run.project_id, 'runs.cancel', p_run_id, pg_catalog.jsonb_build_object('reason', p_reason, 'was', v_run.status));
    perform private.emit_unowned(
      p_run_id, 'RUN_CANCELED', coalesce(p_reason, ''),
      pg_catalog.jsonb_build_object('subject', private.subject()), 'warning');
    update ops.runs
    set status = 'canceled', finished_at = pg_catalog.clock_timestamp(), error_code = 'RUN_CANCELED',
      error_message = p_reason
    where id = p_run_id;
    return 'canceled';
  elsif v_run.status not in ('claimed', 'running') then
    return v_run.status;
  end if;
  select cancel_requested into v_asked from ops.run_leases where run_id = p_run_id for update;
  if not found then
    -- It ended or was requeued between the two looks.
    return ops.cancel_run(p_run_id, p_reason);
  end if;
  if not v_asked then
    perform private.audit_run(
      v_run.project_id, 'runs.cancel', p_run_id, pg_catalog.jsonb_build_object('reason', p_reason, 'was', v_run.status));
    update ops.run_leases set cancel_requested = true where run_id = p_run_id;
    perform private.emit(
      p_run_id, 'CANCEL_REQUESTED', null, coalesce(p_reason, ''),
      pg_catalog.jsonb_build_object('subject', private.subject()), 'warning');
    perform pg_catalog.pg_notify('ops_control', '');
  end if;
  return 'cancel_requested';
end
$$;
