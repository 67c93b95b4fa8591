-- Environments of projects whose gold is to be shown in Superset because a run published it: one row until that is done.
create table ops.bi_wishes (
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  -- That of the runs that asked which asked last.
  run_id uuid not null references ops.runs,
  asked_at timestamptz not null default clock_timestamp(),
  tries int not null default 0,
  next_at timestamptz not null default clock_timestamp(),
  error text,
  primary key (project_id, env)
);
create index bi_wishes_run on ops.bi_wishes (run_id);

update private.schema_revision set version_num = '0025_pre_bi_wishes';
