-- Rules over what runs and datasets say, what they fired, whom it concerns, and how each message went out.

alter table ops.alert_rules
  add column env text check (env in ('dev', 'stage', 'prod')),
  add column pipeline text,
  add column dataset text,
  -- Over the group's runs that ended within `within`, the judged one last.
  add column aggregate text not null default 'last' check (aggregate in ('last', 'max', 'min', 'avg', 'count', 'share')),
  -- Breaches in a row before it fires.
  add column consecutive int not null default 1 check (consecutive between 1 and 100),
  -- Closes when the value is no breach of this any more; null: of the threshold.
  add column clear_threshold float8,
  add column group_by text not null default 'pipeline' check (group_by in ('pipeline', 'project')),
  -- Which row of the routing matrix knows whom it concerns.
  add column area text not null default 'pipelines',
  -- How long messages of the rule are gathered into one.
  add column gather_seconds float8 not null default 5 check (gather_seconds between 0 and 3600),
  add column built_in boolean not null default false,
  add column description text not null default '';

-- One row a firing; the id is stable.
create table ops.alerts (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  rule_id uuid not null references ops.alert_rules on delete cascade,
  env text not null,
  -- What the rule's breaches are told apart by: a pipeline, a dataset, or the project.
  group_key text not null,
  -- What it was found in, where it is not in runs: a breach of freshness, by its id.
  source_id uuid,
  state text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  title text not null,
  said text not null default '',
  value float8 not null,
  -- The latest run that breached, and when the latest that was looked at ended.
  run_id uuid references ops.runs,
  seen_at timestamptz not null,
  opened_at timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz,
  escalation_level int not null default 0,
  -- Null: nobody further is asked.
  escalates_at timestamptz,
  check ((state = 'resolved') = (resolved_at is not null))
);

-- Two evaluations at once make one alert.
create unique index alerts_open on ops.alerts (rule_id, env, group_key) where state <> 'resolved';
create unique index alerts_source on ops.alerts (rule_id, source_id) where source_id is not null;
create index alerts_listing on ops.alerts (project_id, opened_at desc, id desc);
create index alerts_run on ops.alerts (run_id) where run_id is not null;
create index alerts_escalation on ops.alerts (escalates_at) where state = 'open' and escalates_at is not null;

-- Where messages go. The address is a secret and stands elsewhere; an owner of the routing matrix is reached by its channels.
create table ops.channels (
  name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  secret text not null check (secret like 'secret://%'),
  owner text,
  description text not null default '',
  created_at timestamptz not null default clock_timestamp(),
  created_by text
);

-- No messages for a while: a person muted a rule or group, or the place is being worked on. Alerts are recorded all the same.
create table ops.silences (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  kind text not null check (kind in ('mute', 'maintenance')),
  env text check (env in ('dev', 'stage', 'prod')),
  rule_id uuid references ops.alert_rules on delete cascade,
  group_key text,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text not null check (reason <> ''),
  created_at timestamptz not null default clock_timestamp(),
  created_by text,
  check (ends_at > starts_at)
);

create index silences_project on ops.silences (project_id, ends_at);
create index silences_rule on ops.silences (rule_id) where rule_id is not null;

alter table ops.notifications drop constraint notifications_rule_id_fkey;
alter table ops.notifications
  add constraint notifications_rule_id_fkey foreign key (rule_id) references ops.alert_rules on delete cascade,
  add column alert_id uuid references ops.alerts on delete cascade,
  add column kind text not null default 'opened' check (kind in ('opened', 'escalated', 'resolved', 'test')),
  -- pending: to be sent, or held back by a silence; dropped: nobody needs it any more; failed: given up.
  add column state text not null default 'pending' check (state in ('pending', 'delivered', 'dropped', 'failed')),
  add column due_at timestamptz not null default clock_timestamp(),
  -- Messages that go out as one keep together, whatever becomes of the first try.
  add column batch_id uuid,
  -- Somebody is sending it, until then.
  add column leased_until timestamptz,
  add column last_error text not null default '';

create index notifications_alert on ops.notifications (alert_id) where alert_id is not null;
create index notifications_pending on ops.notifications (due_at) where state = 'pending';
create index notifications_batch on ops.notifications (batch_id) where batch_id is not null;

-- Who answers for an area has half an hour, then the second owner is asked too.
alter table ops.routing_matrix alter column escalation set default '[{"after_minutes": 30, "to": "secondary"}]';
update ops.routing_matrix set escalation = default where escalation = '[]';

update private.schema_revision set version_num = '0012_pre_alerts';
