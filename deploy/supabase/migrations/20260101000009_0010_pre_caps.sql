-- Limits of every kind, and what is measured against them: caps of a pipeline, pools, prices, and what each try at a phase used.

alter table ops.caps
  -- Null: every pipeline of the scope.
  add column pipeline text,
  add column created_by text,
  add constraint caps_pipeline_has_project check (pipeline is null or project_id is not null);

-- A charge belongs to a try at a phase where one made it, so that a report of the same try can be told from another's.
alter table ops.cap_usage add column phase text, add column attempt int;
-- What is held of concurrent caps, of which there are few rows, whatever history there is.
create index cap_usage_held on ops.cap_usage (cap_id) where released_at is null;

-- The sum of ops.cap_usage by cap and period, kept by a trigger: a claim must not add up a month.
create table private.cap_windows (
  cap_id uuid not null references ops.caps on delete cascade,
  starts_at timestamptz not null,
  used numeric not null,
  primary key (cap_id, starts_at)
) with (fillfactor = 50);

insert into private.cap_windows (cap_id, starts_at, used)
select u.cap_id, date_trunc(c.period, u.used_at at time zone 'UTC') at time zone 'UTC', sum(u.amount)
from ops.cap_usage u join ops.caps c on c.id = u.cap_id
where c.period <> 'concurrent'
group by 1, 2;

-- A number of slots that runs share which use the same thing, such as one source. A project's own goes before its org's of that name.
create table ops.pools (
  id uuid primary key default private.new_id(),
  org_id uuid not null references ops.orgs,
  -- Null: the whole org.
  project_id uuid references ops.projects,
  name text not null check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
  slots int not null check (slots >= 0),
  created_by text,
  created_at timestamptz not null default clock_timestamp(),
  unique nulls not distinct (org_id, project_id, name)
);

create index pools_project on ops.pools (project_id) where project_id is not null;

-- Slots in use: a row exists for as long as the lease that took them.
create table ops.pool_uses (
  pool_id uuid not null references ops.pools,
  run_id uuid not null references ops.runs,
  project_id uuid not null,
  -- Null between choosing the run and leasing it, within one statement of the claim.
  lease_token bigint,
  slots int not null check (slots > 0),
  taken_at timestamptz not null default clock_timestamp(),
  primary key (pool_id, run_id)
) with (fillfactor = 50);

create index pool_uses_run on ops.pool_uses (run_id);

-- {"odoo_source": 1}: the pools that a run takes slots of, and how many; from its spec.
alter table ops.runs add column pools jsonb not null default '{}';

-- Under limits a claim looks for the first run of each pipeline that is not held back, not through all that are.
create index runs_queue_of_pipeline on ops.runs (project_id, pipeline, pools, priority, turn, id) where status = 'queued';

-- When a claim under limits last gave a run of a project out, by priority: the projects take turns by it.
create table private.projects_served (
  project_id uuid not null references ops.projects,
  priority int not null,
  at timestamptz not null,
  primary key (project_id, priority)
) with (fillfactor = 50);

-- What a unit costs an org from a moment on. GB are 10^9 bytes.
create table ops.prices (
  id uuid primary key default private.new_id(),
  org_id uuid not null references ops.orgs,
  unit text not null check (unit in ('cpu_second', 'gb_hour', 'gb_read', 'gb_written')),
  price numeric not null check (price >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  valid_from timestamptz not null,
  created_by text,
  created_at timestamptz not null default clock_timestamp(),
  unique (org_id, unit, valid_from)
);

-- What each try at a phase has used so far, as its owner last said. Values only grow; docs/caps.md says what each means.
create table ops.phase_usage (
  run_id uuid not null references ops.runs,
  phase text not null,
  attempt int not null,
  lease_token bigint not null,
  project_id uuid not null,
  seconds numeric not null default 0,
  cpu_seconds numeric not null default 0,
  peak_memory_bytes bigint not null default 0,
  read_bytes bigint not null default 0,
  written_bytes bigint not null default 0,
  -- What caps on rows and bytes are charged: commits to the lake when they are recorded, the rest when the phase has succeeded.
  rows_moved bigint not null default 0,
  bytes_moved bigint not null default 0,
  -- Added up at the prices of each moment; null where the org has no prices.
  cost numeric,
  currency text,
  reported_at timestamptz not null default clock_timestamp(),
  primary key (run_id, phase, attempt, lease_token)
) with (fillfactor = 50);

update private.schema_revision set version_num = '0010_pre_caps';
