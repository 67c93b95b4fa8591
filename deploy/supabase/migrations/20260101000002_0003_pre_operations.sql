-- Limits, signals, scores, alerts, ownership, schedules and the CAPS report.

create table ops.caps (
  id uuid primary key default private.new_id(),
  key text not null unique,
  org_id uuid not null references ops.orgs,
  -- Null: the whole org.
  project_id uuid references ops.projects,
  unit text not null default 'runs' check (unit in ('runs', 'cpu_seconds', 'rows', 'bytes', 'money')),
  amount numeric not null check (amount >= 0),
  period text not null check (period in ('hour', 'day', 'week', 'month', 'concurrent')),
  created_at timestamptz not null default clock_timestamp()
);

create index caps_org on ops.caps (org_id);
create index caps_project on ops.caps (project_id);

create table ops.cap_usage (
  id uuid primary key default private.new_id(),
  cap_id uuid not null references ops.caps,
  project_id uuid,
  run_id uuid,
  lease_token bigint,
  amount numeric not null,
  used_at timestamptz not null default clock_timestamp(),
  released_at timestamptz
);

create index cap_usage_window on ops.cap_usage (cap_id, used_at);
create index cap_usage_run on ops.cap_usage (run_id) where released_at is null;

create table ops.capabilities (
  ordinal int primary key,
  capability text not null unique,
  databricks text not null,
  target text not null,
  mvp text not null check (mvp in ('supported', 'planned', 'not planned')),
  v1 text not null check (v1 in ('supported', 'planned', 'not planned')),
  v2 text not null check (v2 in ('supported', 'planned', 'not planned')),
  probe text,
  evidence jsonb,
  proven_at timestamptz
);

create table ops.routing_matrix (
  id uuid primary key default private.new_id(),
  area text not null unique,
  match jsonb not null default '{}',
  primary_owner text not null,
  secondary_owner text not null,
  channels text[] not null default '{}',
  escalation jsonb not null default '[]',
  surface text not null,
  priority int not null default 100
);

create table ops.alert_rules (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  name text not null,
  signal text not null,
  comparison text not null check (comparison in ('<', '<=', '>', '>=')),
  threshold float8 not null,
  within interval not null default '1 hour',
  severity text not null default 'warning' check (severity in ('info', 'warning', 'critical')),
  tag text not null default '',
  enabled boolean not null default true,
  unique (project_id, name)
);

create table ops.notifications (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  rule_id uuid references ops.alert_rules,
  run_id uuid references ops.runs,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  title text not null,
  body text not null default '',
  channel text not null,
  attempts int not null default 0,
  delivered_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  escalation_level int not null default 0,
  created_at timestamptz not null default clock_timestamp()
);

create index notifications_project on ops.notifications (project_id, created_at desc);
create index notifications_rule on ops.notifications (rule_id);
create index notifications_run on ops.notifications (run_id);

create table ops.signal_weights (
  signal text primary key,
  weight float8 not null check (weight >= 0),
  -- up: more is better; down: less is better.
  direction text not null check (direction in ('up', 'down')),
  -- The value at which the signal has lost half of its points.
  half_at float8 not null check (half_at > 0),
  description text not null
);

create table ops.signals (
  run_id uuid not null references ops.runs,
  signal text not null,
  project_id uuid not null,
  value float8 not null,
  data jsonb not null default '{}',
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (run_id, signal)
);

create table ops.run_scores (
  run_id uuid primary key references ops.runs,
  project_id uuid not null,
  score numeric(5, 2) not null check (score between 0 and 100),
  breakdown jsonb not null,
  computed_at timestamptz not null default clock_timestamp()
);

create table ops.schedules (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  pipeline text not null,
  cron text,
  timezone text not null default 'UTC',
  after_pipeline text,
  on_freshness_of text,
  misfire text not null default 'run_once' check (misfire in ('skip', 'run_once', 'run_all')),
  paused boolean not null default false,
  next_at timestamptz,
  unique nulls not distinct (project_id, env, pipeline, cron, after_pipeline, on_freshness_of),
  check (num_nonnulls(cron, after_pipeline, on_freshness_of) = 1)
);

update private.schema_revision set version_num = '0003_pre_operations';
