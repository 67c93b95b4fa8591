-- Forgets events older than p_keep, whole months at once. Runs and artifacts stay: they are the record. Of each run that
-- loses events the last one's number and hash are kept, so that the rest of its chain can still be verified. A month with
-- events of a run that has not ended stays until it has.
create or replace function ops.prune(p_keep interval) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_needed boolean;
  v_oldest text := 'run_events_' || pg_catalog.to_char(
    (pg_catalog.clock_timestamp() - p_keep) at time zone 'UTC', 'YYYY_MM');
begin
  if p_keep is null or p_keep < interval '1 day' then
    raise exception using errcode = 'CR007', message = 'p_keep must be one day or more';
  end if;
  for v_name in
    select c.relname
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'ops.run_events'::regclass and c.relname < v_oldest
    order by c.relname
  loop
    execute pg_catalog.format(
      'select exists (
         select from ops.runs r
         where r.status in (''queued'', ''claimed'', ''running'') and exists (select from ops.%I e where e.run_id = r.id))',
      v_name) into v_needed;
    continue when v_needed;
    execute pg_catalog.format(
      'insert into private.pruned_events as p (run_id, seq, hash)
       select distinct on (e.run_id) e.run_id, e.seq, e.hash from ops.%I e order by e.run_id, e.seq desc
       on conflict (run_id) do update set seq = excluded.seq, hash = excluded.hash where p.seq < excluded.seq', v_name);
    execute pg_catalog.format('drop table ops.%I', v_name);
  end loop;
end
$$;
