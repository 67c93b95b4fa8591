-- Writes down what a probe of a capability found. A success is evidence; a failure takes the proof away and says why.
create or replace function ops.record_evidence(p_capability text, p_probe text, p_ok boolean, p_evidence jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.capabilities
  set probe = p_probe, probed_at = pg_catalog.clock_timestamp(),
    proven_at = case when p_ok then pg_catalog.clock_timestamp() end,
    evidence = case when p_ok then p_evidence else evidence end,
    failure = case when p_ok then null else coalesce(p_evidence ->> 'said', 'it failed') end
  where capability = p_capability;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no capability %L; `controlroom caps --no-run` lists them', p_capability);
  end if;
end
$$;

-- The last moment at which the clock showed p_hour (UTC), where the probes have not all spoken since; else null.
create or replace function private.probes_due(p_hour int, p_now timestamptz, p_probed text[]) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_due timestamptz := pg_catalog.date_trunc('day', p_now, 'UTC') + p_hour * interval '1 hour';
begin
  if v_due > p_now then
    v_due := v_due - interval '1 day';
  end if;
  if exists (
    select from ops.capabilities where capability = any (p_probed) and probed_at < v_due) then
    return v_due;
  end if;
  return null;
end
$$;

create or replace function ops.probes_due(p_hour int, p_probed text[]) returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.probes_due(p_hour, pg_catalog.clock_timestamp(), p_probed);
end
$$;
