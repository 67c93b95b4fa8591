-- Calls executors lost that were not heard of for p_stale_seconds; returns how many. One that comes back says so itself.
create or replace function ops.mark_lost_executors(p_stale_seconds float8) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  if p_stale_seconds is null or p_stale_seconds <= 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_stale_seconds is %s; it must be more than zero', coalesce(p_stale_seconds::text, 'missing'));
  end if;
  update ops.executors
  set state = 'lost'
  where state <> 'lost' and last_seen < pg_catalog.clock_timestamp() - p_stale_seconds * interval '1 second';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
