-- Charges the cap if the amount still fits, and says whether it did. The cap's row, then the count of its period is the lock:
-- callers take turns, with each other and with what is charged to runs at work. Only for
-- caps of a period: what is charged on a concurrent one must be given back, and here is no run whose end would do that.
create or replace function ops.cap_allow(p_cap_key text, p_amount numeric) returns boolean
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
  select * into v_cap from ops.caps where key = p_cap_key for no key update;
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
