-- How old datasets are by their own clock, and which are too old.

-- When the data that readers get is from: the newest value of its rule's event column where that is known, else the moment
-- of the release. Null: nothing was released.
create or replace function private.dataset_clock(p_project_id uuid, p_env text, p_dataset text) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(v.event_time, d.updated_at)
    from ops.datasets d
    left join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
    where d.project_id = p_project_id and d.env = p_env and d.version is not null
      and d.layer = pg_catalog.split_part(p_dataset, '.', 1) and d.name = pg_catalog.split_part(p_dataset, '.', 2));
end
$$;

create or replace function ops.put_freshness_rule(
  p_project_id uuid, p_env text, p_dataset text, p_warn_seconds float8, p_error_seconds float8,
  p_event_column text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_dataset, 'p_dataset');
  insert into ops.freshness_rules as r (project_id, env, dataset, warn_seconds, error_seconds, event_column)
  values (p_project_id, p_env, p_dataset, p_warn_seconds, p_error_seconds, p_event_column)
  on conflict (project_id, env, dataset) do update
  set warn_seconds = excluded.warn_seconds, error_seconds = excluded.error_seconds, event_column = excluded.event_column
  returning r.id into v_id;
  -- Another column, another clock.
  update ops.dataset_versions v set event_time = null, event_looked_at = null
  from ops.datasets d
  where d.project_id = p_project_id and d.env = p_env and d.layer || '.' || d.name = p_dataset
    and v.dataset_id = d.id and v.version = d.version and v.event_looked_at is not null;
  return v_id;
end
$$;

create or replace function ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  update ops.freshness_breaches b set ended_at = pg_catalog.clock_timestamp()
  where b.project_id = p_project_id and b.env = p_env and b.dataset = p_dataset and b.ended_at is null;
  delete from ops.freshness_rules r where r.project_id = p_project_id and r.env = p_env and r.dataset = p_dataset;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no freshness rule for %s in %s; `controlroom freshness list` shows those there are', p_dataset, p_env);
  end if;
end
$$;

-- Released versions whose event column has not been looked at.
create or replace function ops.unread_clocks(p_limit int default 50)
returns table (version_id uuid, org text, project text, env text, dataset text, version bigint, event_column text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select v.id, o.slug, p.slug, r.env, r.dataset, v.version, r.event_column
    from ops.freshness_rules r
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    join ops.datasets d on d.project_id = r.project_id and d.env = r.env
      and d.layer = pg_catalog.split_part(r.dataset, '.', 1) and d.name = pg_catalog.split_part(r.dataset, '.', 2)
    join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
    where r.event_column is not null and v.event_looked_at is null
    order by v.id
    limit p_limit;
end
$$;

create or replace function ops.record_event_time(p_version_id uuid, p_event_time timestamptz) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.dataset_versions set event_time = p_event_time, event_looked_at = pg_catalog.clock_timestamp()
  where id = p_version_id;
end
$$;

-- Brings ops.freshness in step with the clock, and begins and ends breaches. Returns how many datasets are not ok.
create or replace function private.check_freshness(p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bad int;
begin
  insert into ops.freshness as f (
    rule_id, project_id, env, dataset, dataset_id, clock, clock_kind, lag_seconds, state, since, checked_at)
  select m.id, m.project_id, m.env, m.dataset, m.dataset_id, m.clock, m.clock_kind, m.lag,
    case when m.lag >= m.error_seconds then 'error' when m.lag >= m.warn_seconds then 'warn' else 'ok' end,
    m.clock + pg_catalog.make_interval(secs => case
      when m.lag >= m.error_seconds then m.error_seconds when m.lag >= m.warn_seconds then m.warn_seconds else 0 end),
    p_now
  from (
    select r.*, d.id as dataset_id, c.clock, c.clock_kind,
      greatest(0, extract(epoch from p_now - c.clock))::float8 as lag
    from ops.freshness_rules r
    left join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.version is not null
      and d.layer = pg_catalog.split_part(r.dataset, '.', 1) and d.name = pg_catalog.split_part(r.dataset, '.', 2)
    left join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version and r.event_column is not null
    left join ops.freshness k on k.rule_id = r.id
    cross join lateral (
      select
        -- Until a new version's own clock is known, the one before counts.
        case when v.id is not null and v.event_looked_at is null and k.clock_kind = 'event' then k.clock
          else coalesce(v.event_time, d.updated_at, r.created_at) end as clock,
        case when v.id is not null and v.event_looked_at is null and k.clock_kind = 'event' then 'event'
          when d.id is null then 'never' when v.event_time is null then 'release' else 'event' end as clock_kind
    ) as c
  ) as m
  order by m.id
  on conflict (rule_id) do update
  set dataset_id = excluded.dataset_id, clock = excluded.clock, clock_kind = excluded.clock_kind,
    lag_seconds = excluded.lag_seconds, state = excluded.state, since = excluded.since, checked_at = excluded.checked_at;
  insert into ops.freshness_breaches (rule_id, project_id, env, dataset, level, clock, began_at, noticed_at)
  select f.rule_id, f.project_id, f.env, f.dataset, l.level, f.clock,
    f.clock + pg_catalog.make_interval(secs => case l.level when 'error' then r.error_seconds else r.warn_seconds end), p_now
  from ops.freshness f
  join ops.freshness_rules r on r.id = f.rule_id
  cross join (values ('warn'), ('error')) as l (level)
  where f.state = 'error' or f.state = l.level
  on conflict (rule_id, level, began_at) do nothing;
  update ops.freshness_breaches b
  set ended_at = p_now
  from ops.freshness f
  where f.rule_id = b.rule_id and b.ended_at is null
    and (f.clock > b.clock or f.state = 'ok' or (f.state = 'warn' and b.level = 'error'));
  select pg_catalog.count(*) into v_bad from ops.freshness where state <> 'ok';
  return v_bad;
end
$$;

create or replace function ops.check_freshness() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.check_freshness(pg_catalog.clock_timestamp());
end
$$;
