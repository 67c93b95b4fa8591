-- Forgets events older than p_keep, whole months at once. Runs and artifacts stay: they are the record.
create or replace function ops.prune(p_keep interval) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_name text;
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
  loop
    execute pg_catalog.format('drop table ops.%I', v_name);
  end loop;
end
$$;
