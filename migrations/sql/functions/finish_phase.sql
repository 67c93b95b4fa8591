-- Ends a try at a phase: succeeded, failed, skipped or canceled. A repeat with the same outcome changes nothing.
create or replace function ops.finish_phase(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_phase record;
  v_usage jsonb := coalesce(p_result -> 'usage', '{}');
begin
  perform private.owned(p_run_id, p_lease_token);
  if p_status is null or p_status not in ('succeeded', 'failed', 'skipped', 'canceled') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_status is %L; use succeeded, failed, skipped or canceled', p_status);
  end if;
  select status, output_fingerprint, attempt into v_phase
  from ops.run_phases where run_id = p_run_id and name = p_phase;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('run %s has no phase %L', p_run_id, p_phase);
  end if;
  -- A skipped phase keeps the fingerprint of the success that it stands on; whoever skips it names none.
  if v_phase.status = p_status
     and (p_status = 'skipped' or v_phase.output_fingerprint is not distinct from p_result ->> 'output_fingerprint') then
    return;
  end if;
  if p_status = 'skipped' then
    if v_phase.status <> 'succeeded' then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'phase %L of run %s is %s; only one that succeeded before can be skipped, carry it out', p_phase, p_run_id,
        v_phase.status);
    end if;
    update ops.run_phases set status = 'skipped' where run_id = p_run_id and name = p_phase;
    perform private.take_over_artifacts(p_run_id, p_phase);
  else
    if v_phase.status <> 'running' then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'phase %L of run %s is %s, not running; start it first', p_phase, p_run_id, v_phase.status);
    end if;
    update ops.run_phases
    set status = p_status, finished_at = pg_catalog.clock_timestamp(),
      rows_in = (p_result ->> 'rows_in')::bigint, rows_out = (p_result ->> 'rows_out')::bigint,
      byte_size = (p_result ->> 'byte_size')::bigint,
      input_fingerprint = coalesce(p_result ->> 'input_fingerprint', input_fingerprint),
      output_fingerprint = p_result ->> 'output_fingerprint',
      metrics = coalesce(p_result -> 'metrics', '{}') || private.measured(v_usage),
      error_code = p_result ->> 'error_code', error_message = p_result ->> 'error_message',
      error_data = p_result -> 'error_data', result = p_result - 'column_lineage'
    where run_id = p_run_id and name = p_phase;
  end if;
  if p_result ? 'column_lineage' then
    perform private.record_column_lineage(p_run_id, p_result);
  end if;
  if p_status = 'succeeded' and p_result -> 'metrics' ? 'answer_key' then
    perform private.keep_answer(p_run_id, p_result -> 'metrics' ->> 'answer_key');
  end if;
  if p_status = 'succeeded' and p_result -> 'metrics' ? 'superset' then
    perform private.wish_bi(p_run_id);
  end if;
  perform private.emit(
    p_run_id,
    case p_status
      when 'succeeded' then 'PHASE_SUCCEEDED' when 'skipped' then 'PHASE_SKIPPED' else 'PHASE_FAILED'
    end,
    p_phase,
    coalesce(p_result ->> 'error_message', ''),
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'attempt', v_phase.attempt, 'rows_in', p_result -> 'rows_in', 'rows_out', p_result -> 'rows_out',
      'byte_size', p_result -> 'byte_size', 'output_fingerprint', p_result -> 'output_fingerprint',
      'error_code', p_result -> 'error_code')),
    case when p_status in ('failed', 'canceled') then 'error' else 'info' end);
  -- Last: what is locked by charging is locked for as short as can be.
  if p_status = 'succeeded' then
    v_usage := v_usage || private.moved(p_result);
  end if;
  if v_usage <> '{}' and p_status <> 'skipped' then
    perform private.charge_usage(pg_catalog.jsonb_build_array(v_usage || pg_catalog.jsonb_build_object(
      'run_id', p_run_id, 'lease_token', p_lease_token, 'phase', p_phase, 'attempt', v_phase.attempt)));
  end if;
end
$$;

-- Of what the owner reports of a try, what belongs to the phase's metrics.
create or replace function private.measured(p_usage jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(pg_catalog.jsonb_object_agg(key, value), '{}')
    from pg_catalog.jsonb_each(p_usage)
    where key in ('cpu_seconds', 'peak_memory_bytes', 'read_bytes', 'written_bytes'));
end
$$;

-- What a phase that succeeded has moved, without the commits of a former owner that it adopted: those were charged when they were
-- recorded, if by this try, as its own.
create or replace function private.moved(p_result jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case when p_result ->> 'rows_out' is null and p_result ->> 'byte_size' is null then '{}'
      else pg_catalog.jsonb_build_object(
        'rows_moved', (p_result ->> 'rows_out')::numeric - a.rows, 'bytes_moved', (p_result ->> 'byte_size')::numeric - a.bytes)
      end
    from (
      select coalesce(pg_catalog.sum((d ->> 'rows')::numeric), 0) as rows,
        coalesce(pg_catalog.sum((d ->> 'byte_size')::numeric), 0) as bytes
      from pg_catalog.jsonb_array_elements(
        case pg_catalog.jsonb_typeof(p_result -> 'datasets') when 'array' then p_result -> 'datasets' else '[]' end) as d
      where (d ->> 'adopted')::boolean) as a);
end
$$;

-- A run that skips a phase has its artifacts too: those of the nearest run before it that carried the phase out. Only now, and
-- not when the run is made: a phase that is done again after all registers its own. Without a try, only what a retry or replay
-- took over is skipped; a parent that somebody named in ops.create_run gives nothing.
create or replace function private.take_over_artifacts(p_run_id uuid, p_phase text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select id, project_id, parent_run into v_run from ops.runs where id = p_run_id;
  while v_run.parent_run is not null and exists (
    select from ops.run_phases where run_id = v_run.id and name = p_phase and attempt = 0)
  loop
    select id, project_id, parent_run into v_run from ops.runs where id = v_run.parent_run;
  end loop;
  if v_run.id <> p_run_id then
    insert into ops.run_artifacts (
      run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
    select p_run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta
    from ops.run_artifacts
    where run_id = v_run.id and phase = p_phase
    on conflict (run_id, phase, name) do nothing;
  end if;
end
$$;
