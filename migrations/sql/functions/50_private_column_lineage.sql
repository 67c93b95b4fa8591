-- Stores what a phase said of its columns, once for each distinct answer, and lets suspicion of personal data follow it.
-- Called in the transaction that ends the phase: the lineage of a version that succeeded is never missing.
create or replace function private.record_column_lineage(p_run_id uuid, p_result jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_sha bytea;
  v_map uuid;
begin
  for v_one in
    select t.id as dataset_id, r.project_id, (d.one ->> 'version')::bigint as version,
      p_result -> 'column_lineage' -> (d.one ->> 'table') as said
    from ops.runs r
    cross join lateral pg_catalog.jsonb_array_elements(coalesce(p_result -> 'datasets', '[]')) as d (one)
    join ops.datasets t on t.project_id = r.project_id and t.env = r.env
      and t.layer = pg_catalog.split_part(d.one ->> 'table', '.', 1)
      and t.name = pg_catalog.split_part(d.one ->> 'table', '.', 2)
    where r.id = p_run_id and p_result -> 'column_lineage' ? (d.one ->> 'table')
  loop
    v_sha := pg_catalog.sha256(pg_catalog.convert_to(v_one.said::text, 'UTF8'));
    select id into v_map from ops.column_maps where dataset_id = v_one.dataset_id and sha256 = v_sha;
    if not found then
      v_map := private.add_column_map(v_one.dataset_id, v_one.project_id, v_sha, v_one.said);
    end if;
    update ops.dataset_versions set column_map_id = v_map
    where dataset_id = v_one.dataset_id and version = v_one.version and column_map_id is distinct from v_map;
    -- Also where an answer of before comes back.
    if found and v_map is distinct from (
      select v.column_map_id from ops.dataset_versions v
      where v.dataset_id = v_one.dataset_id and v.version < v_one.version order by v.version desc limit 1) then
      perform private.spread_suspicion(v_one.dataset_id);
    end if;
  end loop;
end
$$;

create or replace function private.add_column_map(
  p_dataset_id uuid, p_project_id uuid, p_sha256 bytea, p_said jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_map uuid;
begin
  insert into ops.column_maps (dataset_id, project_id, sha256, unknown, reason)
  values (
    p_dataset_id, p_project_id, p_sha256,
    array(select pg_catalog.jsonb_array_elements_text(coalesce(p_said -> 'unknown', '[]'))), coalesce(p_said ->> 'reason', ''))
  on conflict (dataset_id, sha256) do nothing
  returning id into v_map;
  if v_map is null then
    -- Another run with the same answer came first.
    select id into strict v_map from ops.column_maps where dataset_id = p_dataset_id and sha256 = p_sha256;
    return v_map;
  end if;
  insert into ops.column_edges (map_id, project_id, output_column, input_table, input_column, kind, subtype)
  select v_map, p_project_id, o.name, s.one ->> 'table', s.one ->> 'column', s.one ->> 'kind', s.one ->> 'subtype'
  from (
    select c.key as name, c.value as sources from pg_catalog.jsonb_each(coalesce(p_said -> 'columns', '{}')) as c
    union all
    select '*', coalesce(p_said -> 'dataset', '[]')
  ) as o
  cross join lateral pg_catalog.jsonb_array_elements(o.sources) as s (one)
  on conflict (map_id, output_column, input_table, input_column, subtype) do nothing;
  return v_map;
end
$$;

-- Two at once could each miss what the other is about to flag.
create or replace function private.lock_suspicion(p_project_id uuid, p_env text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('suspicion ' || p_project_id::text || p_env, 0))
$$;

-- From a dataset whose columns or flags changed, downstream until nothing changes: a column with a direct source that is
-- personal data, or is suspected to be, is suspected itself, unless somebody has said yes or no of it. A suspicion whose
-- cause is gone goes too. Only within a project and environment; of each dataset what readers get counts, and what was written
-- since.
create or replace function private.spread_suspicion(p_dataset_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
  v_project uuid;
  v_changed bigint;
begin
  select project_id, env into strict v_project, v_env from ops.datasets where id = p_dataset_id;
  perform private.lock_suspicion(v_project, v_env);
  delete from ops.dataset_columns c
  using ops.datasets d
  where d.id = c.dataset_id and d.project_id = v_project and d.env = v_env and c.pii = 'suspected'
    and c.description = '' and c.tags = '{}';
  update ops.dataset_columns c
  set pii = null, pii_from = null
  from ops.datasets d
  where d.id = c.dataset_id and d.project_id = v_project and d.env = v_env and c.pii = 'suspected';
  loop
    insert into ops.dataset_columns as c (dataset_id, name, project_id, pii, pii_from)
    select distinct on (m.dataset_id, e.output_column)
      m.dataset_id, e.output_column, v_project, 'suspected', e.input_table || '.' || e.input_column
    from (
      -- Of what readers get, and of whatever was written since: what is not theirs yet must not uncover what is.
      select distinct v.column_map_id as id, v.dataset_id
      from ops.datasets d
      join ops.dataset_versions v on v.dataset_id = d.id and v.column_map_id is not null
        and v.version >= coalesce((
          select max(x.version) from ops.dataset_versions x
          where x.dataset_id = d.id and x.version <= d.version and x.column_map_id is not null), 0)
      where d.project_id = v_project and d.env = v_env
    ) as m
    join ops.column_edges e on e.map_id = m.id and e.kind = 'DIRECT' and e.output_column <> '*'
    join ops.datasets i on i.project_id = v_project and i.env = v_env
      and i.layer = pg_catalog.split_part(e.input_table, '.', 1) and i.name = pg_catalog.split_part(e.input_table, '.', 2)
    join ops.dataset_columns f on f.dataset_id = i.id and f.name = e.input_column and f.pii in ('yes', 'suspected')
    left join ops.dataset_columns k on k.dataset_id = m.dataset_id and k.name = e.output_column
    where k.pii is null
    order by m.dataset_id, e.output_column, e.input_table, e.input_column
    on conflict (dataset_id, name) do update
      set pii = excluded.pii, pii_from = excluded.pii_from where c.pii is null;
    get diagnostics v_changed = row_count;
    exit when v_changed = 0;
  end loop;
end
$$;
