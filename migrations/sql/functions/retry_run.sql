-- A new run of one that failed or was canceled: the same definition and pinned inputs; phases that succeeded stay done and
-- are skipped. What it commits is known by the first run of the line (root_run): a commit that the old run made, and did not
-- live to write down, is adopted and not made again.
create or replace function ops.retry_run(p_run_id uuid) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old ops.runs;
  v_new uuid;
begin
  select * into v_old from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_old.project_id, v_old.env, 'operator');
  if v_old.status = 'succeeded' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s succeeded; a retry would have nothing to do, submit a new run with `controlroom run submit`', p_run_id);
  end if;
  if v_old.status not in ('failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; only an ended run can be retried, cancel it first', p_run_id, v_old.status);
  end if;
  v_new := private.queue_run(
    v_old.project_id, v_old.env, v_old.pipeline, v_old.spec, v_old.spec_sha256, v_old.git_sha, v_old.params,
    (select coalesce(pg_catalog.jsonb_agg(
      pg_catalog.jsonb_build_object('name', name, 'kind', kind, 'depends_on', depends_on) order by ordinal), '[]')
     from ops.run_phases where run_id = p_run_id),
    null, v_old.priority, 'retry', v_old.max_attempts, v_old.timeout_seconds, null, p_run_id, v_old.tags,
    v_old.input_manifest, true);
  update ops.runs set root_run = coalesce(v_old.root_run, v_old.id) where id = v_new;
  update ops.run_phases n
  set status = 'succeeded', started_at = o.started_at, finished_at = o.finished_at, rows_in = o.rows_in,
    rows_out = o.rows_out, byte_size = o.byte_size, input_fingerprint = o.input_fingerprint,
    output_fingerprint = o.output_fingerprint, metrics = o.metrics, result = o.result
  from ops.run_phases o
  where n.run_id = v_new and o.run_id = p_run_id and o.name = n.name and o.status in ('succeeded', 'skipped');
  return v_new;
end
$$;
