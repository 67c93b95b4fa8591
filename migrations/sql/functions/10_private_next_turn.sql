-- Fairness without cost at claim time: start-time fair queueing (Goyal, Vin, Cheng, 1996). A run's turn is one after its
-- project's last, but never before the turn now at the front; so 10,000 queued runs of one project stand in turns
-- n … n + 10,000, and another project's first run in turn n. Claiming is then a walk along (priority, turn, id).
--
-- At the front is who may be claimed: a run that waits for its second try, for a day to come or for a rare executor keeps its early
-- turn, and whoever came with 10,000 runs would be given turns before everybody who has worked on meanwhile. Among the first 200 only:
-- to find a turn must not cost a walk.
create or replace function private.next_turn(p_project_id uuid, p_priority int) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_front bigint;
  v_turn bigint;
begin
  -- It stops at the first that is ready, nearly always the first that there is.
  select f.turn into v_front
  from (
    select r.turn, r.available_at, r.capabilities
    from ops.runs r where r.status = 'queued' and r.priority = p_priority order by r.turn limit 200) as f
  where f.available_at <= pg_catalog.clock_timestamp() and f.capabilities = '{}'
  limit 1;
  if not found then
    select max(f.turn) into v_front
    from (
      select r.turn from ops.runs r where r.status = 'queued' and r.priority = p_priority order by r.turn limit 200) as f;
  end if;
  insert into ops.queue_turns as q (project_id, priority, last_turn)
  values (p_project_id, p_priority, coalesce(v_front, (
    select max(last_turn) from ops.queue_turns where priority = p_priority), 0))
  on conflict (project_id, priority) do update
  set last_turn = greatest(q.last_turn + 1, v_front)
  returning last_turn into v_turn;
  return v_turn;
end
$$;
