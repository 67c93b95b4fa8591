-- What people say of tables and columns, and what policies ask.

-- The dataset, where the caller may edit it.
create or replace function private.edited_dataset(p_dataset_id uuid) returns ops.datasets
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets;
begin
  select * into v_dataset from ops.datasets where id = p_dataset_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_dataset.project_id, v_dataset.env, 'editor');
  return v_dataset;
end
$$;

-- Says who owns a table, what it is, how it is tagged; null leaves what is there.
create or replace function ops.note_dataset(
  p_dataset_id uuid, p_description text default null, p_owners text[] default null, p_tags text[] default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets := private.edited_dataset(p_dataset_id);
begin
  insert into ops.dataset_notes as n (dataset_id, project_id, description, owners, tags)
  values (
    p_dataset_id, v_dataset.project_id, coalesce(p_description, ''), coalesce(p_owners, '{}'), coalesce(p_tags, '{}'))
  on conflict (dataset_id) do update
    set description = coalesce(p_description, n.description), owners = coalesce(p_owners, n.owners),
      tags = coalesce(p_tags, n.tags), updated_at = pg_catalog.clock_timestamp();
end
$$;

-- Says what a column is; null leaves what is there. p_pii is yes, no, or unsaid: then its sources decide again.
create or replace function ops.note_column(
  p_dataset_id uuid, p_column text, p_description text default null, p_tags text[] default null, p_pii text default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets := private.edited_dataset(p_dataset_id);
begin
  if p_pii is not null and p_pii not in ('yes', 'no', 'unsaid') then
    raise exception using errcode = 'CR007', message = pg_catalog.format('pii is %L; use yes, no or unsaid', p_pii);
  end if;
  if not coalesce(v_dataset.columns ? p_column, false) and not exists (
    select from ops.dataset_versions v where v.dataset_id = p_dataset_id and v.columns ? p_column
  ) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      '%s.%s has no column %L; `controlroom dataset show` lists them', v_dataset.layer, v_dataset.name, p_column);
  end if;
  insert into ops.dataset_columns as c (dataset_id, name, project_id, description, tags, pii)
  values (
    p_dataset_id, p_column, v_dataset.project_id, coalesce(p_description, ''), coalesce(p_tags, '{}'),
    nullif(p_pii, 'unsaid'))
  on conflict (dataset_id, name) do update
    set description = coalesce(p_description, c.description), tags = coalesce(p_tags, c.tags),
      pii = case p_pii when 'unsaid' then null else coalesce(p_pii, c.pii) end,
      pii_from = case when p_pii is null then c.pii_from end,
      updated_at = pg_catalog.clock_timestamp();
  perform private.audit(
    null, v_dataset.project_id, 'dataset_columns.note', p_dataset_id::text, null,
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'column', p_column, 'description', p_description, 'tags', p_tags, 'pii', p_pii)));
  if p_pii is not null then
    perform private.spread_suspicion(p_dataset_id);
  end if;
end
$$;

-- `layer.name` → columns whose values the caller may not see there: what is or may be personal data, for whoever is not an
-- editor of the project in that environment. For those of p_tables that exist.
create or replace function ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted()
     or exists (select from private.my_scopes('editor') as s where s = p_project_id::text || '/' || p_env) then
    return '{}';
  end if;
  return (
    select coalesce(pg_catalog.jsonb_object_agg(m.table_name, m.names), '{}')
    from (
      select d.layer || '.' || d.name as table_name, pg_catalog.jsonb_agg(c.name order by c.name) as names
      from ops.datasets d
      join ops.dataset_columns c on c.dataset_id = d.id and c.pii in ('yes', 'suspected')
      where d.project_id = p_project_id and d.env = p_env and d.layer || '.' || d.name = any (p_tables)
      group by d.id
    ) as m);
end
$$;
