-- A full refresh: a run whose versions stay set aside until somebody, or a tolerance given beforehand, swaps them in.

-- The refresh that a run builds; null where it builds none.
create or replace function private.refresh_of(p_run_id uuid) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select f.id from ops.runs r join ops.refreshes f on f.run_id = coalesce(r.root_run, r.id) where r.id = p_run_id);
end
$$;

-- The version that a commit to a table builds upon: null for the newest as it stands, -1 for an empty table. Asked in the
-- transaction that holds the run: the dataset's row is locked until it ends, so that no swap comes between the answer and the
-- commit. What is set aside is nobody's to build upon but the refresh's own.
create or replace function ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_root uuid;
  v_dataset uuid;
  v_newest record;
  v_own bigint;
begin
  -- Not private.owned: the lease's row stays free for heartbeats, reports and cancels for as long as the commit takes.
  perform private.require_lease(p_run_id, p_lease_token);
  select d.id, coalesce(r.root_run, r.id) into v_dataset, v_root
  from ops.runs r
  join ops.datasets d on d.project_id = r.project_id and d.env = r.env
    and d.layer = pg_catalog.split_part(p_table, '.', 1) and d.name = pg_catalog.split_part(p_table, '.', 2)
  where r.id = p_run_id
  for share of d;
  if not found then
    return null;
  end if;
  select v.version, v.aside into v_newest
  from ops.dataset_versions v where v.dataset_id = v_dataset order by v.version desc limit 1;
  if exists (select from ops.refreshes where run_id = v_root) then
    select max(v.version) into v_own
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_dataset and v.aside and coalesce(r.root_run, r.id) = v_root;
    if v_own is not null then
      return nullif(v_own, v_newest.version);
    end if;
  end if;
  if v_newest.aside is not true then
    return null;
  end if;
  return (
    select coalesce(max(v.version), -1) from ops.dataset_versions v where v.dataset_id = v_dataset and not v.aside);
end
$$;

-- Queues a run that builds a refresh and returns the refresh. p_phases: those of the spec that only make and check tables, and
-- a phase of kind compare for each table; the executor derives the same from the spec.
create or replace function ops.start_refresh(
  p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb,
  p_phases jsonb, p_max_attempts int default 3, p_timeout_seconds float8 default null, p_tolerance jsonb default null,
  p_note text default ''
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := private.new_id();
  v_run uuid;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require_own_word('{}', '[]', 100, p_max_attempts);
  if p_tolerance is not null and (
    pg_catalog.jsonb_typeof(p_tolerance) <> 'object' or p_tolerance - '{rows,sums}'::text[] <> '{}'
    or exists (
      select from pg_catalog.jsonb_each(p_tolerance) as t
      where pg_catalog.jsonb_typeof(t.value) <> 'number' or (t.value #>> '{}')::numeric < 0)
  ) then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_tolerance is %s; give {"rows": share, "sums": share}, each 0 or more, or null', p_tolerance);
  end if;
  if pg_catalog.jsonb_typeof(p_phases) is distinct from 'array'
     or not p_phases @> '[{"kind": "compare"}]'
     or exists (
       select from pg_catalog.jsonb_array_elements(p_phases) as p
       where p ->> 'kind' is distinct from 'compare' and not exists (
         select from pg_catalog.jsonb_array_elements(p_spec -> 'phases') as s
         where s ->> 'name' = p ->> 'name' and s ->> 'kind' = p ->> 'kind'))
  then
    raise exception using errcode = 'CR007', message =
      'p_phases must be phases of p_spec, and one of kind compare for each table that they make';
  end if;
  v_run := private.queue_run(
    p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha, coalesce(p_params, '{}'), p_phases, null, 100,
    'manual', p_max_attempts, p_timeout_seconds, null, null, pg_catalog.jsonb_build_object('refresh', v_id), '{}', false);
  insert into ops.refreshes (id, project_id, env, pipeline, run_id, tolerance, note, started_by)
  values (v_id, p_project_id, p_env, p_pipeline, v_run, p_tolerance, coalesce(p_note, ''), private.subject());
  perform private.audit_refresh(v_id, 'start', p_note, pg_catalog.jsonb_build_object('tolerance', p_tolerance));
  return v_id;
end
$$;

create or replace function private.audit_refresh(p_refresh_id uuid, p_act text, p_note text, p_facts jsonb) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.audit(
    null, f.project_id, 'refreshes.' || p_act, f.id::text, null,
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'env', f.env, 'pipeline', f.pipeline, 'run_id', f.run_id, 'note', nullif(p_note, '')) || p_facts))
  from ops.refreshes f where f.id = p_refresh_id
$$;

-- The refresh, locked, where the caller may decide on it.
create or replace function private.decided_refresh(p_refresh_id uuid) returns ops.refreshes
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
begin
  select * into v_refresh from ops.refreshes where id = p_refresh_id for update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_refresh.project_id, v_refresh.env, 'editor');
  return v_refresh;
end
$$;

-- What a refresh has built, a row a table: its version, and what it was compared with. Evidence in quarantine is not held.
create or replace function private.built_by(p_refresh_id uuid) returns table (
  dataset_id uuid, table_name text, version bigint, comparison jsonb
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with line as (
    select r.id, r.status from ops.refreshes f
    join ops.runs r on r.id = f.run_id or r.root_run = f.run_id
    where f.id = p_refresh_id
  )
  select d.id, d.layer || '.' || d.name, max(v.version), (
    select p.metrics -> 'comparison'
    from line l join ops.run_phases p on p.run_id = l.id
    where l.status = 'succeeded' and p.kind = 'compare'
      and p.metrics -> 'comparison' ->> 'table' = d.layer || '.' || d.name
    limit 1)
  from line
  join ops.dataset_versions v on v.run_id = line.id
  join ops.datasets d on d.id = v.dataset_id and d.layer <> 'quarantine'
  group by d.id
$$;

-- Gives readers what a refresh has built: all its tables at once. A repeat changes nothing.
create or replace function ops.swap_refresh(p_refresh_id uuid, p_note text default '') returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes := private.decided_refresh(p_refresh_id);
begin
  if v_refresh.swapped_at is not null and v_refresh.rolled_back_at is null then
    return;
  end if;
  perform private.swap_in(p_refresh_id, private.subject());
  perform private.audit_refresh(p_refresh_id, 'swap', p_note, (
    select pg_catalog.jsonb_build_object('tables', pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, t.version))
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id where t.refresh_id = p_refresh_id));
end
$$;

create or replace function private.swap_in(p_refresh_id uuid, p_by text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
  v_run uuid;
  v_one record;
  v_other record;
  v_former bigint;
begin
  select * into strict v_refresh from ops.refreshes where id = p_refresh_id;
  if v_refresh.rolled_back_at is not null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s was rolled back; start a new one', p_refresh_id);
  end if;
  select id into v_run from ops.runs
  where (id = v_refresh.run_id or root_run = v_refresh.run_id) and status = 'succeeded';
  if not found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s is not built: its run %s has not succeeded; wait for it, or retry it', p_refresh_id, v_refresh.run_id);
  end if;
  -- Before the tables: who spreads suspicion has it and then asks for those.
  perform private.lock_suspicion(v_refresh.project_id, v_refresh.env);
  -- No run commits to these tables, and none is released, until this transaction ends.
  perform from ops.datasets d
  where d.id in (select b.dataset_id from private.built_by(p_refresh_id) b) order by d.id for update;
  for v_one in select b.*, d.version as standing
    from private.built_by(p_refresh_id) b join ops.datasets d on d.id = b.dataset_id order by b.dataset_id
  loop
    v_former := (v_one.comparison ->> 'former')::bigint;
    if v_one.comparison is null or (v_one.comparison ->> 'version')::bigint is distinct from v_one.version then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s was not compared; start a new refresh', v_one.version, v_one.table_name);
    end if;
    if v_one.standing is distinct from v_former then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        '%s was compared with version %s and readers have %s by now; start a new refresh', v_one.table_name,
        coalesce(v_former::text, 'none'), coalesce(v_one.standing::text, 'none'));
    end if;
    -- Rows that another run has added, or is adding, to what the refresh replaces would be lost.
    select v.version, v.run_id into v_other
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_one.dataset_id and not v.aside and v.version > coalesce(v_former, -1)
      and (v.version > v_one.version or r.status not in ('succeeded', 'failed', 'canceled'))
    order by v.version desc limit 1;
    if found then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'run %s has written version %s of %s, which the refresh does not have; start a new refresh', v_other.run_id,
        v_other.version, v_one.table_name);
    end if;
    insert into ops.refresh_tables (refresh_id, dataset_id, project_id, version, former)
    values (p_refresh_id, v_one.dataset_id, v_refresh.project_id, v_one.version, v_former);
  end loop;
  update ops.dataset_versions v set aside = false
  from ops.runs r
  where r.id = v.run_id and (r.id = v_refresh.run_id or r.root_run = v_refresh.run_id);
  perform private.release_datasets(v_run);
  perform private.spread_suspicion(t.dataset_id)
  from (select dataset_id from ops.refresh_tables where refresh_id = p_refresh_id limit 1) as t;
  update ops.refreshes set swapped_at = pg_catalog.clock_timestamp(), swapped_by = p_by where id = p_refresh_id;
end
$$;

-- Called when a run has succeeded: swaps its refresh in where that was allowed beforehand and everything lies within it. Where
-- readers have something newer by now, or anything else stands against it, it waits for somebody's word.
create or replace function private.swap_within_tolerance(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
begin
  select * into v_refresh from ops.refreshes where id = private.refresh_of(p_run_id) for update;
  if not found or v_refresh.tolerance is null or v_refresh.swapped_at is not null then
    return;
  end if;
  if exists (
    select from private.built_by(v_refresh.id) b
    where b.comparison is null or b.comparison -> 'former' = 'null'
      or (b.comparison -> 'differs' ->> 'columns')::bigint > 0
      or (b.comparison -> 'differs' ->> 'rows')::numeric > coalesce((v_refresh.tolerance ->> 'rows')::numeric, 0)
      or (b.comparison -> 'differs' ->> 'sums')::numeric > coalesce((v_refresh.tolerance ->> 'sums')::numeric, 0)
  ) then
    return;
  end if;
  begin
    perform private.swap_in(v_refresh.id, null);
  exception when sqlstate 'CR006' then
    return;
  end;
  perform private.audit_refresh(v_refresh.id, 'swap', '', pg_catalog.jsonb_build_object('within', v_refresh.tolerance));
end
$$;

-- Gives readers back what they had before a swap. Versions that came after it are set aside with it, where p_later says so.
create or replace function ops.roll_back_refresh(p_refresh_id uuid, p_later boolean default false, p_note text default '')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes := private.decided_refresh(p_refresh_id);
  v_one record;
  v_other record;
begin
  if v_refresh.rolled_back_at is not null then
    return;
  end if;
  if v_refresh.swapped_at is null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s was not swapped in: readers have what they had', p_refresh_id);
  end if;
  -- Before the tables: who spreads suspicion has it and then asks for those.
  perform private.lock_suspicion(v_refresh.project_id, v_refresh.env);
  perform from ops.datasets d
  where d.id in (select t.dataset_id from ops.refresh_tables t where t.refresh_id = p_refresh_id) order by d.id for update;
  for v_one in
    select t.*, d.layer || '.' || d.name as table_name
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id
    where t.refresh_id = p_refresh_id order by t.dataset_id
  loop
    select f.id into v_other from ops.refresh_tables t join ops.refreshes f on f.id = t.refresh_id
    where t.dataset_id = v_one.dataset_id and t.version > v_one.version and f.rolled_back_at is null limit 1;
    if found then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'refresh %s of %s was swapped in later; roll that one back first', v_other.id, v_one.table_name);
    end if;
    select v.version, v.run_id into v_other from ops.dataset_versions v
    where v.dataset_id = v_one.dataset_id and v.version > v_one.version and not v.aside order by v.version desc limit 1;
    if found and p_later is not true then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'run %s has written version %s of %s upon the refresh; roll back with what came later (`--discard-later`), or run a '
        'new refresh', v_other.run_id, v_other.version, v_one.table_name);
    end if;
    update ops.dataset_versions v set aside = true
    where v.dataset_id = v_one.dataset_id and (v.version >= v_one.version or exists (
      select from ops.runs r where r.id = v.run_id and (r.id = v_refresh.run_id or r.root_run = v_refresh.run_id)));
    update ops.datasets d
    set version = v_one.former, columns = coalesce(v.columns, '{}'), fingerprint = v.fingerprint, total_rows = v.total_rows,
      updated_at = pg_catalog.clock_timestamp()
    from (select 1) as one left join ops.dataset_versions v
      on v.dataset_id = v_one.dataset_id and v.version = v_one.former
    where d.id = v_one.dataset_id;
  end loop;
  -- What readers get back may be personal data where what goes was none. From any of the tables: it looks at all.
  perform private.spread_suspicion(t.dataset_id)
  from (select dataset_id from ops.refresh_tables where refresh_id = p_refresh_id limit 1) as t;
  update ops.refreshes
  set rolled_back_at = pg_catalog.clock_timestamp(), rolled_back_by = private.subject() where id = p_refresh_id;
  perform private.audit_refresh(p_refresh_id, 'roll_back', p_note, (
    select pg_catalog.jsonb_build_object(
      'later', p_later, 'tables', pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, t.former))
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id where t.refresh_id = p_refresh_id));
end
$$;
