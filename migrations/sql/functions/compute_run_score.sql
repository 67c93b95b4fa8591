-- The score of an ended run: 0–100, the sum of its signals' points. A signal with weight w has w / Σw × 100 points to give,
-- rounded so that all together have exactly 100. It gives all of them up to `free_until`, half where its value is `half_at`
-- beyond that, and follows 1 / (1 + (value - free_until) / half_at) (down) or its complement (up). Signals that the run's own
-- row and its history tell are recorded here; handlers record theirs with ops.record_signal.
create or replace function ops.compute_run_score(p_run_id uuid) returns numeric
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_breakdown jsonb;
  v_score numeric;
  v_new boolean;
begin
  select id, project_id, status, trigger, attempt, lost_leases, error_code, error_message into v_run
  from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status not in ('succeeded', 'failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; a score is given when it has ended', p_run_id, v_run.status);
  end if;
  if v_run.trigger = 'query' then
    return null;
  end if;
  insert into ops.signals (run_id, signal, project_id, value, data)
  values
    (p_run_id, 'outcome', v_run.project_id, case v_run.status when 'succeeded' then 0 else 1e9 end,
      pg_catalog.jsonb_build_object('said', case v_run.status
        when 'failed' then pg_catalog.format('the run failed with %s: %s', v_run.error_code, left(v_run.error_message, 200))
        when 'succeeded' then 'the run succeeded'
        else 'the run was ' || v_run.status end)),
    (p_run_id, 'retries', v_run.project_id, greatest(v_run.attempt - 1, 0),
      pg_catalog.jsonb_build_object('said', case when v_run.attempt > 1
        then pg_catalog.format('it took %s attempts', v_run.attempt) else 'it took one attempt' end)),
    (p_run_id, 'lost_leases', v_run.project_id, v_run.lost_leases,
      pg_catalog.jsonb_build_object('said', case v_run.lost_leases
        when 0 then 'no executor was lost' when 1 then 'an executor was lost on the way'
        else pg_catalog.format('%s executors were lost on the way', v_run.lost_leases) end))
  on conflict (run_id, signal) do nothing;
  if v_run.status = 'succeeded' then
    perform private.record_data_signals(p_run_id);
    perform private.record_cost_signal(p_run_id);
  end if;
  if v_run.status <> 'canceled' then
    perform private.record_pipeline_signals(p_run_id);
  end if;
  select private.score_breakdown(p_run_id) into v_breakdown;
  v_score := (select pg_catalog.sum((part ->> 'points')::numeric) from pg_catalog.jsonb_array_elements(v_breakdown) as part);
  if v_score is null then
    return null;
  end if;
  insert into ops.run_scores (run_id, project_id, score, breakdown, sentence)
  values (p_run_id, v_run.project_id, v_score, v_breakdown, private.score_sentence(v_score, v_breakdown))
  on conflict (run_id) do update
  set score = excluded.score, breakdown = excluded.breakdown, sentence = excluded.sentence,
    computed_at = pg_catalog.clock_timestamp()
  returning xmax = 0 into v_new;
  -- Once a run, in the transaction of its first score: no rule misses it, whoever is killed.
  if v_new then
    perform private.judge_run(p_run_id);
  end if;
  return v_score;
end
$$;
