-- The caps that hold for projects of the caller and how far they are used, whoever of the org used them: who runs into a cap is
-- told how full it is anyway, and a part of the sum would be no answer. Null as began_at: what is used now, not in a period.
create or replace function ops.cap_standing()
returns table (
  cap_id uuid, key text, org_id uuid, project_id uuid, unit text, amount numeric, period text, used numeric,
  began_at timestamptz, ends_at timestamptz, asked_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return query
    select c.id, c.key, c.org_id, c.project_id, c.unit, c.amount, c.period, private.cap_used(c, v_now), b.began_at,
      -- In UTC, as the period begins: a month has no length of its own.
      case when c.period <> 'concurrent' then
        ((b.began_at at time zone 'UTC') + ('1 ' || c.period)::interval) at time zone 'UTC'
      end,
      v_now
    from ops.caps c
    cross join lateral (
      select case when c.period <> 'concurrent' then private.period_start(c.period, v_now) end as began_at) as b
    where private.is_trusted() or (
      c.org_id = any (array(select private.my_orgs()))
      and (c.project_id is null or c.project_id = any (array(select private.my_projects()))));
end
$$;
