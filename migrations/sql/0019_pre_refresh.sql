-- Full refreshes: what a pipeline makes, built anew beside what readers have, compared with it, swapped in, rolled back.

create table ops.refreshes (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  pipeline text not null,
  -- The first run of its line; a retry builds the same refresh.
  run_id uuid not null unique references ops.runs,
  -- {rows, sums}: shares by which they may differ for readers to get it without anybody's word; null: only by somebody's word.
  tolerance jsonb,
  note text not null default '' check (length(note) <= 10000),
  started_by text,
  started_at timestamptz not null default clock_timestamp(),
  swapped_by text,
  swapped_at timestamptz,
  rolled_back_by text,
  rolled_back_at timestamptz,
  check (rolled_back_at is null or swapped_at is not null)
);
create index refreshes_project on ops.refreshes (project_id, env, started_at desc);

-- What a swap gave readers, and what they had before: null where they had nothing.
create table ops.refresh_tables (
  refresh_id uuid not null references ops.refreshes,
  dataset_id uuid not null references ops.datasets,
  project_id uuid not null references ops.projects,
  version bigint not null,
  former bigint,
  primary key (refresh_id, dataset_id)
);
create index refresh_tables_dataset on ops.refresh_tables (dataset_id);
create index refresh_tables_project on ops.refresh_tables (project_id);

-- Set aside: readers do not get it, and no later run builds upon it. So is what a refresh has built and nobody swapped in, and
-- what was rolled back.
alter table ops.dataset_versions add column aside boolean not null default false;
