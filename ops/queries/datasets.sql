-- Tables of the lake as people look at them. Row-level security decides which rows a caller sees.

-- name: datasets
-- A page: by layer in the order in which data goes through them, then by name.
with ranked as (
  select coalesce(array_position(array['bronze', 'silver', 'gold'], d.layer), 9) as rank, d.*
  from ops.datasets d
)
select d.id as dataset_id, o.slug as org, p.slug as project, d.env, d.layer, d.name, d.version, d.total_rows, v.byte_size,
  case when d.version is not null then d.updated_at end as released_at, v.run_id, r.pipeline,
  coalesce(n.description, '') as description, f.state as freshness, f.lag_seconds
from ranked d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
left join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
left join ops.runs r on r.id = v.run_id
left join ops.dataset_notes n on n.dataset_id = d.id
left join ops.freshness f on f.dataset_id = d.id
where (d.rank, d.layer, d.name, d.id)
    > (%(after_rank)s::int, %(after_layer)s::text, %(after_name)s::text, %(after_id)s::uuid)
  and (%(text)s::text = '' or position(%(text)s::text in d.layer || '.' || d.name) > 0)
  and (%(layers)s::text[] is null or d.layer = any (%(layers)s::text[]))
  and (%(env)s::text is null or d.env = %(env)s::text)
  and (%(within)s::text is null or o.slug || '/' || p.slug = %(within)s::text)
order by d.rank, d.layer, d.name, d.id
limit %(limit)s;

-- name: layers
select distinct d.layer from ops.datasets d order by d.layer;

-- name: dataset
select d.id as dataset_id, d.project_id, o.slug as org, p.slug as project, d.env, d.layer, d.name, d.version, d.total_rows,
  d.fingerprint, case when d.version is not null then d.updated_at end as released_at,
  coalesce(n.description, '') as description, coalesce(n.owners, '{}') as owners, coalesce(n.tags, '{}') as tags,
  f.state as freshness, f.lag_seconds, f.clock_kind
from ops.datasets d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
left join ops.dataset_notes n on n.dataset_id = d.id
left join ops.freshness f on f.dataset_id = d.id
where d.id = %(dataset_id)s;

-- name: versions
select v.version, v.run_id, v.phase, v.mode, v.rows, v.total_rows, v.byte_size, v.fingerprint, v.columns, v.recorded_at,
  v.adopted, r.pipeline, r.status as run_status
from ops.dataset_versions v
left join ops.runs r on r.id = v.run_id
where v.dataset_id = %(dataset_id)s and v.version < %(before)s
order by v.version desc
limit %(limit)s;

-- name: notes
select c.name, c.description, c.tags, c.pii, c.pii_from
from ops.dataset_columns c
where c.dataset_id = %(dataset_id)s;

-- name: made_from
-- What the newest version was made from; the tables of other projects have no id here.
select e.input_table as "table", e.input_version as version, i.id as dataset_id, i.version as newest
from (
  select v.id from ops.dataset_versions v where v.dataset_id = %(dataset_id)s order by v.version desc limit 1
) as v
join ops.lineage_edges e on e.output_id = v.id
join ops.datasets d on d.id = %(dataset_id)s
left join ops.datasets i on i.project_id = d.project_id and i.env = d.env
  and i.layer = split_part(e.input_table, '.', 1) and i.name = split_part(e.input_table, '.', 2)
order by 1, 2;

-- name: goes_into
-- Tables of the same project and environment whose newest version was made from this one.
select t.layer || '.' || t.name as "table", e.input_version as version, t.id as dataset_id, d.version as newest
from ops.datasets d
join ops.datasets t on t.project_id = d.project_id and t.env = d.env
cross join lateral (
  select v.id from ops.dataset_versions v where v.dataset_id = t.id order by v.version desc limit 1
) as v
join ops.lineage_edges e on e.output_id = v.id and e.input_table = d.layer || '.' || d.name
where d.id = %(dataset_id)s
order by 1, 2;

-- name: table_graph
-- All that the newest version of a table was made from and all that was made from it, directly or by others, as steps from one table
-- to the next, the nearest first; tables of other projects have no id. `far` is how many steps away from the table the step begins.
with recursive here as (
  select d.project_id, d.env, d.layer || '.' || d.name as "table" from ops.datasets d where d.id = %(dataset_id)s
), steps as materialized (
  select e.input_table as source, t.layer || '.' || t.name as target, e.input_version as version
  from here h
  join ops.datasets t on t.project_id = h.project_id and t.env = h.env
  cross join lateral (
    select v.id from ops.dataset_versions v where v.dataset_id = t.id order by v.version desc limit 1
  ) as v
  join ops.lineage_edges e on e.output_id = v.id
), up as (
  select h."table", 0 as far from here h
  union
  select s.source, u.far + 1 from up u join steps s on s.target = u."table" where u.far + 1 < %(most)s
), down as (
  select h."table", 0 as far from here h
  union
  select s.target, d.far + 1 from down d join steps s on s.source = d."table" where d.far + 1 < %(most)s
), found as (
  select f.source, f.target, f.version, min(f.far) as far
  from (
    select s.*, u.far from up u join steps s on s.target = u."table"
    union all
    select s.*, d.far from down d join steps s on s.source = d."table"
  ) as f
  group by 1, 2, 3
)
select f.source, f.target, f.version, f.far, i.id as source_id, i.version as newest, o.id as target_id
from found f
cross join here h
left join ops.datasets i on i.project_id = h.project_id and i.env = h.env
  and i.layer = split_part(f.source, '.', 1) and i.name = split_part(f.source, '.', 2)
join ops.datasets o on o.project_id = h.project_id and o.env = h.env
  and o.layer = split_part(f.target, '.', 1) and o.name = split_part(f.target, '.', 2)
order by f.far, f.source, f.target, f.version
limit %(limit)s;

-- name: column_graph
-- The same of one column: what its values came from and went into. Columns that only decide which rows there are are left out.
with recursive here as (
  select d.project_id, d.env, d.layer || '.' || d.name as "table" from ops.datasets d where d.id = %(dataset_id)s
), maps as materialized (
  select t.layer || '.' || t.name as "table", (select coalesce(
    (select v.column_map_id from ops.dataset_versions v where v.dataset_id = t.id order by v.version desc limit 1),
    (select m.id from ops.column_maps m where m.dataset_id = t.id order by m.recorded_at desc, m.id desc limit 1))) as map_id
  from here h
  join ops.datasets t on t.project_id = h.project_id and t.env = h.env
), steps as materialized (
  select e.input_table, e.input_column, m."table" as output_table, e.output_column, min(e.subtype) as subtype
  from ops.column_edges e
  join maps m on m.map_id = e.map_id
  -- Said twice: by an array they are looked up, by a join with few rows all of the project's would be read.
  where e.map_id = any (array(select m.map_id from maps m)) and e.kind = 'DIRECT'
  group by 1, 2, 3, 4
), up as (
  select h."table", %(column)s::text as "column", 0 as far from here h
  union
  select s.input_table, s.input_column, u.far + 1
  from up u
  join steps s on s.output_table = u."table" and s.output_column = u."column"
  where u.far + 1 < %(most)s
), down as (
  select h."table", %(column)s::text as "column", 0 as far from here h
  union
  select s.output_table, s.output_column, d.far + 1
  from down d
  join steps s on s.input_table = d."table" and s.input_column = d."column"
  where d.far + 1 < %(most)s
), found as (
  select f.input_table, f.input_column, f.output_table, f.output_column, f.subtype, min(f.far) as far
  from (
    select s.*, u.far from up u join steps s on s.output_table = u."table" and s.output_column = u."column"
    union all
    select s.*, d.far from down d join steps s on s.input_table = d."table" and s.input_column = d."column"
  ) as f
  group by 1, 2, 3, 4, 5
)
select f.input_table, f.input_column, f.output_table, f.output_column, f.subtype, f.far, i.id as input_id, o.id as output_id
from found f
cross join here h
left join ops.datasets i on i.project_id = h.project_id and i.env = h.env
  and i.layer = split_part(f.input_table, '.', 1) and i.name = split_part(f.input_table, '.', 2)
join ops.datasets o on o.project_id = h.project_id and o.env = h.env
  and o.layer = split_part(f.output_table, '.', 1) and o.name = split_part(f.output_table, '.', 2)
order by f.far, f.input_table, f.input_column, f.output_table, f.output_column
limit %(limit)s;

-- name: column_sources
-- As the newest version was made; where that is not said, as it was said last.
select e.output_column as "column", e.input_table, e.input_column, e.kind, e.subtype, i.id as input_id
from ops.column_edges e
join ops.datasets d on d.id = %(dataset_id)s
left join ops.datasets i on i.project_id = d.project_id and i.env = d.env
  and i.layer = split_part(e.input_table, '.', 1) and i.name = split_part(e.input_table, '.', 2)
-- Selected, because coalesce itself counts as leaking: below a policy no index would serve it.
where e.map_id = (select coalesce(
  (select v.column_map_id from ops.dataset_versions v where v.dataset_id = %(dataset_id)s order by v.version desc limit 1),
  (select m.id from ops.column_maps m where m.dataset_id = %(dataset_id)s order by m.recorded_at desc, m.id desc limit 1)
))
order by 1, 2, 3, 5;
