-- Creates the monthly partitions of ops.run_events from last month to two months ahead. There is no default partition: an
-- event that fits none must fail loudly, not land where pruning never looks.
create or replace function ops.ensure_event_partitions() returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_month date;
  v_name text;
begin
  for v_month in
    select m::date from pg_catalog.generate_series(
      pg_catalog.date_trunc('month', pg_catalog.clock_timestamp() at time zone 'UTC') - interval '1 month',
      pg_catalog.date_trunc('month', pg_catalog.clock_timestamp() at time zone 'UTC') + interval '2 months',
      interval '1 month') as m
  loop
    v_name := 'run_events_' || pg_catalog.to_char(v_month, 'YYYY_MM');
    if pg_catalog.to_regclass('ops.' || v_name) is null then
      execute pg_catalog.format(
        'create table ops.%I partition of ops.run_events for values from (%L) to (%L)',
        v_name, v_month::text || ' 00:00:00+00', (v_month + interval '1 month')::date::text || ' 00:00:00+00');
      perform private.protect_table(v_name);
      perform private.make_append_only(v_name);
    end if;
  end loop;
end
$$;
