-- Registers stored bytes. The same artifact of the same phase gives the same id; other bytes under its name are a Conflict.
create or replace function ops.register_artifact(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint,
  p_content_type text, p_uri text, p_meta jsonb
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
  v_known record;
  v_id uuid;
begin
  perform private.require(p_name, 'p_name'), private.require(p_sha256, 'p_sha256'), private.require(p_uri, 'p_uri');
  insert into ops.run_artifacts (
    run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
  values (
    p_run_id, v_lease.project_id, coalesce(p_phase, ''), p_name, p_kind, p_sha256, p_byte_size, p_content_type, p_uri,
    coalesce(p_meta, '{}'))
  on conflict (run_id, phase, name) do nothing
  returning id into v_id;
  if v_id is null then
    select id, sha256 into strict v_known
    from ops.run_artifacts where run_id = p_run_id and phase = coalesce(p_phase, '') and name = p_name;
    if v_known.sha256 <> p_sha256 then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'artifact %L of run %s is registered with other bytes; artifacts never change, use another name',
        p_name, p_run_id);
    end if;
    v_id := v_known.id;
  end if;
  return v_id;
end
$$;
