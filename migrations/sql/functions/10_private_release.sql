-- What a run wrote becomes what readers get: all its tables at once, when every phase has succeeded, checks among them. Until
-- then its versions are in the lake and in ops.dataset_versions, and nobody but the run itself reads them. Phases that a
-- retry took over name their versions in their results. What is set aside (32_refresh.sql) stays so.
create or replace function private.release_datasets(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
begin
  -- One after another and in one order: two runs that end at once over the same datasets must not wait for each other.
  for v_one in
    select distinct on (v.dataset_id) v.dataset_id, v.version, v.columns, v.fingerprint, v.total_rows
    from (
      select m.dataset_id, m.version, m.columns, m.fingerprint, m.total_rows
      from ops.dataset_versions m
      where m.run_id = p_run_id and not m.aside
      union all
      select m.dataset_id, m.version, m.columns, m.fingerprint, m.total_rows
      from ops.runs r
      join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
      cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as d (one)
      join ops.datasets t on t.project_id = r.project_id and t.env = r.env
        and t.layer = pg_catalog.split_part(d.one ->> 'table', '.', 1)
        and t.name = pg_catalog.split_part(d.one ->> 'table', '.', 2)
      join ops.dataset_versions m on m.dataset_id = t.id and m.version = (d.one ->> 'version')::bigint
      where r.id = p_run_id and not m.aside
    ) as v
    order by v.dataset_id, v.version desc
  loop
    update ops.datasets
    set version = v_one.version, columns = v_one.columns, fingerprint = v_one.fingerprint, total_rows = v_one.total_rows,
      updated_at = pg_catalog.clock_timestamp()
    where id = v_one.dataset_id and (version is null or version < v_one.version);
  end loop;
end
$$;

-- The tables that a run releases, locked until it has: no rollback and no swap comes between the last look and the release.
create or replace function private.hold_outputs(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from ops.datasets d
  where d.id in (
    select v.dataset_id from ops.dataset_versions v where v.run_id = p_run_id
    union all
    select t.id
    from ops.runs r
    join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
    cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as o (one)
    join ops.datasets t on t.project_id = r.project_id and t.env = r.env
      and t.layer = pg_catalog.split_part(o.one ->> 'table', '.', 1)
      and t.name = pg_catalog.split_part(o.one ->> 'table', '.', 2)
    where r.id = p_run_id)
  order by d.id
  for no key update;
end
$$;

-- `layer.name` → the version that readers get, null where none is released yet, for those of p_tables that the installation
-- knows in the run's project and environment.
create or replace function ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select coalesce(pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, d.version), '{}')
    from ops.runs r
    join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.layer || '.' || d.name = any (p_tables)
    where r.id = p_run_id);
end
$$;
