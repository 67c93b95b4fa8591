-- Lines of runs, newest first, after (p_before_at, p_before_id) where those are given: the last of the page before. p_filter may
-- hold: org, project, env, pipeline, executor (its id), root_run, text (words of pipeline, error and tags; the last may be a
-- beginning), since and until (of created_at) – each one value –, status and trigger – each a list –, and tags: an object that
-- the run's tags contain.
--
-- The policy of ops.runs is repeated here by hand (tests/migrations/test_find_runs.py compares the two): a policy's condition
-- goes first, and the operators of text search and of jsonb are not leakproof, so that under it no index could serve them.
-- The statement holds only the conditions that were asked for, as literals: the partial indexes serve it, and no plan is kept
-- that was made for another question.
drop function if exists ops.search_runs(text, int);
create or replace function ops.find_runs(
  p_filter jsonb default '{}', p_limit int default 50, p_before_at timestamptz default null, p_before_id uuid default null
) returns table (
  run_id uuid, org text, project text, env text, pipeline text, pipeline_version int, status text, phase text, priority int,
  attempt int, max_attempts int, trigger text, git_sha text, tags jsonb, created_at timestamptz, started_at timestamptz,
  finished_at timestamptz, error_code text, error_message text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
-- The second statement is one for every call: only the first is made anew.
set plan_cache_mode = 'force_generic_plan'
as $$
#variable_conflict use_column
declare
  v_projects uuid[] := private.projects_asked_for(p_filter);
  v_where text;
  v_branches text[];
  v_found text;
  v_ids uuid[];
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_limit is %s; give 1 to 1000', coalesce(p_limit::text, 'null'));
  end if;
  v_where := private.run_conditions(p_filter, p_before_at, p_before_id);
  if p_filter ?| '{text,tags}' then
    v_found := pg_catalog.format(
      'select r.id, r.created_at from ops.runs r where r.project_id = any ($1) and %s and (%s) '
      'order by r.created_at desc, r.id desc limit %s',
      v_where, pg_catalog.array_to_string(private.run_status_conditions(p_filter), ' or '), p_limit);
  else
    -- One short index scan per project and status, then a merge: one scan over all would walk past everything else.
    select pg_catalog.array_agg(pg_catalog.format(
      '(select r.id, r.created_at from ops.runs r where r.project_id = p.id and %s and (%s) '
      'order by r.created_at desc, r.id desc limit %s)', v_where, condition, p_limit))
    into v_branches
    from pg_catalog.unnest(private.run_status_conditions(p_filter)) as condition;
    v_found := pg_catalog.format(
      'select r.id, r.created_at from pg_catalog.unnest($1) as p (id) cross join lateral (%s) as r '
      'order by r.created_at desc, r.id desc limit %s', pg_catalog.array_to_string(v_branches, ' union all '), p_limit);
  end if;
  execute pg_catalog.format('select pg_catalog.array_agg(f.id) from (%s) as f', v_found) into v_ids using v_projects;
  return query
    select r.id, o.slug, p.slug, r.env, r.pipeline, r.pipeline_version, r.status, coalesce(l.phase, r.phase), r.priority,
      r.attempt, r.max_attempts, r.trigger, r.git_sha, r.tags, r.created_at, r.started_at, r.finished_at, r.error_code,
      r.error_message
    from ops.runs r
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    left join ops.run_leases l on l.run_id = r.id
    where r.id = any (v_ids)
    order by r.created_at desc, r.id desc;
end
$$;
