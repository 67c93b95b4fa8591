-- Registers a Delta commit: the dataset, its version and the edges to what it was made from. Readers get the version when the
-- run succeeds (private.release_datasets). Idempotent on
-- (dataset, version): the same commit of the same run gives the same id.
create or replace function ops.record_dataset(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_known record;
  v_dataset uuid;
  v_version uuid;
  v_number bigint := (p_dataset ->> 'version')::bigint;
  v_layer text := pg_catalog.split_part(p_dataset ->> 'table', '.', 1);
  v_name text := pg_catalog.split_part(p_dataset ->> 'table', '.', 2);
begin
  perform private.owned(p_run_id, p_lease_token);
  if v_layer = '' or v_name = '' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'table is %L; write it as layer.name', p_dataset ->> 'table');
  end if;
  select project_id, env, coalesce(root_run, id) as root into strict v_run from ops.runs where id = p_run_id;
  select id into v_dataset from ops.datasets
  where project_id = v_run.project_id and env = v_run.env and layer = v_layer and name = v_name;
  if not found then
    -- Without a version: readers get it when the run has succeeded.
    insert into ops.datasets (project_id, env, layer, name) values (v_run.project_id, v_run.env, v_layer, v_name)
    on conflict (project_id, env, layer, name) do nothing;
    select id into strict v_dataset from ops.datasets
    where project_id = v_run.project_id and env = v_run.env and layer = v_layer and name = v_name;
  end if;
  insert into ops.dataset_versions (
    dataset_id, project_id, version, run_id, phase, lease_token, mode, rows, total_rows, byte_size, fingerprint, columns,
    adopted, stats, aside)
  values (
    v_dataset, v_run.project_id, v_number, p_run_id, p_phase, p_lease_token, p_dataset ->> 'mode',
    (p_dataset ->> 'rows')::bigint, (p_dataset ->> 'total_rows')::bigint, (p_dataset ->> 'byte_size')::bigint,
    p_dataset ->> 'fingerprint', coalesce(p_dataset -> 'schema', '{}'),
    coalesce((p_dataset ->> 'adopted')::boolean, false), coalesce(p_dataset -> 'stats', '{}'),
    -- Nobody builds upon what a refresh makes before it is swapped in; evidence in quarantine is nobody's base.
    v_layer <> 'quarantine' and exists (select from ops.refreshes f where f.run_id = v_run.root))
  on conflict (dataset_id, version) do nothing
  returning id into v_version;
  if v_version is null then
    select v.id, v.run_id, v.fingerprint, v.aside, coalesce(r.root_run, r.id) as root into strict v_known
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_dataset and v.version = v_number;
    -- A repeat, or a retry that found what the run before it had committed. Anything else is another commit under a number
    -- that is taken: the table was removed or restored behind our back.
    if v_known.fingerprint is distinct from p_dataset ->> 'fingerprint' or v_known.root is distinct from v_run.root then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s is recorded of run %s; the table was removed or restored by hand: let it begin under a new name',
        v_number, p_dataset ->> 'table', v_known.run_id);
    end if;
    if v_known.aside and not exists (select from ops.refreshes f where f.run_id = v_run.root) then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s was set aside by a rollback, and with it what this run had written; submit a new run', v_number,
        p_dataset ->> 'table');
    end if;
    return v_known.id;
  end if;
  perform private.know_event_time(v_version);
  insert into ops.lineage_edges (output_id, project_id, input_table, input_version, input_fingerprint)
  select v_version, v_run.project_id, i ->> 'table', (i ->> 'version')::bigint, i ->> 'fingerprint'
  from pg_catalog.jsonb_array_elements(coalesce(p_dataset -> 'inputs', '[]')) as i
  on conflict (output_id, input_table, input_version) do nothing;
  if private.is_metered() then
    -- At once, and not when the phase has succeeded: it may make many commits.
    perform private.charge_usage(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'run_id', p_run_id, 'lease_token', p_lease_token, 'phase', p_phase, 'attempt', ph.attempt,
      'rows_moved', coalesce(u.rows_moved, 0) + (p_dataset ->> 'rows')::numeric,
      'bytes_moved', coalesce(u.bytes_moved, 0) + (p_dataset ->> 'byte_size')::numeric)))
    from ops.run_phases ph
    left join ops.phase_usage u on u.run_id = ph.run_id and u.phase = ph.name and u.attempt = ph.attempt
      and u.lease_token = p_lease_token
    where ph.run_id = p_run_id and ph.name = p_phase;
  end if;
  return v_version;
end
$$;
