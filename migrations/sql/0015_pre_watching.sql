-- What is needed to watch it work: where a run's trace goes on, totals of what has ended, the steward's pulse, evidence of CAPS.

-- The W3C traceparent under which a run was created; null where nobody traced it. Its default is in functions/50_private_traces.sql.
alter table ops.runs add column traceparent text;

-- Totals of ended runs, for counters that never go back. `pipeline` is '(other)' beyond the first few hundred, so that what is
-- scraped stays bounded. Bucket i counts runs (or phases) of at most private.duration_bounds()[i] seconds, the last one all others.
create table ops.run_totals (
  project_id uuid not null references ops.projects,
  pipeline text not null,
  status text not null,
  runs bigint not null,
  lost_leases bigint not null,
  seconds float8 not null,
  buckets bigint[] not null,
  primary key (project_id, pipeline, status)
) with (fillfactor = 70);

create table ops.phase_totals (
  project_id uuid not null references ops.projects,
  kind text not null,
  status text not null,
  phases bigint not null,
  seconds float8 not null,
  buckets bigint[] not null,
  primary key (project_id, kind, status)
) with (fillfactor = 70);

-- How far the totals go: every transaction below the horizon is counted. One row.
create table private.totals_mark (
  one boolean primary key default true check (one),
  horizon bigint not null,
  at timestamptz not null
);
insert into private.totals_mark (horizon, at)
values (pg_snapshot_xmin(pg_current_snapshot())::text::bigint, clock_timestamp());

-- When the elected steward last went its round. One row.
create table private.steward_pulse (
  one boolean primary key default true check (one),
  at timestamptz not null
) with (fillfactor = 10);

-- `evidence` and `proven_at` are of the last success; a failure after it takes the proof away and says why. `probed_at` is when it
-- was last tried, at first when it was installed: the first probes wait for their hour.
alter table ops.capabilities
  add column probed_at timestamptz not null default clock_timestamp(),
  add column failure text;
