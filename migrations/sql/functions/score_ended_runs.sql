-- Scores runs that ended without one, the oldest p_limit of them in their order (alert rules look at the last of a group); the
-- steward calls it, so that a score costs the executor nothing. Looks back p_within: a steward that has just come looks back a day, one that is there minutes.
drop function if exists ops.score_ended_runs(int);
create or replace function ops.score_ended_runs(p_limit int default 200, p_within interval default '1 day') returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A variable, not the expression itself: clock_timestamp() is volatile, and no index serves a volatile condition.
  v_since timestamptz := pg_catalog.clock_timestamp() - p_within;
  v_run uuid;
  v_count int := 0;
begin
  for v_run in
    select r.id
    from ops.runs r
    -- A person's question is no work that goes well or ill: nothing is judged by it.
    where r.finished_at > v_since and r.trigger <> 'query'
      and not exists (select from ops.run_scores s where s.run_id = r.id)
    order by r.finished_at, r.id
    limit p_limit
  loop
    perform ops.compute_run_score(v_run);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
