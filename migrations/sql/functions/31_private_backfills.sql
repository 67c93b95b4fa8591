-- A backfill's chunks: how a range or list of partitions is cut, and what becomes of each.

-- Dates that are beginnings of partitions. Refuses the first that is not one.
create or replace function private.partition_starts(p_step text, p_from date, p_to date, p_values jsonb) returns date[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_starts date[];
  v_wrong date;
begin
  if p_values is null then
    if p_from is null or p_to is null or p_from > p_to or p_to - p_from > 366000 then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'the range is %s to %s; give the first partition and the last, or a list of partitions',
        coalesce(p_from::text, 'open'), coalesce(p_to::text, 'open'));
    end if;
    v_starts := array(
      select g::date from pg_catalog.generate_series(p_from::timestamp, p_to::timestamp, ('1 ' || p_step)::interval) as g);
    v_wrong := case when pg_catalog.date_trunc(p_step, p_from::timestamp)::date <> p_from then p_from end;
  else
    v_starts := array(
      select distinct v::date from pg_catalog.jsonb_array_elements_text(p_values) as v order by 1);
    select s into v_wrong from pg_catalog.unnest(v_starts) as s
    where pg_catalog.date_trunc(p_step, s::timestamp)::date <> s limit 1;
  end if;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s is not the first day of a %s; that one begins %s', v_wrong, p_step,
      pg_catalog.date_trunc(p_step, v_wrong::timestamp)::date);
  end if;
  return v_starts;
end
$$;

-- The chunks of a definition: p_size partitions each, where they follow one another without a gap.
create or replace function private.cut_into_chunks(p_partition jsonb, p_definition jsonb, p_size int)
returns table (chunk int, first text, until text, partitions int)
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_step text := p_partition ->> 'step';
begin
  if v_step is null then
    return query
      select pg_catalog.row_number() over (order by pg_catalog.min(v.ordinal))::int, v.one, null::text, 1
      from pg_catalog.jsonb_array_elements_text(coalesce(p_definition -> 'values', '[]')) with ordinality as v (one, ordinal)
      group by v.one;
    return;
  end if;
  return query
    with starts as (
      select s.at, pg_catalog.row_number() over (order by s.at) as n,
        s.at is distinct from (pg_catalog.lag(s.at) over (order by s.at) + ('1 ' || v_step)::interval)::date as gap
      from pg_catalog.unnest(private.partition_starts(
        v_step, (p_definition ->> 'from')::date, (p_definition ->> 'to')::date, p_definition -> 'values')) as s (at)
    ), islands as (
      select s.at, pg_catalog.count(*) filter (where s.gap) over (order by s.at) as island from starts s
    ), placed as (
      select i.at, i.island, (pg_catalog.row_number() over (partition by i.island order by i.at) - 1) / p_size as piece
      from islands i
    )
    select pg_catalog.row_number() over (order by pg_catalog.min(p.at))::int, pg_catalog.min(p.at)::text,
      (pg_catalog.max(p.at) + ('1 ' || v_step)::interval)::date::text, pg_catalog.count(*)::int
    from placed p
    group by p.island, p.piece;
end
$$;

-- A partition's name as the value of its parameter.
create or replace function private.partition_value(p_param jsonb, p_text text) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_param ->> 'type' = 'integer' then
    return pg_catalog.to_jsonb(p_text::bigint);
  end if;
  if p_param ->> 'type' = 'choice' and not p_param -> 'choices' ? p_text then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'partition %L is none of the choices of its parameter: %s', p_text, (
        select pg_catalog.string_agg(c, ', ') from pg_catalog.jsonb_array_elements_text(p_param -> 'choices') as c));
  end if;
  return pg_catalog.to_jsonb(p_text);
end
$$;

-- The parameters of a chunk's run.
create or replace function private.chunk_params(
  p_spec jsonb, p_partition jsonb, p_params jsonb, p_first text, p_until text
) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select private.param_defaults(p_spec) || p_params
    || pg_catalog.jsonb_build_object(
      p_partition ->> 'param', private.partition_value(p_spec -> 'params' -> (p_partition ->> 'param'), p_first))
    || case when p_partition ? 'until' then pg_catalog.jsonb_build_object(p_partition ->> 'until', p_until) else '{}' end
$$;

-- What a definition may say, and what is so where it says nothing. After the live feed: a schedule's runs have priority 100.
create or replace function private.backfill_defaults(p_definition jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unknown text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_unknown
  from pg_catalog.jsonb_object_keys(p_definition) as k
  where k <> all ('{pipeline,from,to,values,params,chunk_size,max_parallel,max_tries,priority}');
  if v_unknown is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_definition has no field %s; see docs/backfill.md for those that it has', v_unknown);
  end if;
  perform private.require(p_definition ->> 'pipeline', 'p_definition.pipeline');
  return '{"params": {}, "chunk_size": 1, "max_parallel": 4, "max_tries": 3, "priority": 200}'::jsonb
    || pg_catalog.jsonb_strip_nulls(p_definition);
end
$$;

-- Refuses what could not be carried out, before anything is made.
create or replace function private.require_backfillable(p_pipeline ops.pipelines, p_definition jsonb) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_partition jsonb := p_pipeline.spec -> 'partition';
  v_known jsonb := coalesce(p_pipeline.spec -> 'params', '{}');
  v_wrong text;
begin
  if v_partition is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'version %s of %s does not say what its partitions are; write partition: {param: …, step: day} into its spec',
      p_pipeline.version, p_pipeline.slug);
  end if;
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(p_definition -> 'params') as k
  where not v_known ? k or k in (v_partition ->> 'param', v_partition ->> 'until');
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'parameter %s is not the backfill''s to give: %s has it not, or its partition gives it', v_wrong, p_pipeline.slug);
  end if;
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_each(v_known) as p (k, param)
  where p.param -> 'default' is null and not p_definition -> 'params' ? k
    and k is distinct from v_partition ->> 'param' and k is distinct from v_partition ->> 'until';
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'parameter %s of %s has no default; give it a value', v_wrong, p_pipeline.slug);
  end if;
  if (p_definition ->> 'chunk_size')::int > 1 and not v_partition ? 'until' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a run of %s takes one partition; for chunks of several its spec names a second parameter: partition: {…, until: …}',
      p_pipeline.slug);
  end if;
  if not v_partition ? 'step' and (p_definition -> 'values' is null or p_definition ? 'from' or p_definition ? 'to') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'partitions of %s have no order; list them', p_pipeline.slug);
  end if;
  if v_partition ? 'step' and p_definition ? 'values' and (p_definition ? 'from' or p_definition ? 'to') then
    raise exception using errcode = 'CR007', message = 'give either a range or a list of partitions';
  end if;
  if p_definition ? 'values' and pg_catalog.jsonb_typeof(p_definition -> 'values') <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_definition.values must be a JSON array of partitions';
  end if;
end
$$;

-- What is to be expected, from the last fifty runs of the pipeline in the environment that succeeded: the median of each figure.
-- A run that a backfill made counts for each partition that it had. All null where there is no history.
create or replace function private.backfill_estimate(
  p_project_id uuid, p_env text, p_pipeline text, p_chunks int, p_partitions int, p_parallel int
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_parallel int;
  v_seen record;
begin
  -- A cap on runs at once says how many there can be, whatever is asked for.
  select greatest(1, least(p_parallel, p_chunks, pg_catalog.floor(pg_catalog.min(c.amount))::int)) into v_parallel
  from private.caps_on(p_project_id, p_pipeline) as c
  where c.unit = 'runs' and c.period = 'concurrent';
  select pg_catalog.count(*) as runs,
    pg_catalog.percentile_cont(0.5) within group (order by h.seconds / h.partitions) as seconds,
    pg_catalog.percentile_cont(0.5) within group (order by h.rows / h.partitions) as rows,
    pg_catalog.percentile_cont(0.5) within group (order by h.bytes / h.partitions) as bytes
  into v_seen
  from (
    select extract(epoch from r.finished_at - r.started_at)::float8 as seconds, coalesce(c.partitions, 1) as partitions,
      f.rows, f.bytes
    from (
      select r.id, r.started_at, r.finished_at
      from ops.runs r
      where r.project_id = p_project_id and r.env = p_env and r.pipeline = p_pipeline and r.status = 'succeeded'
        and r.root_run is null
      order by r.created_at desc, r.id desc limit 50
    ) as r
    left join ops.backfill_chunks c on c.run_id = r.id
    cross join lateral (
      select coalesce(pg_catalog.sum(p.rows_out), 0)::float8 as rows, coalesce(pg_catalog.sum(p.byte_size), 0)::float8 as bytes
      from ops.run_phases p where p.run_id = r.id
    ) as f
  ) as h;
  return pg_catalog.jsonb_build_object(
    'from_runs', v_seen.runs, 'runs', p_chunks, 'parallel', v_parallel,
    'seconds', v_seen.seconds * p_partitions / v_parallel, 'executor_seconds', v_seen.seconds * p_partitions,
    'rows', pg_catalog.round(v_seen.rows * p_partitions), 'bytes', pg_catalog.round(v_seen.bytes * p_partitions));
end
$$;

-- What became of the runs of chunks that have ended. A chunk whose run failed is tried again, as a retry of that run: what it
-- committed is found and not made twice. A run that somebody canceled is not.
create or replace function private.settle_chunks(p_backfill ops.backfills) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settled int;
begin
  update ops.backfill_chunks c
  set state = case
      when r.status = 'succeeded' then 'succeeded'
      when p_backfill.state = 'canceled' then 'canceled'
      when r.status = 'failed' and (c.tries < c.max_tries or r.error_code = 'CAP_EXCEEDED') then 'pending'
      else 'failed' end,
    -- A cap that is used up is nobody's fault: it costs the chunk no try.
    max_tries = c.max_tries + (r.status = 'failed' and r.error_code = 'CAP_EXCEEDED')::int,
    error_code = r.error_code, error_message = r.error_message, settled_at = r.finished_at
  from ops.runs r
  where c.backfill_id = p_backfill.id and c.state = 'queued' and r.id = c.run_id
    and r.status in ('succeeded', 'failed', 'canceled');
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;

-- The run of a chunk's next try. The key names the try, so that there is one run of it whoever asks how often.
create or replace function private.chunk_run(p_backfill ops.backfills, p_pipeline ops.pipelines, p_chunk ops.backfill_chunks)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key text := pg_catalog.format('backfill:%s:%s:%s', p_backfill.id, p_chunk.chunk, p_chunk.tries + 1);
  v_old ops.runs;
begin
  if p_chunk.run_id is not null then
    select * into strict v_old from ops.runs where id = p_chunk.run_id;
    -- Newer data than it had pinned came first: on the same inputs it would be refused again. A fresh run doubles nothing,
    -- unless a phase appends, or is of a kind that is not ours and may.
    if v_old.error_code is distinct from 'CONFLICT' or exists (
      select from ops.run_phases p where p.run_id = v_old.id and (private.appends(v_old.spec, p.name)
        or p.kind not in ('ingest', 'validate', 'transform', 'publish', 'query'))) then
      return private.make_rerun(
        v_old, 'retry', null, 'backfill', v_key,
        pg_catalog.clock_timestamp() + least(600, 2 ^ p_chunk.tries) * interval '1 second');
    end if;
  end if;
  return private.queue_run(
    p_backfill.project_id, p_backfill.env, p_backfill.pipeline, p_pipeline.spec, p_pipeline.sha256, p_pipeline.git_sha,
    private.chunk_params(p_pipeline.spec, p_backfill.partition, p_backfill.params, p_chunk.first, p_chunk.until),
    private.spec_outline(p_pipeline.spec), v_key, p_backfill.priority, 'backfill',
    coalesce((p_pipeline.spec ->> 'max_attempts')::int, 3), (p_pipeline.spec ->> 'timeout')::float8, null, null,
    pg_catalog.jsonb_build_object('backfill', p_backfill.id, 'partition', p_chunk.first), '{}', true);
end
$$;

-- One step of one backfill, whose row the caller holds: what ended is noted, what is free is filled, what is done is ended.
-- Returns how many chunks it moved.
create or replace function private.advance_backfill(p_backfill ops.backfills) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_moved int := private.settle_chunks(p_backfill);
  v_pipeline ops.pipelines;
  v_chunk ops.backfill_chunks;
  v_open int;
  v_failed int;
begin
  if p_backfill.state <> 'active' then
    return v_moved;
  end if;
  -- No phase of it could begin: it waits until the cap's period is over, or the cap is raised.
  if private.is_metered() and private.used_up(p_backfill.project_id, p_backfill.pipeline) is not null
     and exists (select from ops.backfill_chunks c where c.backfill_id = p_backfill.id and c.state = 'pending') then
    return v_moved;
  end if;
  select * into strict v_pipeline from ops.pipelines
  where project_id = p_backfill.project_id and slug = p_backfill.pipeline and version = p_backfill.pipeline_version;
  select pg_catalog.count(*) into v_open from ops.backfill_chunks where backfill_id = p_backfill.id and state = 'queued';
  for v_chunk in
    select * from ops.backfill_chunks where backfill_id = p_backfill.id and state = 'pending'
    order by chunk limit greatest(0, p_backfill.max_parallel - v_open)
  loop
    update ops.backfill_chunks
    set run_id = private.chunk_run(p_backfill, v_pipeline, v_chunk), state = 'queued', tries = tries + 1, settled_at = null
    where backfill_id = v_chunk.backfill_id and chunk = v_chunk.chunk;
    v_moved := v_moved + 1;
    v_open := v_open + 1;
  end loop;
  if v_open = 0 then
    select pg_catalog.count(*) into v_failed from ops.backfill_chunks where backfill_id = p_backfill.id and state <> 'succeeded';
    update ops.backfills
    set state = case v_failed when 0 then 'succeeded' else 'failed' end, ended_at = pg_catalog.clock_timestamp(),
      reason = case v_failed when 0 then '' else pg_catalog.format('%s of %s chunks have not succeeded', v_failed, chunks) end
    where id = p_backfill.id;
  end if;
  return v_moved;
end
$$;
