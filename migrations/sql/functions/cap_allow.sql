-- Charges the cap if the amount still fits, and says whether it did. The cap's row, then the count of its period is the lock:
-- callers take turns, with each other and with what is charged to runs at work. Only for
-- caps of a period: what is charged on a concurrent one must be given back, and here is no run whose end would do that.
-- p_org: whose cap; null where only one org has one of that name.
drop function if exists ops.cap_allow(text, numeric);
create or replace function ops.cap_allow(p_cap_key text, p_amount numeric, p_org text default null) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cap ops.caps;
  v_now timestamptz;
  v_used numeric;
begin
  if p_amount is null or p_amount < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_amount is %s; it must be zero or more', coalesce(p_amount::text, 'missing'));
  end if;
  if p_org is null and (select pg_catalog.count(*) from ops.caps where key = p_cap_key) > 1 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'several orgs have a cap %L; give p_org', p_cap_key);
  end if;
  select c.* into v_cap
  from ops.caps c join ops.orgs o on o.id = c.org_id
  where c.key = p_cap_key and (p_org is null or o.slug = p_org)
  for no key update of c;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no cap %L', p_cap_key);
  end if;
  if v_cap.period = 'concurrent' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_cap_key is %L, a concurrent cap; claim_run reserves those for the runs that it hands out', p_cap_key);
  end if;
  v_now := pg_catalog.clock_timestamp();
  insert into private.cap_windows as w (cap_id, starts_at, used)
  values (v_cap.id, private.period_start(v_cap.period, v_now), 0)
  on conflict (cap_id, starts_at) do update set used = w.used
  returning used into v_used;
  if v_used + p_amount > v_cap.amount then
    return false;
  end if;
  insert into ops.cap_usage (cap_id, project_id, amount, used_at) values (v_cap.id, v_cap.project_id, p_amount, v_now);
  return true;
end
$$;
