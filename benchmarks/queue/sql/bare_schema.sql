-- The least that a queue in Postgres can be: one table, one partial index, no history, no lease.
create table bare_job (
  id bigint generated always as identity primary key,
  priority int not null default 100,
  available_at timestamptz not null default clock_timestamp(),
  status text not null default 'queued',
  owner uuid,
  claimed_at timestamptz
);
create index bare_job_queue on bare_job (priority, available_at, id) where status = 'queued';
