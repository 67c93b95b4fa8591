-- People and scores: weights, gates, and what a score would have been.

-- The score of a run with other weights: nothing is kept. {"score": …, "breakdown": […], "sentence": …}
create or replace function ops.what_if_score(p_run_id uuid, p_weights jsonb) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_wrong text;
  v_breakdown jsonb;
  v_score numeric;
begin
  select r.project_id, r.env into v_run from ops.runs r where r.id = p_run_id;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  select string_agg(pg_catalog.format('%s: %s', key, case
      when not exists (select from ops.signal_weights w where w.signal = key) then 'no such signal'
      else value || ' is no weight' end), '; ' order by key)
  into v_wrong
  from pg_catalog.jsonb_each_text(coalesce(p_weights, '{}'))
  where value !~ '^[0-9]+(\.[0-9]+)?$' or not exists (select from ops.signal_weights w where w.signal = key);
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = 'p_weights: ' || v_wrong;
  end if;
  v_breakdown := private.score_breakdown(p_run_id, coalesce(p_weights, '{}'));
  v_score := (select sum((part ->> 'points')::numeric) from pg_catalog.jsonb_array_elements(v_breakdown) as part);
  if v_score is null then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'run %s has no signals yet; they are recorded when it has ended', p_run_id);
  end if;
  return pg_catalog.jsonb_build_object(
    'score', v_score, 'breakdown', v_breakdown, 'sentence', private.score_sentence(v_score, v_breakdown));
end
$$;

-- Weights are the installation's: an admin of some whole org changes them. Scores that were given stay.
create or replace function ops.set_signal_weight(
  p_signal text, p_weight float8, p_half_at float8 default null, p_free_until float8 default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_installation_admin();
  if p_weight is null or p_weight < 0 or p_half_at <= 0 or p_free_until < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_weight is %s, p_half_at %s, p_free_until %s; a weight and free_until are 0 or more, half_at is more than 0',
      p_weight, p_half_at, p_free_until);
  end if;
  update ops.signal_weights
  set weight = p_weight, half_at = coalesce(p_half_at, half_at), free_until = coalesce(p_free_until, free_until)
  where signal = p_signal;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no signal %L; known are %s', p_signal, (select string_agg(signal, ', ' order by signal) from ops.signal_weights));
  end if;
end
$$;

-- How good the run must be that earns a version its promotion to p_env; null takes the gate away.
create or replace function ops.set_score_gate(
  p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'admin');
  if p_min_score is null then
    delete from ops.score_gates
    where project_id = p_project_id and env = p_env and pipeline is not distinct from p_pipeline;
    return;
  end if;
  if p_min_score not between 0 and 100 then
    raise exception using errcode = 'CR007', message = pg_catalog.format('p_min_score is %s; give 0 to 100', p_min_score);
  end if;
  insert into ops.score_gates (project_id, env, pipeline, min_score, created_by)
  values (p_project_id, p_env, p_pipeline, p_min_score, private.subject())
  on conflict (project_id, env, pipeline) do update
  set min_score = excluded.min_score, created_by = excluded.created_by, created_at = pg_catalog.clock_timestamp();
end
$$;
