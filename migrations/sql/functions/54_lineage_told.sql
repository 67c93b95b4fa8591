-- The ledger of what the receiver of lineage has been told: one row a run, with the number of the last event that it knows of.

-- Notes runs that are to be told: those that are owned, and those that have ended since the last time. Returns how many are new.
-- The first call is the beginning: of what had ended before it nothing is told. People's questions write no table, so no
-- lineage tells of them. None is missed, whoever ended it when; by the
-- same reasoning as in private.count_ended_runs.
create or replace function ops.enroll_lineage() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
set enable_seqscan = off
as $$
declare
  v_mark record;
  v_own bigint := pg_catalog.pg_current_xact_id()::text::bigint;
  v_horizon bigint := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint;
  v_owned int;
  v_ended int := 0;
begin
  insert into private.lineage_mark (horizon, at) values (v_horizon, pg_catalog.clock_timestamp())
  on conflict (one) do nothing;
  select horizon, at into v_mark from private.lineage_mark for update skip locked;
  if not found then
    return 0;
  end if;
  insert into ops.lineage_sent (run_id, project_id)
  select l.run_id, l.project_id
  from ops.run_leases l
  join ops.runs r on r.id = l.run_id and r.trigger <> 'query'
  where not exists (select from ops.lineage_sent s where s.run_id = l.run_id)
  on conflict (run_id) do nothing;
  get diagnostics v_owned = row_count;
  if v_horizon > v_mark.horizon then
    insert into ops.lineage_sent (run_id, project_id)
    select r.id, r.project_id
    from ops.runs r
    where r.finished_at >= v_mark.at - interval '10 minutes' and r.status in ('succeeded', 'failed', 'canceled')
      and r.trigger <> 'query'
      and v_own - pg_catalog.age(r.xmin) between v_mark.horizon and v_horizon - 1
    on conflict (run_id) do nothing;
    get diagnostics v_ended = row_count;
    update private.lineage_mark set horizon = v_horizon, at = pg_catalog.clock_timestamp();
  end if;
  return v_owned + v_ended;
end
$$;

-- Runs of which there is more to tell than the receiver knows. What it did not take waits longer each time, up to five minutes,
-- and comes after what it has not yet been asked to take.
create or replace function ops.due_lineage(p_limit int default 100)
returns table (run_id uuid, seq bigint, attempts int)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select s.run_id, s.seq, s.attempts
    from ops.lineage_sent s
    join ops.runs r on r.id = s.run_id
    left join ops.run_leases l on l.run_id = s.run_id
    where not s.done
      -- Of a run that has ended the last word is that it is done: whoever told its last event may have died before saying so.
      and (coalesce(l.event_seq, r.event_seq) > s.seq or r.status in ('succeeded', 'failed', 'canceled'))
      and (s.attempts = 0
        or s.sent_at + least(2 ^ least(s.attempts, 10), 300) * interval '1 second' <= pg_catalog.clock_timestamp())
    order by s.attempts, s.run_id
    limit p_limit;
end
$$;

-- The receiver knows of the run's events up to p_seq; p_done: there will be no more. A number never goes back.
create or replace function ops.lineage_told(p_run_id uuid, p_seq bigint, p_done boolean) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.lineage_sent
  set seq = greatest(seq, p_seq), done = done or p_done, attempts = 0, last_error = null,
    sent_at = pg_catalog.clock_timestamp()
  where run_id = p_run_id
$$;

-- The receiver did not take the run's next event; p_error has nothing secret in it. p_later: because of the event and not of the
-- receiver, so that this run waits and the others do not.
create or replace function ops.lineage_refused(p_run_id uuid, p_error text, p_later boolean) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.lineage_sent
  set attempts = attempts + p_later::int, last_error = left(p_error, 500), sent_at = pg_catalog.clock_timestamp()
  where run_id = p_run_id and not done
$$;
