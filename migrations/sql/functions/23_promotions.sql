-- Promotion: which version of a pipeline runs in stage and in prod. Development runs whatever an editor brings.

-- Lets a version run in stage (after it succeeded in dev) or in prod (after stage): that run has all phases of the spec, they
-- succeeded, and no check failed, warned or quarantined in it or in a run that it went on from. Promoting an earlier version again is how one goes back.
create or replace function ops.promote_pipeline(
  p_project_id uuid, p_pipeline text, p_version int, p_env text, p_note text default ''
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_below constant text := case p_env when 'stage' then 'dev' when 'prod' then 'stage' end;
  v_least numeric := private.min_score(p_project_id, p_pipeline, p_env);
  v_evidence uuid;
  v_id uuid := private.new_id();
begin
  if v_below is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; a version is promoted to stage or to prod', p_env);
  end if;
  perform private.require_role(p_project_id, p_env, 'editor');
  if not exists (
    select from ops.pipelines where project_id = p_project_id and slug = p_pipeline and version = p_version) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'pipeline %s has no version %s; `controlroom pipeline versions` shows those that it has', p_pipeline, p_version);
  end if;
  select r.id into v_evidence
  from ops.runs r
  where r.project_id = p_project_id and r.env = v_below and r.pipeline = p_pipeline
    and r.pipeline_version = p_version and r.status = 'succeeded'
    and exists (select from ops.run_phases p where p.run_id = r.id)
    and not exists (select from ops.run_phases p where p.run_id = r.id and p.status not in ('succeeded', 'skipped'))
    and not exists (
      select from pg_catalog.jsonb_array_elements(
        case pg_catalog.jsonb_typeof(r.spec -> 'phases') when 'array' then r.spec -> 'phases' else '[]' end) as e
      where not exists (select from ops.run_phases p where p.run_id = r.id and p.name = e ->> 'name'))
    -- A retry on the newest definition may let stand what an older one made: that is no proof of this one.
    and not exists (
      select from ops.run_phases p join ops.runs o on o.id = p.effect_of
      where p.run_id = r.id and o.pipeline_version <> r.pipeline_version)
    -- A refresh replaces what the spec merges or appends, and shows nobody anything.
    and private.refresh_of(r.id) is null
    and not exists (
      select from ops.runs line join ops.signals s on s.run_id = line.id
      where (line.id in (r.id, r.root_run) or line.root_run = r.root_run)
        and s.signal = 'failed_checks' and s.value > 0)
    and (v_least is null
      or exists (select from ops.run_scores c where c.run_id = r.id and c.score >= v_least))
  order by r.created_at desc, r.id desc
  limit 1;
  if not found then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'version %s of %s has not succeeded in %s with all its checks%s; run it there before it is promoted to %s',
      p_version, p_pipeline, v_below,
      case when v_least is not null then pg_catalog.format(' and a score of at least %s', v_least) else '' end, p_env);
  end if;
  insert into ops.promotions (id, project_id, pipeline, version, env, subject, note, evidence_run)
  values (v_id, p_project_id, p_pipeline, p_version, p_env, private.subject(), coalesce(p_note, ''), v_evidence);
  return v_id;
end
$$;

-- Null where no version was promoted.
create or replace function private.promoted_version(p_project_id uuid, p_pipeline text, p_env text) returns int
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.version from ops.promotions p
  where p.project_id = p_project_id and p.pipeline = p_pipeline and p.env = p_env
  order by p.promoted_at desc, p.id desc
  limit 1
$$;
