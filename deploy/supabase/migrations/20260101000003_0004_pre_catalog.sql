-- What exists in the lake, which run made it, and from what.

create table ops.datasets (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  layer text not null,
  name text not null,
  version bigint not null,
  columns jsonb not null default '{}',
  fingerprint text,
  total_rows bigint,
  updated_at timestamptz not null default clock_timestamp(),
  unique (project_id, env, layer, name)
);

create table ops.dataset_versions (
  id uuid primary key default private.new_id(),
  dataset_id uuid not null references ops.datasets,
  project_id uuid not null,
  version bigint not null,
  run_id uuid not null references ops.runs,
  phase text not null,
  lease_token bigint not null,
  mode text not null,
  rows bigint not null,
  total_rows bigint not null,
  byte_size bigint not null,
  fingerprint text not null,
  columns jsonb not null,
  adopted boolean not null default false,
  recorded_at timestamptz not null default clock_timestamp(),
  unique (dataset_id, version)
);

create index dataset_versions_run on ops.dataset_versions (run_id);

create table ops.lineage_edges (
  output_id uuid not null references ops.dataset_versions,
  project_id uuid not null,
  input_table text not null,
  input_version bigint not null,
  input_fingerprint text,
  primary key (output_id, input_table, input_version)
);

update private.schema_revision set version_num = '0004_pre_catalog';
