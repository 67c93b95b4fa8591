-- What is known of tables and columns. Row-level security decides which rows a caller sees.

-- name: note_dataset
select ops.note_dataset(
  p_dataset_id => %(dataset_id)s, p_description => %(description)s, p_owners => %(owners)s, p_tags => %(tags)s
);

-- name: note_column
select ops.note_column(
  p_dataset_id => %(dataset_id)s, p_column => %(column)s, p_description => %(description)s, p_tags => %(tags)s,
  p_pii => %(pii)s
);

-- name: masked_columns
select ops.masked_columns(p_project_id => %(project_id)s, p_env => %(env)s, p_tables => %(tables)s);

-- name: entries
select
  o.slug as org, p.slug as project, d.env, d.id as dataset_id, d.layer || '.' || d.name as "table", d.version,
  d.total_rows, d.fingerprint, d.updated_at, coalesce(n.description, '') as description,
  coalesce(n.owners, '{}') as owners, coalesce(n.tags, '{}') as tags,
  -- Before its first run has succeeded a table has the columns that were last written.
  case when d.version is not null then d.columns else coalesce(
    (select v.columns from ops.dataset_versions v where v.dataset_id = d.id order by v.version desc limit 1), '{}') end
    as columns,
  coalesce(
    (select jsonb_object_agg(c.name, jsonb_build_object(
       'description', c.description, 'tags', to_jsonb(c.tags), 'pii', c.pii, 'pii_from', c.pii_from))
     from ops.dataset_columns c where c.dataset_id = d.id), '{}') as notes
from ops.datasets d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
left join ops.dataset_notes n on n.dataset_id = d.id
where p.id = %(project_id)s and d.env = %(env)s
order by d.layer, d.name;

-- name: versions
select
  v.version, v.run_id, v.phase, v.mode, v.rows, v.total_rows, v.byte_size, v.fingerprint, v.columns, v.recorded_at
from ops.dataset_versions v
where v.dataset_id = %(dataset_id)s
order by v.version;

-- name: writers
-- The job that left the newest version of each table.
select distinct on (d.id) d.layer || '.' || d.name as "table", r.pipeline, v.phase
from ops.dataset_versions v
join ops.datasets d on d.id = v.dataset_id
join ops.runs r on r.id = v.run_id
where d.project_id = %(project_id)s and d.env = %(env)s
order by d.id, v.version desc;

-- name: edges
-- Of each dataset the newest map.
with maps as (
  select distinct on (m.dataset_id) m.id, m.dataset_id, m.unknown, m.reason
  from ops.column_maps m
  join ops.datasets d on d.id = m.dataset_id
  where d.project_id = %(project_id)s and d.env = %(env)s
  order by m.dataset_id, m.recorded_at desc, m.id desc
)
select
  d.layer || '.' || d.name as "table", e.output_column as "column", e.input_table, e.input_column, e.kind, e.subtype
from maps m
join ops.datasets d on d.id = m.dataset_id
join ops.column_edges e on e.map_id = m.id
order by 1, 2, 3, 4, 6;

-- name: unknown
select distinct on (m.dataset_id) d.layer || '.' || d.name as "table", m.unknown, m.reason
from ops.column_maps m
join ops.datasets d on d.id = m.dataset_id
where d.project_id = %(project_id)s and d.env = %(env)s
order by m.dataset_id, m.recorded_at desc, m.id desc;

-- name: table_edges
-- What the newest version of each table was made from; what is set aside says nothing of it.
with newest as (
  select distinct on (v.dataset_id) v.id, v.dataset_id
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  where d.project_id = %(project_id)s and d.env = %(env)s and not v.aside
  order by v.dataset_id, v.version desc
)
select d.layer || '.' || d.name as "table", e.input_table, e.input_version
from newest n
join ops.datasets d on d.id = n.dataset_id
join ops.lineage_edges e on e.output_id = n.id
order by 1, 2;
