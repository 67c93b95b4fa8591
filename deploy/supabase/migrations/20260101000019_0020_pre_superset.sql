-- What stands in Superset by our hand: its ids there, what it looked like when we left it, and what a dataset was certified for.
create table ops.bi_objects (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  kind text not null check (kind in ('database', 'dataset', 'chart', 'dashboard', 'role', 'rule')),
  name text not null check (name <> ''),
  -- Null where Superset gives the kind none.
  superset_uuid uuid,
  superset_id int not null,
  -- sha256 of what Superset had when we left it: another one later means that somebody edited it by hand.
  digest text not null,
  -- Of a certified dataset: what earned it.
  dataset_id uuid references ops.datasets,
  run_id uuid references ops.runs,
  version bigint,
  fingerprint text,
  certified_at timestamptz,
  published_at timestamptz not null default clock_timestamp(),
  unique (project_id, env, kind, name),
  check ((certified_at is null) = (run_id is null) and (run_id is null) = (fingerprint is null))
);
create index bi_objects_dataset on ops.bi_objects (dataset_id) where dataset_id is not null;
create index bi_objects_run on ops.bi_objects (run_id) where run_id is not null;

update private.schema_revision set version_num = '0020_pre_superset';
