-- running → succeeded, once every phase has succeeded or was skipped.
create or replace function ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_open text;
  v_status text;
  v_retold record;
begin
  if not private.take_run(p_run_id, p_lease_token, '{succeeded}') then
    return;
  end if;
  select status into v_status from ops.runs where id = p_run_id;
  if v_status <> 'running' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s, not running; start it before you complete it', p_run_id, v_status);
  end if;
  select pg_catalog.string_agg(name || ' is ' || status, ', ' order by ordinal) into v_open
  from ops.run_phases where run_id = p_run_id and status not in ('succeeded', 'skipped');
  if v_open is not null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s cannot be completed: %s; finish those phases or fail the run', p_run_id, v_open);
  end if;
  -- Readers get what says something else of its columns: a suspicion may lose its cause. The lock comes before the tables'.
  select d.id, d.project_id, d.env into v_retold
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.dataset_versions o on o.dataset_id = d.id and o.version = d.version
  where v.run_id = p_run_id and not v.aside and v.column_map_id is distinct from o.column_map_id
  limit 1;
  if v_retold.id is not null then
    perform private.lock_suspicion(v_retold.project_id, v_retold.env);
  end if;
  perform private.hold_outputs(p_run_id);
  -- Also what a retry let stand: its result names the version.
  select pg_catalog.string_agg(distinct d.layer || '.' || d.name, ', ') into v_open
  from ops.runs r
  join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
  cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as o (one)
  join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.layer || '.' || d.name = o.one ->> 'table'
  join ops.dataset_versions v on v.dataset_id = d.id and v.version = (o.one ->> 'version')::bigint and v.aside
  where r.id = p_run_id and private.refresh_of(p_run_id) is null;
  if v_open is not null then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'what run %s wrote to %s was set aside by a rollback meanwhile; submit a new run', p_run_id, v_open);
  end if;
  perform private.release_datasets(p_run_id);
  if v_retold.id is not null then
    perform private.spread_suspicion(v_retold.id);
  end if;
  perform private.end_run(
    p_run_id, 'succeeded', 'RUN_SUCCEEDED', '', '{}', 'info', p_output_manifest => coalesce(p_output_manifest, '{}'));
  perform private.swap_within_tolerance(p_run_id);
end
$$;
