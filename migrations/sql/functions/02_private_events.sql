-- What is called with each event or phase is plpgsql, which keeps its plans: a function in SQL is planned anew at each call.

-- The hash chain: hash = sha256(hash before ‖ row). jsonb_build_array makes the row unambiguous, whatever is in it.

create or replace function private.event_hash(
  p_previous bytea, p_run_id uuid, p_seq bigint, p_ts timestamptz, p_type text, p_phase text, p_level text,
  p_message text, p_data jsonb, p_lease_token bigint, p_event_id uuid
) returns bytea
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_catalog.sha256(p_previous || pg_catalog.convert_to(
    pg_catalog.jsonb_build_array(
      p_run_id, p_seq, (extract(epoch from p_ts) * 1000000)::bigint, p_type, p_phase, p_level, p_message, p_data,
      p_lease_token, p_event_id)::text,
    'UTF8'));
end
$$;

-- Appends to an OWNED run. The lease row holds the head of the chain and its lock makes seq gapless; the run row is not
-- touched, so that a phase may hold it (ops.hold_run) while another phase of the run reports.
create or replace function private.emit(
  p_run_id uuid, p_type text, p_phase text default null, p_message text default '', p_data jsonb default '{}',
  p_level text default 'info', p_event_id uuid default null
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_hash bytea;
begin
  select * into strict v_lease from ops.run_leases where run_id = p_run_id for update;
  v_hash := private.event_hash(
    v_lease.event_hash, p_run_id, v_lease.event_seq + 1, v_now, p_type, p_phase, p_level, p_message, p_data,
    v_lease.lease_token, p_event_id);
  insert into ops.run_events (
    run_id, seq, ts, project_id, type, phase, level, message, data, lease_token, event_id, hash)
  values (
    p_run_id, v_lease.event_seq + 1, v_now, v_lease.project_id, p_type, p_phase, p_level, p_message, p_data,
    v_lease.lease_token, p_event_id, v_hash);
  update ops.run_leases set event_seq = v_lease.event_seq + 1, event_hash = v_hash where run_id = p_run_id;
  return v_lease.event_seq + 1;
end
$$;

-- Gives back the lease of a run whose row the caller has locked, releases its caps and pools and appends the event that says why.
-- The chain's head is returned: the caller writes it into the run in the same update as the new status.
create or replace function private.end_lease(
  p_run_id uuid, p_type text, p_message text, p_data jsonb, p_level text,
  out seq bigint, out hash bytea, out phase text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  delete from ops.run_leases l where l.run_id = p_run_id returning * into strict v_lease;
  seq := v_lease.event_seq + 1;
  phase := v_lease.phase;
  hash := private.event_hash(
    v_lease.event_hash, p_run_id, seq, v_now, p_type, null, p_level, p_message, p_data, v_lease.lease_token, null);
  insert into ops.run_events (run_id, seq, ts, project_id, type, level, message, data, lease_token, hash)
  values (
    p_run_id, seq, v_now, v_lease.project_id, p_type, p_level, p_message, p_data, v_lease.lease_token, hash);
  -- What is just being removed with its cap or pool is stepped over: without the lease it counts no more (private.is_leased).
  update ops.cap_usage u
  set released_at = v_now
  where u.id = any (array(
    select o.id from ops.cap_usage o
    where o.run_id = p_run_id and o.lease_token = v_lease.lease_token and o.released_at is null
    for update skip locked));
  delete from ops.pool_uses u
  where u.run_id = p_run_id and u.pool_id = any (array(
    select o.pool_id from ops.pool_uses o
    where o.run_id = p_run_id and o.lease_token = v_lease.lease_token
    for update skip locked));
end
$$;

-- Appends to a run that NOBODY owns and whose row the caller has locked.
create or replace function private.emit_unowned(
  p_run_id uuid, p_type text, p_message text default '', p_data jsonb default '{}', p_level text default 'info'
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_hash bytea;
begin
  select project_id, event_seq, event_hash into strict v_run from ops.runs where id = p_run_id;
  v_hash := private.event_hash(
    v_run.event_hash, p_run_id, v_run.event_seq + 1, v_now, p_type, null, p_level, p_message, p_data, null, null);
  insert into ops.run_events (run_id, seq, ts, project_id, type, level, message, data, hash)
  values (p_run_id, v_run.event_seq + 1, v_now, v_run.project_id, p_type, p_level, p_message, p_data, v_hash);
  update ops.runs set event_seq = v_run.event_seq + 1, event_hash = v_hash where id = p_run_id;
end
$$;

create or replace function private.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'CR005', message = pg_catalog.format(
    '%s is append-only: %s is refused; add a new row instead', tg_table_name, pg_catalog.lower(tg_op));
end
$$;

create or replace function private.refuse_terminal_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'CR002', message = pg_catalog.format(
    'run %s ended as %s and never changes again; retry it as a new run', old.id, old.status);
end
$$;
