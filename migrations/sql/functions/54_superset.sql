-- What was published to Superset, told by whoever published it.

-- Replaces what is recorded of a project's environment by p_objects: what is not among them is gone from Superset. For admins:
-- publishing gives people rights there. An object with the digest and certificate that it had keeps its moment.
create or replace function ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'admin');
  if pg_catalog.jsonb_typeof(p_objects) is distinct from 'array' then
    raise exception using errcode = 'CR007', message = 'p_objects is no array; give one object for each thing that stands there';
  end if;
  delete from ops.bi_objects b
  where b.project_id = p_project_id and b.env = p_env and not exists (
    select from pg_catalog.jsonb_array_elements(p_objects) as o
    where o ->> 'kind' = b.kind and o ->> 'name' = b.name);
  insert into ops.bi_objects as b (
    project_id, env, kind, name, superset_uuid, superset_id, digest, dataset_id, run_id, version, fingerprint, certified_at)
  select p_project_id, p_env, o ->> 'kind', o ->> 'name', (o ->> 'superset_uuid')::uuid, (o ->> 'superset_id')::int,
    o ->> 'digest', d.id, r.id, (o ->> 'version')::bigint, case when r.id is not null then o ->> 'fingerprint' end,
    case when r.id is not null then pg_catalog.clock_timestamp() end
  from pg_catalog.jsonb_array_elements(p_objects) as o
  -- Of this project and environment, whatever the caller says.
  left join ops.datasets d
    on d.id = (o ->> 'dataset_id')::uuid and d.project_id = p_project_id and d.env = p_env
  left join ops.runs r on r.id = (o ->> 'run_id')::uuid and r.project_id = p_project_id and r.env = p_env
  on conflict (project_id, env, kind, name) do update
    set superset_uuid = excluded.superset_uuid, superset_id = excluded.superset_id, digest = excluded.digest,
      dataset_id = excluded.dataset_id, run_id = excluded.run_id, version = excluded.version,
      fingerprint = excluded.fingerprint, certified_at = excluded.certified_at, published_at = excluded.published_at
    where (b.superset_uuid, b.superset_id, b.digest, b.dataset_id, b.run_id, b.version, b.fingerprint)
      is distinct from (excluded.superset_uuid, excluded.superset_id, excluded.digest, excluded.dataset_id, excluded.run_id,
        excluded.version, excluded.fingerprint);
end
$$;
