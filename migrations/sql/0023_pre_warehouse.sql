-- The SQL warehouse: what people asked, and what was answered before.

alter table ops.runs drop constraint runs_trigger_check;
alter table ops.runs add constraint runs_trigger_check
  check (trigger in ('manual', 'schedule', 'retry', 'replay', 'backfill', 'api', 'query'));

-- A question of a person; its run carries it out. sees_personal: whether whoever asked might see personal data there then.
create table ops.queries (
  run_id uuid primary key references ops.runs,
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  sql text not null check (length(sql) between 1 and 100000),
  params jsonb not null default '{}' check (jsonb_typeof(params) = 'object'),
  engine text not null check (engine ~ '^[a-z][a-z0-9_]{0,30}$'),
  subject text,
  sees_personal boolean not null,
  created_at timestamptz not null
);
create index queries_list on ops.queries (project_id, created_at desc, run_id desc);
create index queries_of_subject on ops.queries (subject, created_at desc, run_id desc);
-- Without its dots: to the parser gold.revenue is the name of a host, one word.
create index queries_words on ops.queries using gin (to_tsvector('simple'::regconfig, translate(sql, '.', ' ')));

-- Answers by the digest of all that they follow from: text, parameters, engine, columns kept back, versions of the tables.
create table ops.query_answers (
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  key text not null check (key ~ '^[0-9a-f]{64}$'),
  run_id uuid not null references ops.runs,
  answered_at timestamptz not null default clock_timestamp(),
  primary key (project_id, env, key)
);
create index query_answers_run on ops.query_answers (run_id);

-- When a version was released is asked of the line of retries that let it stand.
create index runs_of_line on ops.runs (root_run) where root_run is not null;

-- Lists of runs leave questions out: with the trigger in it an index still serves them alone.
drop index ops.runs_list, ops.runs_waiting, ops.runs_at_work, ops.runs_failed, ops.runs_canceled;
create index runs_list on ops.runs (project_id, created_at desc, id desc) include (trigger);
create index runs_waiting on ops.runs (project_id, created_at desc, id desc) include (trigger) where status = 'queued';
create index runs_at_work on ops.runs (project_id, created_at desc, id desc) include (trigger)
where status in ('claimed', 'running');
create index runs_failed on ops.runs (project_id, created_at desc, id desc) include (trigger) where status = 'failed';
create index runs_canceled on ops.runs (project_id, created_at desc, id desc) include (trigger) where status = 'canceled';
