-- The catalog: which column came from which, and what people know of tables and columns.

-- One map for each distinct lineage of a dataset: runs that compute the same point to the same one.
create table ops.column_maps (
  id uuid primary key default private.new_id(),
  dataset_id uuid not null references ops.datasets,
  project_id uuid not null references ops.projects,
  sha256 bytea not null,
  -- Columns of which not everything can be told; '*' where that is true of the rows.
  unknown text[] not null default '{}',
  reason text not null default '',
  recorded_at timestamptz not null default clock_timestamp(),
  unique (dataset_id, sha256)
);
create index column_maps_project on ops.column_maps (project_id);

create table ops.column_edges (
  map_id uuid not null references ops.column_maps on delete cascade,
  project_id uuid not null references ops.projects,
  -- '*': the source decides which rows there are, and so bears on every column.
  output_column text not null,
  input_table text not null,
  input_column text not null,
  kind text not null check (kind in ('DIRECT', 'INDIRECT')),
  subtype text not null check (subtype in (
    'IDENTITY', 'TRANSFORMATION', 'AGGREGATION', 'JOIN', 'GROUP_BY', 'FILTER', 'SORT', 'WINDOW', 'CONDITIONAL')),
  primary key (map_id, output_column, input_table, input_column, subtype)
);
create index column_edges_project on ops.column_edges (project_id);

alter table ops.dataset_versions add column column_map_id uuid references ops.column_maps;
create index dataset_versions_column_map on ops.dataset_versions (column_map_id) where column_map_id is not null;

-- What people say of a table. A table without a row here is nobody's and undescribed.
create table ops.dataset_notes (
  dataset_id uuid primary key references ops.datasets,
  project_id uuid not null references ops.projects,
  description text not null default '' check (length(description) <= 10000),
  owners text[] not null default '{}',
  tags text[] not null default '{}',
  updated_at timestamptz not null default clock_timestamp()
);
create index dataset_notes_project on ops.dataset_notes (project_id);

-- What people say of a column, and what follows from its lineage: pii is 'yes' or 'no' where somebody said so, 'suspected'
-- where a direct source is 'yes' or 'suspected' and nobody has said.
create table ops.dataset_columns (
  dataset_id uuid not null references ops.datasets,
  name text not null check (length(name) between 1 and 200),
  project_id uuid not null references ops.projects,
  description text not null default '' check (length(description) <= 10000),
  tags text[] not null default '{}',
  pii text check (pii in ('yes', 'no', 'suspected')),
  -- Of a suspicion: the column that it comes from, as layer.name.column.
  pii_from text,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (dataset_id, name)
);
create index dataset_columns_project on ops.dataset_columns (project_id);
create index dataset_columns_pii on ops.dataset_columns (dataset_id) where pii in ('yes', 'suspected');

-- How far the events of a run have been told to the receiver of lineage; only where telling is switched on.
create table ops.lineage_sent (
  run_id uuid primary key references ops.runs,
  project_id uuid not null references ops.projects,
  seq bigint not null default 0,
  done boolean not null default false,
  attempts int not null default 0,
  last_error text,
  sent_at timestamptz not null default clock_timestamp()
);
create index lineage_sent_project on ops.lineage_sent (project_id, done);
