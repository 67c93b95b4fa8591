-- The answer of a question under a name: a further artifact of its run, of the same bytes. For whoever asked, and for operators.
-- What shows personal data is saved by those who may see it. The same name twice is the same artifact.
create or replace function ops.save_answer(p_run_id uuid, p_name text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_answer ops.run_artifacts;
  v_id uuid;
begin
  select r.project_id, r.env, r.status, q.subject into v_run
  from ops.queries q join ops.runs r on r.id = q.run_id where q.run_id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(
    v_run.project_id, v_run.env, case when private.is_own_query(p_run_id) then 'viewer' else 'operator' end);
  if p_name is null or p_name !~ '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_name is %L; begin with a letter or digit, then letters, digits, spaces, _ . - up to 100 characters', p_name);
  end if;
  select * into v_answer from ops.run_artifacts where run_id = p_run_id and phase = 'query' and kind = 'result';
  if not found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'query %s is %s and has no answer to save', p_run_id, v_run.status);
  end if;
  if v_answer.meta -> 'personal' = 'true' then
    perform private.require_role(v_run.project_id, v_run.env, 'editor');
  end if;
  insert into ops.run_artifacts (run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
  values (
    p_run_id, v_run.project_id, '', p_name || '.parquet', 'saved', v_answer.sha256, v_answer.byte_size,
    v_answer.content_type, v_answer.uri,
    v_answer.meta || pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('saved_by', private.subject())))
  on conflict (run_id, phase, name) do nothing
  returning id into v_id;
  if v_id is null then
    select id into strict v_id from ops.run_artifacts
    where run_id = p_run_id and phase = '' and name = p_name || '.parquet';
    return v_id;
  end if;
  perform private.audit_run(
    v_run.project_id, 'runs.save_answer', p_run_id, pg_catalog.jsonb_build_object('name', p_name));
  return v_id;
end
$$;
