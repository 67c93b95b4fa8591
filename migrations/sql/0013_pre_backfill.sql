-- Backfills: a past that is to be computed, cut into chunks, each of which becomes a run; and what a run that is made of
-- another one takes over from it, phase by phase.

create table ops.backfills (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  pipeline text not null,
  -- The definition that all its runs have, whatever is registered or promoted meanwhile.
  pipeline_version int not null,
  -- Values of the parameters that do not carry the partition.
  params jsonb not null default '{}' check (jsonb_typeof(params) = 'object'),
  -- As the spec has it: param, until, step.
  partition jsonb not null check (jsonb_typeof(partition) = 'object'),
  partitions int not null check (partitions > 0),
  chunks int not null check (chunks > 0),
  chunk_size int not null check (chunk_size between 1 and 1000),
  max_parallel int not null check (max_parallel between 1 and 100),
  -- Tries of a chunk: runs, each with the attempts that its spec gives it.
  max_tries int not null check (max_tries between 1 and 20),
  priority int not null check (priority between 1 and 1000),
  state text not null default 'active' check (state in ('active', 'paused', 'succeeded', 'failed', 'canceled')),
  reason text not null default '',
  idempotency_key text,
  created_at timestamptz not null default clock_timestamp(),
  created_by text,
  ended_at timestamptz,
  foreign key (project_id, pipeline, pipeline_version) references ops.pipelines (project_id, slug, version),
  check ((state in ('succeeded', 'failed', 'canceled')) = (ended_at is not null))
);

create index backfills_pipeline on ops.backfills (project_id, pipeline, pipeline_version);
create unique index backfills_key on ops.backfills (project_id, env, idempotency_key) where idempotency_key is not null;
create index backfills_active on ops.backfills (created_at, id) where state = 'active';

-- One row a chunk. A partition is in one chunk, a chunk has one run that counts; with both keys "each partition exactly
-- once" is a constraint.
create table ops.backfill_chunks (
  backfill_id uuid not null references ops.backfills,
  chunk int not null check (chunk > 0),
  project_id uuid not null,
  env text not null,
  -- The first partition, and where partitions are dates the first day after the last.
  first text not null,
  until text,
  partitions int not null check (partitions > 0),
  state text not null default 'pending' check (state in ('pending', 'queued', 'succeeded', 'failed', 'canceled')),
  tries int not null default 0,
  max_tries int not null check (max_tries > 0),
  run_id uuid references ops.runs,
  error_code text,
  error_message text,
  settled_at timestamptz,
  primary key (backfill_id, chunk),
  unique (backfill_id, first),
  check (state <> 'queued' or run_id is not null)
);

create unique index backfill_chunks_run on ops.backfill_chunks (run_id) where run_id is not null;
create index backfill_chunks_queued on ops.backfill_chunks (backfill_id) where state = 'queued';
create index backfill_chunks_project on ops.backfill_chunks (project_id, env);

-- effect_of: the run by which what the phase does to the lake is known; null: the run itself, or of a retry the first of its
-- line. kept: it stands as an earlier run left it, because whoever made this run said so.
alter table ops.run_phases
  add column effect_of uuid,
  add column kept boolean not null default false;
