-- What a query's run asks while it is held: which versions its tables' names mean, which columns are personal data, and whether
-- the answer is known.

-- When readers got this version: with the success of the run that wrote it, or of one that let it stand, or with the swap of a
-- refresh. Null: they did not.
create or replace function private.released_at(p_version ops.dataset_versions) returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select greatest(
    (select min(r.finished_at)
     from ops.runs w
     join ops.runs r on r.id = w.id or r.root_run = coalesce(w.root_run, w.id)
     where w.id = p_version.run_id and r.status = 'succeeded'
       and (r.id = w.id or exists (
         select from ops.run_phases p
         join ops.datasets d on d.id = p_version.dataset_id
         where p.run_id = r.id and p.result -> 'datasets' @> pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
           'table', d.layer || '.' || d.name, 'version', p_version.version))))),
    (select max(f.swapped_at)
     from ops.refresh_tables t join ops.refreshes f on f.id = t.refresh_id
     where t.dataset_id = p_version.dataset_id and t.version = p_version.version))
  where not p_version.aside
$$;

-- The version of a dataset that `v12`, a day (its beginning, in UTC) or a moment means; null where readers got none such.
create or replace function private.version_named(p_dataset ops.datasets, p_when text) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one ops.dataset_versions;
  v_at timestamptz;
begin
  if p_when ~ '^v[0-9]{1,18}$' then
    return (
      select v.version from ops.dataset_versions v
      where v.dataset_id = p_dataset.id and v.version = pg_catalog.substr(p_when, 2)::bigint
        and private.released_at(v) is not null);
  end if;
  if p_when !~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$'
     or not private.is_time(p_when) then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s.%s@%s names no version; write @v12, @2026-11-01 or @"2026-11-01T10:00Z"', p_dataset.layer, p_dataset.name, p_when);
  end if;
  v_at := case when p_when ~ '(Z|[T ].*[+-]\d\d:\d\d)$' then p_when::timestamptz else p_when::timestamp at time zone 'UTC' end;
  for v_one in
    select * from ops.dataset_versions v
    where v.dataset_id = p_dataset.id and v.recorded_at <= v_at and not v.aside
    order by v.version desc
  loop
    if private.released_at(v_one) <= v_at then
      return v_one.version;
    end if;
  end loop;
  return null;
end
$$;

-- `layer.name`, `layer.name@v12`, `layer.name@2026-11-01` → the version that it means, for those of p_names that readers may
-- have. A table that no run wrote is left out, for its owner to find in the lake; a person's question reads no such table.
create or replace function ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_when text;
  v_run record;
  v_dataset ops.datasets;
  v_version bigint;
  v_found jsonb := '{}';
begin
  perform private.require_lease(p_run_id, p_lease_token);
  select r.project_id, r.env, r.trigger into strict v_run from ops.runs r where r.id = p_run_id;
  foreach v_name in array p_names loop
    v_when := nullif(pg_catalog.substr(v_name, pg_catalog.length(pg_catalog.split_part(v_name, '@', 1)) + 2), '');
    select * into v_dataset
    from ops.datasets d
    where d.project_id = v_run.project_id and d.env = v_run.env
      and d.layer || '.' || d.name = pg_catalog.split_part(v_name, '@', 1);
    continue when v_dataset.id is null and v_when is null and v_run.trigger <> 'query';
    v_version := case when v_when is null then v_dataset.version else private.version_named(v_dataset, v_when) end;
    if v_version is null then
      perform private.no_such_version(v_name, v_dataset, v_run.project_id, v_run.env);
    end if;
    v_found := v_found || pg_catalog.jsonb_build_object(v_name, v_version);
  end loop;
  return v_found;
end
$$;

-- Says what there is instead.
create or replace function private.no_such_version(
  p_name text, p_dataset ops.datasets, p_project_id uuid, p_env text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_there text;
begin
  if p_dataset.version is null then
    select pg_catalog.string_agg(t.name, ', ' order by t.name) into v_there
    from (
      select d.layer || '.' || d.name as name from ops.datasets d
      where d.project_id = p_project_id and d.env = p_env and d.version is not null
      order by 1 limit 50) as t;
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no table %s, or no run that wrote it has succeeded; there are %s', p_name, coalesce(v_there, 'none yet'));
  end if;
  select pg_catalog.string_agg(pg_catalog.format('v%s of %s', t.version, pg_catalog.to_char(
    t.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), ', ' order by t.version desc) into v_there
  from (
    select v.version, private.released_at(v) as at from ops.dataset_versions v
    where v.dataset_id = p_dataset.id and private.released_at(v) is not null
    order by v.version desc limit 20) as t;
  raise exception using errcode = 'CR004', message = pg_catalog.format(
    'readers got no version %s; there are %s', p_name, v_there);
end
$$;

-- Of each of p_tables (as in a run's manifest) the columns that are or may be personal data; shown: whether whoever asked may see
-- them. What a pipeline's query does was decided by the editor who wrote it.
create or replace function ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select pg_catalog.jsonb_build_object(
      'shown', coalesce((select q.sees_personal from ops.queries q where q.run_id = p_run_id), r.trigger <> 'query'),
      'question', r.trigger = 'query',
      'columns', (
        select coalesce(pg_catalog.jsonb_object_agg(m.table_name, m.names), '{}')
        from (
          select t.name as table_name, pg_catalog.jsonb_agg(c.name order by c.name) as names
          from pg_catalog.unnest(p_tables) as t (name)
          join ops.projects p on case when pg_catalog.strpos(t.name, ':') = 0 then p.id = r.project_id
            else p.slug = pg_catalog.split_part(pg_catalog.split_part(t.name, ':', 1), '/', 2) end
          join ops.orgs o on o.id = p.org_id
            and (pg_catalog.strpos(t.name, ':') = 0 or o.slug = pg_catalog.split_part(t.name, '/', 1))
          join ops.datasets d on d.project_id = p.id and d.env = r.env
            and d.layer || '.' || d.name = pg_catalog.split_part(
              pg_catalog.substr(t.name, pg_catalog.strpos(t.name, ':') + 1), '@', 1)
          join ops.dataset_columns c on c.dataset_id = d.id and c.pii in ('yes', 'suspected')
          group by t.name
        ) as m))
    from ops.runs r where r.id = p_run_id);
end
$$;

-- The answer under a key, as the phase that found it had it; null where there is none.
create or replace function ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select pg_catalog.jsonb_build_object(
      'run_id', a.run_id, 'rows_in', p.rows_in, 'rows_out', p.rows_out, 'byte_size', p.byte_size,
      'output_fingerprint', p.output_fingerprint,
      'artifacts', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', f.name, 'kind', f.kind, 'sha256', f.sha256, 'byte_size', f.byte_size, 'content_type', f.content_type,
          'uri', f.uri, 'meta', f.meta) order by f.name), '[]')
        from ops.run_artifacts f where f.run_id = a.run_id and f.phase = p.name and f.kind <> 'log'))
    from ops.runs r
    join ops.query_answers a on a.project_id = r.project_id and a.env = r.env and a.key = p_key
    join ops.run_phases p on p.run_id = a.run_id and p.name = 'query' and p.status = 'succeeded'
    where r.id = p_run_id and r.trigger = 'query');
end
$$;

-- Remembers what a question was answered with; an answer that was damaged gives way to a new one.
create or replace function private.keep_answer(p_run_id uuid, p_key text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.query_answers as a (project_id, env, key, run_id)
  select r.project_id, r.env, p_key, r.id from ops.runs r where r.id = p_run_id and r.trigger = 'query'
  on conflict (project_id, env, key) do update set run_id = excluded.run_id, answered_at = excluded.answered_at
$$;
