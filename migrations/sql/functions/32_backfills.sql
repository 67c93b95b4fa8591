-- Backfills as people have them, and the steward's step.

-- The backfill, locked, where the caller is an operator of its environment.
create or replace function private.my_backfill(p_backfill_id uuid) returns ops.backfills
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills;
begin
  select * into v_backfill from ops.backfills where id = p_backfill_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_backfill.project_id, v_backfill.env, 'operator');
  return v_backfill;
end
$$;

-- Orders a backfill: of the version that the environment runs now, over a range (from, to: first and last partition) or a list
-- (values) of partitions. p_dry_run: nothing is made. Returns its id (null in a dry run), its chunks and what to expect.
-- The same key gives the same backfill.
create or replace function ops.start_backfill(
  p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text default null, p_dry_run boolean default false
) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
  v_new ops.backfills;
  v_known ops.backfills;
  v_definition jsonb;
  v_pipeline ops.pipelines;
  v_chunks jsonb;
begin
  perform private.require_role(p_project_id, p_env, 'operator');
  v_definition := private.backfill_defaults(p_definition);
  v_pipeline := private.scheduled_version(p_project_id, p_env, v_definition ->> 'pipeline');
  perform private.require_backfillable(v_pipeline, v_definition);
  v_new := pg_catalog.jsonb_populate_record(null::ops.backfills, v_definition);
  if v_new.chunk_size not between 1 and 1000 or v_new.max_parallel not between 1 and 100
    or v_new.max_tries not between 1 and 20 or v_new.priority not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'chunk_size is %s, max_parallel %s, max_tries %s, priority %s; give 1 to 1000, 1 to 100, 1 to 20, 1 to 1000',
      v_new.chunk_size, v_new.max_parallel, v_new.max_tries, v_new.priority);
  end if;
  select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c) order by c.chunk), '[]'),
    pg_catalog.count(*), coalesce(pg_catalog.sum(c.partitions), 0)
  into v_chunks, v_new.chunks, v_new.partitions
  from private.cut_into_chunks(v_pipeline.spec -> 'partition', v_definition, v_new.chunk_size) as c;
  if v_new.chunks = 0 or v_new.partitions > 20000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'that is %s partitions; give 1 to 20000', v_new.partitions);
  end if;
  -- A value that is none is refused now and not at its turn.
  perform private.chunk_params(
    v_pipeline.spec, v_pipeline.spec -> 'partition', v_new.params, c ->> 'first', c ->> 'until')
  from pg_catalog.jsonb_array_elements(v_chunks) as c;
  if not p_dry_run then
    if p_idempotency_key is not null then
      perform pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended(p_project_id::text || '/' || p_env || '/backfill#' || p_idempotency_key, 0));
    end if;
    select * into v_known from ops.backfills
    where project_id = p_project_id and env = p_env and idempotency_key = p_idempotency_key;
    if not found then
      v_id := private.make_backfill(p_project_id, p_env, v_new, v_pipeline, v_chunks, p_idempotency_key);
    elsif (v_known.pipeline, v_known.params, v_known.chunks, v_known.partitions)
      is distinct from (v_new.pipeline, v_new.params, v_new.chunks, v_new.partitions)
      or exists (
        select from pg_catalog.jsonb_array_elements(v_chunks) as c
        where not exists (
          select from ops.backfill_chunks k
          where k.backfill_id = v_known.id and k.first = c ->> 'first' and k.until is not distinct from c ->> 'until')) then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'idempotency key %L belongs to backfill %s of other partitions; use a new key', p_idempotency_key, v_known.id);
    else
      v_id := v_known.id;
    end if;
  end if;
  return pg_catalog.jsonb_build_object(
    'id', v_id, 'pipeline', v_pipeline.slug, 'version', v_pipeline.version, 'env', p_env, 'partitions', v_new.partitions,
    'chunks', v_chunks, 'estimate', private.backfill_estimate(
      p_project_id, p_env, v_pipeline.slug, v_new.chunks, v_new.partitions, v_new.max_parallel));
end
$$;

create or replace function private.make_backfill(
  p_project_id uuid, p_env text, p_new ops.backfills, p_pipeline ops.pipelines, p_chunks jsonb, p_idempotency_key text
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := private.new_id();
begin
  insert into ops.backfills (
    id, project_id, env, pipeline, pipeline_version, params, partition, partitions, chunks, chunk_size, max_parallel,
    max_tries, priority, idempotency_key, created_by)
  values (
    v_id, p_project_id, p_env, p_pipeline.slug, p_pipeline.version, p_new.params, p_pipeline.spec -> 'partition',
    p_new.partitions, p_new.chunks, p_new.chunk_size, p_new.max_parallel, p_new.max_tries, p_new.priority,
    p_idempotency_key, private.subject());
  insert into ops.backfill_chunks (backfill_id, chunk, project_id, env, first, until, partitions, max_tries)
  select v_id, c.chunk, p_project_id, p_env, c.first, c.until, c.partitions, p_new.max_tries
  from pg_catalog.jsonb_to_recordset(p_chunks) as c (chunk int, first text, until text, partitions int);
  return v_id;
end
$$;

-- What runs goes on; no further runs are made.
create or replace function ops.pause_backfill(p_backfill_id uuid, p_reason text default '') returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
begin
  if v_backfill.state = 'active' then
    update ops.backfills set state = 'paused', reason = coalesce(p_reason, '') where id = p_backfill_id;
    return 'paused';
  end if;
  return v_backfill.state;
end
$$;

-- Goes on with a paused one; of one that failed, chunks that have failed get as many tries as at first.
create or replace function ops.resume_backfill(p_backfill_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
begin
  if v_backfill.state not in ('paused', 'failed') then
    if v_backfill.state in ('succeeded', 'canceled') then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'backfill %s is %s; start a new one', p_backfill_id, v_backfill.state);
    end if;
    return v_backfill.state;
  end if;
  update ops.backfills set state = 'active', reason = '', ended_at = null where id = p_backfill_id;
  update ops.backfill_chunks c
  set state = 'pending', max_tries = c.tries + v_backfill.max_tries
  where c.backfill_id = p_backfill_id and c.state = 'failed';
  return 'active';
end
$$;

-- No further runs, and those that are open are canceled. Partitions that have succeeded stay.
create or replace function ops.cancel_backfill(p_backfill_id uuid, p_reason text default '') returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
  v_run uuid;
begin
  if v_backfill.state in ('succeeded', 'canceled') then
    return v_backfill.state;
  end if;
  update ops.backfills
  set state = 'canceled', reason = coalesce(p_reason, ''), ended_at = pg_catalog.clock_timestamp()
  where id = p_backfill_id returning * into v_backfill;
  update ops.backfill_chunks set state = 'canceled', settled_at = pg_catalog.clock_timestamp()
  where backfill_id = p_backfill_id and state = 'pending';
  -- In the order in which heartbeats lock leases.
  for v_run in
    select c.run_id from ops.backfill_chunks c where c.backfill_id = p_backfill_id and c.state = 'queued' order by c.run_id
  loop
    perform ops.cancel_run(v_run, pg_catalog.format('backfill %s was canceled', p_backfill_id));
  end loop;
  perform private.settle_chunks(v_backfill);
  return 'canceled';
end
$$;

-- The steward's step: moves each backfill on in which there is something to do. Whatever is done of one is done in this
-- transaction, under its row: a steward that dies has moved it or has not. One that cannot go on is paused with the reason
-- and keeps no other from its turn. Returns how many chunks were moved.
create or replace function ops.advance_backfills(p_limit int default 500) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills;
  v_moved int := 0;
begin
  for v_backfill in
    select b.* from ops.backfills b
    where b.state = 'active'
      or b.id in (select c.backfill_id from ops.backfill_chunks c where c.state = 'queued')
    order by b.created_at, b.id
    for no key update skip locked
    limit p_limit
  loop
    begin
      v_moved := v_moved + private.advance_backfill(v_backfill);
    exception
      when sqlstate 'CR002' or sqlstate 'CR003' or sqlstate 'CR004' or sqlstate 'CR005' or sqlstate 'CR006'
        or sqlstate 'CR007' or data_exception or integrity_constraint_violation then
        update ops.backfills set state = 'paused', reason = sqlerrm where id = v_backfill.id and state = 'active';
    end;
  end loop;
  return v_moved;
end
$$;
