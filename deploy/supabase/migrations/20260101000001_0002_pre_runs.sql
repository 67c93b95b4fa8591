-- Pipelines, runs and everything that belongs to one run.

create sequence ops.lease_tokens as bigint;

create table ops.pipelines (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  slug text not null,
  version int not null check (version > 0),
  spec jsonb not null,
  sha256 text not null,
  git_sha text not null,
  created_at timestamptz not null default clock_timestamp(),
  unique (project_id, slug, version),
  unique (project_id, slug, sha256, git_sha)
);

create table ops.executors (
  id uuid primary key,
  name text not null,
  capabilities text[] not null default '{}',
  labels jsonb not null default '{}',
  slots int not null default 1 check (slots > 0),
  host text not null default '',
  version text not null default '',
  state text not null default 'active' check (state in ('active', 'draining', 'lost')),
  registered_at timestamptz not null default clock_timestamp(),
  last_seen timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

create table ops.runs (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  pipeline text not null,
  pipeline_version int not null,
  spec jsonb not null,
  spec_sha256 text not null,
  git_sha text not null,
  params jsonb not null default '{}',
  input_manifest jsonb not null default '{}',
  output_manifest jsonb not null default '{}',
  -- Text and a check, not an enum: enum equality is not leakproof, so under row-level security no index would serve it.
  status text not null default 'queued'
    check (status in ('queued', 'claimed', 'running', 'succeeded', 'failed', 'canceled')),
  phase text,
  priority int not null default 100,
  -- Its place in the queue, given when it is created so that projects take turns; see private.next_turn.
  turn bigint not null,
  available_at timestamptz not null,
  capabilities text[] not null default '{}',
  attempt int not null default 0,
  max_attempts int not null default 3 check (max_attempts > 0),
  lost_leases int not null default 0,
  max_lost_leases int not null default 10,
  timeout_seconds float8 check (timeout_seconds > 0),
  idempotency_key text,
  trigger text not null default 'manual'
    check (trigger in ('manual', 'schedule', 'retry', 'replay', 'backfill', 'api')),
  parent_run uuid references ops.runs,
  error_code text,
  error_message text,
  error_data jsonb,
  tags jsonb not null default '{}',
  -- The last owner's token: a repeat of the call that ended the run is known by it.
  lease_token bigint,
  executor_id uuid references ops.executors,
  -- Head of the event chain while nobody owns the run; an owned run's head is in run_leases.
  event_seq bigint not null default 0,
  event_hash bytea not null default '\x',
  created_at timestamptz not null,
  claimed_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 80);

create index runs_queue on ops.runs (priority, turn, id) where status = 'queued';
create index runs_list on ops.runs (project_id, created_at desc, id desc);
create unique index runs_idempotency on ops.runs (project_id, idempotency_key) where idempotency_key is not null;
-- Runs end roughly in the order of their rows: a summary of ranges is enough for the steward, and an update costs it nothing.
create index runs_finished on ops.runs using brin (finished_at) with (pages_per_range = 16, autosummarize = on);
create index runs_parent on ops.runs (parent_run) where parent_run is not null;

-- One row for each project and priority with a queue: the last turn given out.
create table ops.queue_turns (
  project_id uuid not null references ops.projects,
  priority int not null,
  last_turn bigint not null,
  primary key (project_id, priority)
) with (fillfactor = 50);

-- Exists only while a run is owned. Narrow, and without an index on the expiry, so that a heartbeat stays a HOT update.
create table ops.run_leases (
  run_id uuid primary key references ops.runs,
  project_id uuid not null,
  executor_id uuid not null,
  lease_token bigint not null,
  lease_seconds float8 not null,
  expires_at timestamptz not null,
  cancel_requested boolean not null default false,
  phase text,
  progress jsonb,
  event_seq bigint not null,
  event_hash bytea not null
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);

create table ops.run_phases (
  run_id uuid not null references ops.runs,
  ordinal int not null,
  project_id uuid not null,
  name text not null,
  kind text not null,
  depends_on text[] not null default '{}',
  status text not null default 'pending'
    check (status in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'canceled')),
  attempt int not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  rows_in bigint,
  rows_out bigint,
  byte_size bigint,
  input_fingerprint text,
  output_fingerprint text,
  metrics jsonb not null default '{}',
  error_code text,
  error_message text,
  error_data jsonb,
  -- The handler's whole answer: a later attempt that skips the phase still knows what it left in the lake.
  result jsonb not null default '{}',
  primary key (run_id, ordinal),
  unique (run_id, name)
) with (fillfactor = 70);

create table ops.run_events (
  run_id uuid not null,
  seq bigint not null,
  ts timestamptz not null,
  project_id uuid not null,
  type text not null check (type in (
    'RUN_CREATED', 'RUN_CLAIMED', 'RUN_STARTED', 'PHASE_STARTED', 'PHASE_PROGRESS', 'PHASE_SUCCEEDED', 'PHASE_FAILED',
    'PHASE_SKIPPED', 'LEASE_RENEWED', 'LEASE_EXPIRED', 'RUN_REQUEUED', 'CANCEL_REQUESTED', 'RUN_SUCCEEDED',
    'RUN_FAILED', 'RUN_CANCELED')),
  phase text,
  level text not null default 'info' check (level in ('debug', 'info', 'warning', 'error')),
  message text not null default '',
  data jsonb not null default '{}',
  lease_token bigint,
  event_id uuid,
  hash bytea not null,
  primary key (run_id, seq, ts)
) partition by range (ts);

create index run_events_client_id on ops.run_events (run_id, event_id) where event_id is not null;

create table ops.run_artifacts (
  id uuid primary key default private.new_id(),
  run_id uuid not null references ops.runs,
  project_id uuid not null,
  phase text not null default '',
  name text not null,
  kind text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  byte_size bigint not null check (byte_size >= 0),
  content_type text not null,
  uri text not null,
  meta jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  unique (run_id, phase, name)
);

update private.schema_revision set version_num = '0002_pre_runs';
