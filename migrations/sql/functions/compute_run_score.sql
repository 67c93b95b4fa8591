-- The score of an ended run: 0–100, the sum of its signals' points. A signal with weight w has w / Σw × 100 points to give;
-- it gives half of them where its value is `half_at` and follows 1 / (1 + value / half_at) (down) or its complement (up).
-- Signals that the run's own row tells are recorded here; handlers record theirs with ops.record_signal.
create or replace function ops.compute_run_score(p_run_id uuid) returns numeric
language plpgsql security definer
set search_path = ''
as $$
declare
  v_run record;
  v_breakdown jsonb;
  v_score numeric;
begin
  select id, project_id, status, attempt, lost_leases into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status not in ('succeeded', 'failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; a score is given when it has ended', p_run_id, v_run.status);
  end if;
  insert into ops.signals (run_id, signal, project_id, value)
  values
    (p_run_id, 'outcome', v_run.project_id, case v_run.status when 'succeeded' then 0 else 1e9 end),
    (p_run_id, 'retries', v_run.project_id, greatest(v_run.attempt - 1, 0)),
    (p_run_id, 'lost_leases', v_run.project_id, v_run.lost_leases)
  on conflict (run_id, signal) do nothing;
  with known as (
    select s.signal, s.value, w.weight / pg_catalog.sum(w.weight) over () * 100 as full_points,
      case w.direction
        when 'down' then 1 / (1 + greatest(s.value, 0) / w.half_at)
        else 1 - 1 / (1 + greatest(s.value, 0) / w.half_at)
      end as share
    from ops.signals s join ops.signal_weights w on w.signal = s.signal
    where s.run_id = p_run_id and w.weight > 0
  ), pointed as (
    select signal, value, pg_catalog.round(full_points::numeric, 2) as possible,
      pg_catalog.round((full_points * share)::numeric, 2) as points
    from known
  )
  select coalesce(pg_catalog.jsonb_agg(
      pg_catalog.jsonb_build_object('signal', signal, 'value', value, 'points', points, 'possible', possible)
      order by possible - points desc, signal), '[]'),
    least(100, pg_catalog.sum(points))
  into v_breakdown, v_score
  from pointed;
  if v_score is null then
    return null;
  end if;
  insert into ops.run_scores (run_id, project_id, score, breakdown)
  values (p_run_id, v_run.project_id, v_score, v_breakdown)
  on conflict (run_id) do update
  set score = excluded.score, breakdown = excluded.breakdown, computed_at = pg_catalog.clock_timestamp();
  return v_score;
end
$$;
