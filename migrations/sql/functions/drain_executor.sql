-- Executors are taken out of work by people. They work for all orgs alike, so that they are the installation's.

-- From here on the executor is given no run (ops.claim_run), but for a claim that is under way. One of ours ends the phases that it
-- is in, gives back the rest and ends; any other finds out by ops.is_draining. Returns false where that was asked before. It is not
-- taken back: an executor that is to work again is started again, under a new id.
create or replace function ops.drain_executor(p_executor_id uuid) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_executor ops.executors;
begin
  perform private.require_installation_admin();
  select * into v_executor from ops.executors where id = p_executor_id for update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such executor; check the id';
  elsif v_executor.state = 'lost' then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'executor %s is lost and takes no run; there is nothing to drain', v_executor.name);
  elsif v_executor.drain_asked_at is not null then
    return false;
  end if;
  update ops.executors
  set state = 'draining', drain_asked_at = pg_catalog.clock_timestamp()
  where id = p_executor_id;
  perform private.audit(o.id, null, 'executors.drain', p_executor_id::text, null,
    pg_catalog.jsonb_build_object('name', v_executor.name, 'host', v_executor.host))
  from ops.orgs o;
  perform pg_catalog.pg_notify('ops_control', '');
  return true;
end
$$;

-- Whether an executor is to take no further run and to end.
create or replace function ops.is_draining(p_executor_id uuid) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.executors x where x.id = p_executor_id and x.drain_asked_at is not null)
$$;
