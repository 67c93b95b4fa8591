-- What claim_run needs beside its own statement.

create or replace function private.phases_json(p_run_id uuid) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_object(
      'ordinal', ordinal, 'name', name, 'kind', kind, 'depends_on', depends_on, 'status', status, 'attempt', attempt,
      'input_fingerprint', input_fingerprint, 'output_fingerprint', output_fingerprint, 'result', result,
      'effect_of', effect_of, 'kept', kept)
    order by ordinal), '[]')
  from ops.run_phases
  where run_id = p_run_id
$$;

-- The lease row of the caller, locked. The one place where SQL decides whether a lease is held.
create or replace function private.owned(p_run_id uuid, p_lease_token bigint) returns ops.run_leases
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
begin
  select * into v_lease
  from ops.run_leases
  where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp()
  for update;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
  return v_lease;
end
$$;
