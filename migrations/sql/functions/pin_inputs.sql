-- Pins what the run reads, once: an earlier owner's manifest is returned unchanged.
create or replace function ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_manifest jsonb;
begin
  perform private.take_run(p_run_id, p_lease_token, '{}');
  update ops.runs set input_manifest = p_manifest where id = p_run_id and input_manifest = '{}';
  select input_manifest into v_manifest from ops.runs where id = p_run_id;
  return v_manifest;
end
$$;
