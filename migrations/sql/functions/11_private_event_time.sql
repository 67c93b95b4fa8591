-- The dataset's own clock as of this version, where a freshness rule names its column and the commit has counted it: known at
-- once, so that the run's signals can tell of it. What cannot be known so is left to the steward, who reads the table.
create or replace function private.know_event_time(p_version_id uuid) returns void
language plpgsql
-- A date is its first moment in UTC.
set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  v_one record;
  v_before record;
begin
  select v.dataset_id, v.version, v.mode, v.stats ? 'newest' as counted,
    (v.stats -> 'newest' ->> r.event_column)::timestamptz as newest
  into v_one
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.freshness_rules r on r.project_id = d.project_id and r.env = d.env and r.dataset = d.layer || '.' || d.name
  where v.id = p_version_id and r.event_column is not null and v.columns ? r.event_column;
  if not found or not v_one.counted then
    return;
  end if;
  if v_one.mode <> 'replace' and v_one.version > 0 then
    select event_time, event_looked_at into v_before
    from ops.dataset_versions where dataset_id = v_one.dataset_id and version = v_one.version - 1;
    if v_before.event_looked_at is null then
      return;
    end if;
    v_one.newest := greatest(v_one.newest, v_before.event_time);
  end if;
  update ops.dataset_versions
  set event_time = v_one.newest, event_looked_at = pg_catalog.clock_timestamp()
  where id = p_version_id;
end
$$;
