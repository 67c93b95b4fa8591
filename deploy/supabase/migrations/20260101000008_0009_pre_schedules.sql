-- Schedules by what starts them, the ledger of their ticks, freshness rules and what they found, keys of webhooks.

alter table ops.schedules
  drop constraint schedules_check,
  drop constraint schedules_project_id_env_pipeline_cron_after_pipeline_on_fr_key;
alter table ops.schedules rename column on_freshness_of to dataset;
alter table ops.schedules
  add column slug text,
  add column kind text,
  add column stale_seconds float8 check (stale_seconds > 0),
  -- How late a tick may be looked at without being missed.
  add column grace_seconds float8 not null default 60 check (grace_seconds >= 0),
  -- The most that misfire = run_all makes up for at once.
  add column catch_up_limit int not null default 100 check (catch_up_limit between 1 and 10000),
  add column overlap text not null default 'queue' check (overlap in ('queue', 'skip', 'cancel_running')),
  add column jitter_seconds float8 not null default 0 check (jitter_seconds between 0 and 86400),
  add column params jsonb not null default '{}' check (jsonb_typeof(params) = 'object'),
  add column priority int not null default 100,
  -- After a pipeline: how good its run must have been.
  add column min_score float8 check (min_score between 0 and 100),
  add column paused_reason text not null default '',
  add column paused_by text,
  add column paused_at timestamptz,
  add column created_at timestamptz not null default clock_timestamp(),
  add column created_by text,
  -- Counts what was changed: a decision that was prepared for an earlier definition is none.
  add column revision int not null default 1,
  -- Ticks are those after this moment.
  add column anchored_at timestamptz not null default clock_timestamp(),
  -- With its jitter; null: next_at is not known yet, infinity: there is none any more.
  add column due_at timestamptz,
  add column last_tick timestamptz,
  -- Runs that may still be open; kept only where overlapping is not simply queued.
  add column open_runs uuid[] not null default '{}';

update ops.schedules
set slug = 's_' || replace(id::text, '-', '_'),
  kind = case when cron is not null then 'cron' when after_pipeline is not null then 'after_pipeline' else 'on_dataset' end;

alter table ops.schedules
  alter column slug set not null,
  alter column kind set not null,
  add unique (project_id, env, slug),
  add constraint schedules_slug_check check (slug ~ '^[a-z][a-z0-9_]{0,62}$'),
  add constraint schedules_kind_check check (kind in ('cron', 'after_pipeline', 'on_dataset', 'when_stale', 'webhook')),
  add constraint schedules_fields_check check (
    (kind = 'cron') = (cron is not null)
    and (kind = 'after_pipeline') = (after_pipeline is not null)
    and (kind in ('on_dataset', 'when_stale')) = (dataset is not null)
    and (kind = 'when_stale') = (stale_seconds is not null)
    and (min_score is null or kind = 'after_pipeline'));

create index schedules_due on ops.schedules (due_at) where kind = 'cron' and not paused;
-- Asked by every run that succeeds and every dataset that is released.
create index schedules_after on ops.schedules (project_id, env, after_pipeline) where after_pipeline is not null;
create index schedules_dataset on ops.schedules (project_id, env, dataset) where dataset is not null;

-- One row a tick, decided or to be decided. The key is what makes it that tick and no other: with it "never lost, never
-- twice" is a constraint. Without a foreign key to the schedule: the ledger outlives it, and what ends a run must not wait
-- for whoever changes a schedule.
create table ops.schedule_ticks (
  id uuid primary key default private.new_id(),
  project_id uuid not null,
  env text not null,
  schedule_id uuid not null,
  key text not null check (key <> ''),
  tick timestamptz not null,
  -- Skipped ticks in a row are one row: how many, up to which. ticks is null where they were too many to be counted.
  through timestamptz,
  ticks int default 1,
  outcome text not null check (outcome in ('pending', 'fired', 'skipped', 'failed')),
  reason text not null default '',
  run_id uuid references ops.runs,
  data jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  decided_at timestamptz,
  unique (schedule_id, key),
  check ((outcome = 'fired') = (run_id is not null)),
  check ((outcome = 'pending') = (decided_at is null))
);

create index schedule_ticks_history on ops.schedule_ticks (schedule_id, tick desc, id desc);
create index schedule_ticks_pending on ops.schedule_ticks (schedule_id) where outcome = 'pending';
create index schedule_ticks_run on ops.schedule_ticks (run_id) where run_id is not null;
create index schedule_ticks_project on ops.schedule_ticks (project_id, env);

-- What a sender signs its requests with. In a schema that nobody is given, as the hashes of access tokens are.
create table private.webhook_keys (
  schedule_id uuid primary key references ops.schedules on delete cascade,
  key bytea not null check (length(key) >= 24),
  made_at timestamptz not null default clock_timestamp()
);

-- How old a dataset may be. event_column: the column whose newest value is the dataset's own clock; null, or where it has
-- none: the moment at which readers got the version.
create table ops.freshness_rules (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  dataset text not null check (dataset ~ '^[a-z]+\.[a-z][a-z0-9_]{0,99}$'),
  event_column text check (event_column <> ''),
  warn_seconds float8 not null check (warn_seconds > 0),
  error_seconds float8 not null check (error_seconds >= warn_seconds),
  created_at timestamptz not null default clock_timestamp(),
  unique (project_id, env, dataset)
);

-- Each rule's answer as the steward last found it.
create table ops.freshness (
  rule_id uuid primary key references ops.freshness_rules on delete cascade,
  project_id uuid not null,
  env text not null,
  dataset text not null,
  -- Null: no run has released it yet; then it ages from the rule's beginning on.
  dataset_id uuid references ops.datasets,
  clock timestamptz not null,
  clock_kind text not null check (clock_kind in ('event', 'release', 'never')),
  lag_seconds float8 not null,
  state text not null check (state in ('ok', 'warn', 'error')),
  since timestamptz not null,
  checked_at timestamptz not null
) with (fillfactor = 60);

create index freshness_project on ops.freshness (project_id, env);
create index freshness_dataset on ops.freshness (dataset_id);

-- Each time that a dataset grew too old, once a level. The id is stable: whoever tells people of it can tell it once.
create table ops.freshness_breaches (
  id uuid primary key default private.new_id(),
  rule_id uuid not null,
  project_id uuid not null,
  env text not null,
  dataset text not null,
  level text not null check (level in ('warn', 'error')),
  clock timestamptz not null,
  began_at timestamptz not null,
  noticed_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  unique (rule_id, level, began_at)
);

create index freshness_breaches_project on ops.freshness_breaches (project_id, began_at desc);
create index freshness_breaches_open on ops.freshness_breaches (rule_id) where ended_at is null;

-- The newest value of the dataset's event column in that version; event_looked_at: it was looked for.
alter table ops.dataset_versions add column event_time timestamptz, add column event_looked_at timestamptz;

update private.schema_revision set version_num = '0009_pre_schedules';
