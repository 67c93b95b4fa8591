-- What runs are measured by beside their own row: rows and nulls of what they wrote, the part of a signal that costs nothing,
-- one sentence a score, and how good a run must be to let its version into an environment.

-- Of the files that the commit added: {"rows": …, "nulls": {column: …}}.
alter table ops.dataset_versions add column stats jsonb not null default '{}';

-- A value up to here is as usual and costs no points.
alter table ops.signal_weights add column free_until float8 not null default 0 check (free_until >= 0);

alter table ops.run_scores add column sentence text not null default '';

create table ops.score_gates (
  id uuid primary key default private.new_id(),
  project_id uuid not null references ops.projects,
  env text not null check (env in ('dev', 'stage', 'prod')),
  -- Null: every pipeline that has no gate of its own.
  pipeline text,
  min_score numeric(5, 2) not null check (min_score between 0 and 100),
  created_at timestamptz not null default clock_timestamp(),
  created_by text,
  unique nulls not distinct (project_id, env, pipeline)
);

update private.schema_revision set version_num = '0011_pre_signals';
