-- Runs that are made of other runs: a retry, on the pinned definition or (latest) on the newest one, and a replay.

-- The rows of a phase's output are added to the table and take nothing away: twice is twice.
create or replace function private.appends(p_spec jsonb, p_phase text) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_catalog.jsonb_array_elements(
      case pg_catalog.jsonb_typeof(p_spec -> 'phases') when 'array' then p_spec -> 'phases' else '[]' end) as e
    where e ->> 'name' = p_phase and e -> 'output' ->> 'mode' = 'append')
$$;

-- Phase by phase what a run made of p_old would do, in the order of p_phases ({name, kind, depends_on}) of p_spec.
-- again: it is carried out; else it stands as p_old left it. anew: what it does to the lake is known by the new run, so that
-- nothing of p_old is taken for it; else a commit of p_old's line is found and adopted. refused: why it cannot be.
create or replace function private.rerun_plan(p_old ops.runs, p_spec jsonb, p_phases jsonb, p_way text, p_from text)
returns table (ordinal int, name text, kind text, again boolean, anew boolean, reason text, refused text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive wanted as (
    select p.ordinal::int as ordinal, p.phase ->> 'name' as name, p.phase ->> 'kind' as kind,
      coalesce((select pg_catalog.array_agg(d) from pg_catalog.jsonb_array_elements_text(p.phase -> 'depends_on') as d), '{}')
        as depends_on
    from pg_catalog.jsonb_array_elements(p_phases) with ordinality as p (phase, ordinal)
  ), reached as (
    select w.name from wanted w where w.name = p_from
    union
    select w.name from wanted w join reached r on r.name = any (w.depends_on)
  ), judged as (
    select w.ordinal, w.name, w.kind, w.name in (select r.name from reached r) as asked,
      coalesce(o.status in ('succeeded', 'skipped') and o.kind = w.kind, false) as stands,
      coalesce(o.attempt > 0 or o.status in ('succeeded', 'skipped'), false) as tried,
      private.appends(p_spec, w.name) as appends
    from wanted w left join ops.run_phases o on o.run_id = p_old.id and o.name = w.name
  ), decided as (
    select j.*, case
      when p_way = 'replay' then not (j.kind = 'ingest' and j.stands)
      when p_way = 'latest' and p_from is null then true
      else j.asked or not j.stands end as again
    from judged j
  )
  select d.ordinal, d.name, d.kind, d.again,
    d.again and not (p_way = 'retry' and (p_from is null or (d.appends and not d.stands))),
    case
      when not d.again and p_way = 'replay' then 'what it landed is what is replayed'
      when not d.again then 'succeeded before'
      when d.name = p_from then 'named'
      when d.asked then 'depends on ' || p_from
      when p_way = 'replay' or (p_way = 'latest' and p_from is null) then 'all phases'
      else 'has not succeeded' end,
    case
      when d.again and d.appends and case p_way when 'retry' then d.stands else d.tried end then
        'it appends, and has done so: a second time would double its rows'
      when d.again and d.kind = 'ingest' and (p_way = 'replay' or (p_way = 'retry' and d.stands)) then
        'it reads a source, which has moved on' end
  from decided d
  order by d.ordinal
$$;

-- Old rows must not take the place of newer ones unasked: what p_old wrote has been made since from newer inputs than it had.
-- A partition is looked at when it is written.
create or replace function private.refuse_older(p_old ops.runs) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_newer record;
begin
  select d.layer || '.' || d.name as table_name, n.run_id, e.input_table, e.input_version,
    (p_old.input_manifest -> 'tables' ->> e.input_table)::bigint as pinned
  into v_newer
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.dataset_versions n on n.dataset_id = v.dataset_id and n.version > v.version and not n.aside
  join ops.lineage_edges e on e.output_id = n.id
  where v.run_id = p_old.id and v.mode <> 'partition'
    and e.input_version > (p_old.input_manifest -> 'tables' ->> e.input_table)::bigint
  order by n.version desc
  limit 1;
  if found then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      '%s was written since by run %s from %s version %s, and run %s has pinned version %s, which is older; submit a new run',
      v_newer.table_name, v_newer.run_id, v_newer.input_table, v_newer.input_version, p_old.id, v_newer.pinned);
  end if;
end
$$;

-- What a run made of p_old runs: its own definition, or the one that its environment runs now.
create or replace function private.rerun_definition(p_old ops.runs, p_way text)
returns table (spec jsonb, sha256 text, git_sha text, params jsonb, phases jsonb, max_attempts int, timeout_seconds float8)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new ops.pipelines;
  v_wrong text;
begin
  if p_way <> 'latest' then
    return query
      select p_old.spec, p_old.spec_sha256, p_old.git_sha, p_old.params,
        (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', r.name, 'kind', r.kind, 'depends_on', r.depends_on) order by r.ordinal), '[]')
         from ops.run_phases r where r.run_id = p_old.id),
        p_old.max_attempts, p_old.timeout_seconds;
    return;
  end if;
  v_new := private.scheduled_version(p_old.project_id, p_old.env, p_old.pipeline);
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(p_old.params) as k where not coalesce(v_new.spec -> 'params', '{}') ? k;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'version %s of %s has no parameter %s; submit a new run', v_new.version, p_old.pipeline, v_wrong);
  end if;
  return query
    select v_new.spec, v_new.sha256, v_new.git_sha, private.param_defaults(v_new.spec) || p_old.params,
      private.spec_outline(v_new.spec), coalesce((v_new.spec ->> 'max_attempts')::int, 3),
      (v_new.spec ->> 'timeout')::float8;
end
$$;

-- The plan, or why there is none. Whoever calls has made sure of the caller's role.
create or replace function private.planned_rerun(p_old ops.runs, p_way text, p_from text)
returns table (ordinal int, name text, kind text, again boolean, anew boolean, reason text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_definition record;
  v_refused record;
begin
  if p_old.status not in ('succeeded', 'failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; only an ended run can be %s, cancel it first', p_old.id, p_old.status,
      case p_way when 'replay' then 'replayed' else 'retried' end);
  end if;
  if private.refresh_of(p_old.id) is not null and (p_way <> 'retry' or p_from is not null) then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s builds a refresh; what it makes is set aside for that one alone: start a new refresh', p_old.id);
  end if;
  if p_old.status = 'succeeded' and p_way <> 'replay' and p_from is null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s succeeded; a retry would have nothing to do, name a phase with --from-phase or submit a new run with '
      '`controlroom run submit`', p_old.id);
  end if;
  if p_way = 'replay' and p_old.input_manifest = '{}' and p_old.status <> 'succeeded' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s ended before it had pinned its inputs; there is nothing to replay, submit a new run', p_old.id);
  end if;
  select * into strict v_definition from private.rerun_definition(p_old, p_way);
  if p_from is not null and not exists (
    select from pg_catalog.jsonb_array_elements(v_definition.phases) as e where e ->> 'name' = p_from) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no phase %L in run %s; it has %s', p_from, p_old.id, (
        select pg_catalog.string_agg(e ->> 'name', ', ') from pg_catalog.jsonb_array_elements(v_definition.phases) as e));
  end if;
  select r.name, r.refused into v_refused
  from private.rerun_plan(p_old, v_definition.spec, v_definition.phases, p_way, p_from) as r
  where r.refused is not null limit 1;
  if found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'phase %L of run %s cannot be carried out again: %s; begin at a later phase with `controlroom run retry --from-phase`, or '
      'submit a new run', v_refused.name, p_old.id, v_refused.refused);
  end if;
  if p_way = 'replay' or (p_way = 'retry' and p_from is not null) then
    perform private.refuse_older(p_old);
  end if;
  return query
    select r.ordinal, r.name, r.kind, r.again, r.anew, r.reason
    from private.rerun_plan(p_old, v_definition.spec, v_definition.phases, p_way, p_from) as r;
end
$$;

-- Makes the run. p_key, p_available_at: see ops.create_run.
create or replace function private.make_rerun(
  p_old ops.runs, p_way text, p_from text, p_trigger text, p_key text default null, p_available_at timestamptz default null
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_definition record;
  v_new uuid;
  v_root uuid := coalesce(p_old.root_run, p_old.id);
begin
  select * into strict v_definition from private.rerun_definition(p_old, p_way);
  v_new := private.queue_run(
    p_old.project_id, p_old.env, p_old.pipeline, v_definition.spec, v_definition.sha256, v_definition.git_sha,
    v_definition.params, v_definition.phases, p_key, p_old.priority, p_trigger, v_definition.max_attempts,
    v_definition.timeout_seconds, p_available_at, p_old.id, p_old.tags,
    case p_way when 'latest' then '{}' else p_old.input_manifest end, p_way <> 'latest');
  -- A line of retries is one try after another at the same; a replay, or all phases of a new definition, begin one.
  update ops.runs set root_run = v_root where id = v_new and (p_way = 'retry' or (p_way = 'latest' and p_from is not null));
  update ops.run_phases n
  set effect_of = case when p.anew then v_new else coalesce(o.effect_of, v_root) end,
    kept = not p.again and (p_way <> 'retry' or p_from is not null)
  from private.planned_rerun(p_old, p_way, p_from) as p
  left join ops.run_phases o on o.run_id = p_old.id and o.name = p.name
  where n.run_id = v_new and n.name = p.name;
  update ops.run_phases n
  set status = 'succeeded', started_at = o.started_at, finished_at = o.finished_at, rows_in = o.rows_in,
    rows_out = o.rows_out, byte_size = o.byte_size, input_fingerprint = o.input_fingerprint,
    output_fingerprint = o.output_fingerprint, metrics = o.metrics, result = o.result
  from private.planned_rerun(p_old, p_way, p_from) as p
  join ops.run_phases o on o.run_id = p_old.id and o.name = p.name
  where n.run_id = v_new and n.name = p.name and not p.again;
  return v_new;
end
$$;

-- The defaults of a spec's parameters, those that have one.
create or replace function private.param_defaults(p_spec jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_object_agg(d.key, d.value -> 'default'), '{}')
  from pg_catalog.jsonb_each(coalesce(p_spec -> 'params', '{}')) as d
  where d.value -> 'default' is not null
$$;

-- The phases of a spec as ops.create_run takes them.
create or replace function private.spec_outline(p_spec jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', p.phase -> 'name', 'kind', p.phase -> 'kind', 'depends_on', coalesce(p.phase -> 'depends_on', '[]'))
    order by p.ordinal), '[]')
  from pg_catalog.jsonb_array_elements(coalesce(p_spec -> 'phases', '[]')) with ordinality as p (phase, ordinal)
$$;
