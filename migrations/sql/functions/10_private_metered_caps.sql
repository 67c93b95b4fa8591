-- Caps on what runs move: rows and bytes. What a phase will move is not known before it has; it is charged when it has
-- succeeded, and no phase of the project begins once a cap is used up. Caps on runs are the claim's: their runs wait.

create or replace function private.require_metered_caps(p_project_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_full record;
begin
  -- Nearly every installation has no such cap, and each phase asks.
  if not exists (select from ops.caps c where c.unit in ('rows', 'bytes')) then
    return;
  end if;
  select c.key, c.amount, c.unit, c.period, private.cap_used(c, pg_catalog.clock_timestamp()) as used into v_full
  from ops.caps c
  join ops.projects p on p.id = p_project_id and p.org_id = c.org_id and (c.project_id is null or c.project_id = p.id)
  where c.unit in ('rows', 'bytes') and private.cap_used(c, pg_catalog.clock_timestamp()) >= c.amount
  order by c.key
  limit 1;
  if found then
    raise exception using errcode = 'CR003', message = pg_catalog.format(
      'cap %s is used up: %s of %s %s (%s); raise it, or retry when its period is over', v_full.key, v_full.used,
      v_full.amount, v_full.unit, v_full.period);
  end if;
end
$$;

create or replace function private.charge_metered_caps(
  p_project_id uuid, p_run_id uuid, p_lease_token bigint, p_rows bigint, p_bytes bigint
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.cap_usage (cap_id, project_id, run_id, lease_token, amount)
  select c.id, p.id, p_run_id, p_lease_token, case c.unit when 'rows' then p_rows else p_bytes end
  from ops.caps c
  join ops.projects p on p.id = p_project_id and p.org_id = c.org_id and (c.project_id is null or c.project_id = p.id)
  where c.unit in ('rows', 'bytes') and case c.unit when 'rows' then p_rows else p_bytes end > 0
$$;
