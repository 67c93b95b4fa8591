-- Backfills and runs made of runs. Row-level security decides which rows a caller sees.

-- name: start_backfill
select ops.start_backfill(
  p_project_id => %(project_id)s, p_env => %(env)s, p_definition => %(definition)s, p_idempotency_key => %(key)s,
  p_dry_run => %(dry_run)s
);

-- name: pause_backfill
select ops.pause_backfill(p_backfill_id => %(backfill_id)s, p_reason => %(reason)s);

-- name: resume_backfill
select ops.resume_backfill(p_backfill_id => %(backfill_id)s);

-- name: cancel_backfill
select ops.cancel_backfill(p_backfill_id => %(backfill_id)s, p_reason => %(reason)s);

-- name: advance_backfills
select ops.advance_backfills(p_limit => %(limit)s);

-- name: replay_run
select ops.replay_run(p_run_id => %(run_id)s);

-- name: preview_rerun
select ordinal, name, kind, again, reason
from ops.preview_rerun(p_run_id => %(run_id)s, p_way => %(way)s, p_from_phase => %(from_phase)s);

-- name: backfills
-- Newest first, each with how many of its chunks are in which state.
select b.id, o.slug as org, p.slug as project, b.env, b.pipeline, b.pipeline_version, b.params, b.partition, b.partitions,
  b.chunks, b.chunk_size, b.max_parallel, b.max_tries, b.priority, b.state, b.reason, b.created_at, b.created_by, b.ended_at,
  c.first, c.last, c.pending, c.queued, c.succeeded, c.failed, c.canceled
from ops.backfills b
join ops.projects p on p.id = b.project_id
join ops.orgs o on o.id = p.org_id
cross join lateral (
  select min(k.first) filter (where k.chunk = 1) as first, min(k.first) filter (where k.chunk = b.chunks) as last,
    count(*) filter (where k.state = 'pending') as pending, count(*) filter (where k.state = 'queued') as queued,
    count(*) filter (where k.state = 'succeeded') as succeeded, count(*) filter (where k.state = 'failed') as failed,
    count(*) filter (where k.state = 'canceled') as canceled
  from ops.backfill_chunks k
  where k.backfill_id = b.id
) as c
where (%(id)s::uuid is null or b.id = %(id)s) and (%(env)s::text is null or b.env = %(env)s)
  and (%(state)s::text is null or b.state = %(state)s)
  and (%(project_id)s::uuid is null or b.project_id = %(project_id)s)
  and (%(pipeline)s::text is null or b.pipeline = %(pipeline)s)
order by b.created_at desc, b.id desc
limit %(limit)s;

-- name: backfills_by_prefix
-- An id's beginning as a range, so that the primary key serves it.
select b.id
from ops.backfills b
where b.id between rpad(%(prefix)s, 32, '0')::uuid and rpad(%(prefix)s, 32, 'f')::uuid
limit 2;

-- name: chunks
select c.chunk, c.first, c.until, c.partitions, c.state, c.tries, c.run_id, r.status as run_status, c.error_code,
  c.error_message, c.settled_at
from ops.backfill_chunks c
left join ops.runs r on r.id = c.run_id
where c.backfill_id = %(backfill_id)s
order by c.chunk;

-- name: telling_chunks
-- Those that somebody may have to see to first, then what is at work, then what is next.
select c.chunk, c.first, c.until, c.partitions, c.state, c.tries, c.run_id, r.status as run_status, c.error_code,
  c.error_message, c.settled_at
from ops.backfill_chunks c
left join ops.runs r on r.id = c.run_id
where c.backfill_id = %(backfill_id)s
order by array_position(array['failed', 'queued', 'pending', 'canceled', 'succeeded'], c.state), c.chunk
limit %(limit)s;
