-- The parts of a score, those that cost most first: each with what it could have given, what it gave, and what was seen.
-- p_weights overrides weights by signal: {"retries": 30}, to ask what if.
create or replace function private.score_breakdown(p_run_id uuid, p_weights jsonb default '{}') returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with weighed as (
    select s.signal, s.value, s.data, w.direction, w.half_at, w.free_until,
      coalesce((p_weights ->> s.signal)::float8, w.weight) as weight
    from ops.signals s join ops.signal_weights w on w.signal = s.signal
    where s.run_id = p_run_id
  ), ranked as (
    select *, row_number() over (order by weight desc, signal) as place,
      round((weight / sum(weight) over () * 100)::numeric, 2) as rounded
    from weighed
    where weight > 0
  ), whole as (
    -- What rounding leaves over is the heaviest one's: so all together are 100, and the points add up to the score.
    select *, case place when 1 then 100 - (sum(rounded) over () - rounded) else rounded end as possible from ranked
  ), pointed as (
    select signal, value, data, possible,
      round(possible * case direction
        when 'down' then 1 / (1 + greatest(value - free_until, 0) / half_at)
        else 1 - 1 / (1 + greatest(value - free_until, 0) / half_at)
      end::numeric, 2) as points
    from whole
  )
  select coalesce(jsonb_agg(
    jsonb_build_object('signal', signal, 'value', value, 'points', points, 'possible', possible, 'said', data ->> 'said')
    order by possible - points desc, signal), '[]')
  from pointed
$$;

-- One sentence for a person: what cost at least a point, the worst three.
create or replace function private.score_sentence(p_score numeric, p_breakdown jsonb) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.format('%s of 100: %s', round(p_score), coalesce(string_agg(said, '; ' order by place), 'nothing stood out'))
  from (
    select coalesce(part ->> 'said', pg_catalog.format('%s is %s', part ->> 'signal', part ->> 'value')) as said, place
    from pg_catalog.jsonb_array_elements(p_breakdown) with ordinality as e (part, place)
    where (part ->> 'possible')::numeric - (part ->> 'points')::numeric >= 1
    order by place
    limit 3
  ) as worst
$$;

-- The least score that a run of the pipeline must have to let its version into the environment; null where none is asked.
create or replace function private.min_score(p_project_id uuid, p_pipeline text, p_env text) returns numeric
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select g.min_score
  from ops.score_gates g
  where g.project_id = p_project_id and g.env = p_env and (g.pipeline = p_pipeline or g.pipeline is null)
  order by g.pipeline nulls last
  limit 1
$$;

-- Is the run good enough for what its environment asks of the pipeline? For whatever a run sets off. A run without a score yet
-- gets one now; without a gate everything passes.
create or replace function private.score_gate_open(p_project_id uuid, p_pipeline text, p_env text, p_run_id uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_least numeric := private.min_score(p_project_id, p_pipeline, p_env);
begin
  return v_least is null
    or coalesce((select s.score from ops.run_scores s where s.run_id = p_run_id), ops.compute_run_score(p_run_id)) >= v_least;
end
$$;
