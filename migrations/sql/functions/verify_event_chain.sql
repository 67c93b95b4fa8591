-- Recomputes the run's hash chain, its gapless numbering and its head. Where ops.prune has forgotten the beginning, from the
-- last forgotten event on; `events` counts those that are still there.
create or replace function ops.verify_event_chain(p_run_id uuid)
returns table (ok boolean, events bigint, first_bad_seq bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_run record;
  v_lease record;
  v_event ops.run_events;
  v_seq bigint;
  v_hash bytea;
begin
  select project_id, env, event_seq, event_hash into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  select event_seq, event_hash into v_lease from ops.run_leases where run_id = p_run_id;
  if found then
    v_run.event_seq := v_lease.event_seq;
    v_run.event_hash := v_lease.event_hash;
  end if;
  select seq, hash into v_seq, v_hash from private.pruned_events where run_id = p_run_id;
  v_seq := coalesce(v_seq, 0);
  v_hash := coalesce(v_hash, '\x');
  events := 0;
  for v_event in select * from ops.run_events where run_id = p_run_id and seq > v_seq order by seq loop
    v_hash := private.event_hash(
      v_hash, v_event.run_id, v_event.seq, v_event.ts, v_event.type, v_event.phase, v_event.level, v_event.message,
      v_event.data, v_event.lease_token, v_event.event_id);
    if v_event.seq <> v_seq + 1 or v_event.hash <> v_hash then
      ok := false;
      first_bad_seq := v_seq + 1;
      return next;
      return;
    end if;
    v_seq := v_event.seq;
    events := events + 1;
  end loop;
  ok := v_seq = v_run.event_seq and v_hash = v_run.event_hash;
  if not ok then
    first_bad_seq := v_seq + 1;
  end if;
  return next;
end
$$;
