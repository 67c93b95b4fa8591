-- What the page of one run asks beside the run itself. Row-level security decides which rows a caller sees. Every statement is
-- bounded: by the run, or by a number of runs before it.

-- name: standing
-- Whose it is or was.
select r.lost_leases, r.max_lost_leases, coalesce(l.event_seq, r.event_seq) as events,
  x.name as executor, clock_timestamp() as asked_at
from ops.runs r
left join ops.run_leases l on l.run_id = r.id
left join ops.executors x on x.id = coalesce(l.executor_id, r.executor_id)
where r.id = %(run_id)s;

-- name: lines
-- Runs by their ids, as a list of runs has them.
select
    r.id as run_id, o.slug as org, p.slug as project, r.env, r.pipeline, r.pipeline_version, r.status,
    coalesce(l.phase, r.phase) as phase, r.priority, r.attempt, r.max_attempts, r.trigger, r.git_sha, r.tags, r.created_at,
    r.started_at, r.finished_at, r.error_code, r.error_message
from ops.runs r
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
left join ops.run_leases l on l.run_id = r.id
where r.id = any (%(ids)s::uuid[]);

-- name: asked_by
-- Which of these runs are questions of this person's.
select q.run_id from ops.queries q where q.run_id = any (%(ids)s::uuid[]) and q.subject = %(subject)s;

-- name: stale_inputs
-- Tables that it reads and that are older than a rule allows.
select f.dataset as "table", f.state, f.lag_seconds
from ops.freshness f
join ops.runs r on r.project_id = f.project_id and r.env = f.env
where r.id = %(run_id)s and f.state <> 'ok' and f.dataset = any (%(tables)s::text[])
order by f.dataset
limit 20;

-- name: usual
-- How long runs of this pipeline here took, among the forty before it those that succeeded: waiting, as a whole, by phase. A
-- phase that a retry took over was not carried out by it and does not count.
with past as (
  select p.id, p.created_at, p.started_at, p.finished_at
  from ops.runs r
  cross join lateral (
    select o.id, o.created_at, o.started_at, o.finished_at, o.status
    from ops.runs o
    where o.project_id = r.project_id and o.pipeline = r.pipeline and o.env = r.env and o.created_at < r.created_at
    order by o.created_at desc, o.id desc
    limit 40
  ) as p
  where r.id = %(run_id)s and p.status = 'succeeded'
), took as (
  select 'waiting' as what, null as phase, extract(epoch from started_at - created_at)::float8 as seconds
  from past where started_at is not null
  union all
  select 'run', null, extract(epoch from finished_at - started_at)::float8
  from past where started_at is not null
  union all
  select 'phase', ph.name, extract(epoch from ph.finished_at - ph.started_at)::float8
  from past
  join ops.run_phases ph on ph.run_id = past.id
  where ph.status = 'succeeded' and ph.attempt > 0 and ph.finished_at is not null
)
select what, phase, count(*)::int as runs, percentile_cont(0.5) within group (order by seconds) as p50,
  percentile_cont(0.95) within group (order by seconds) as p95
from took
group by what, phase;

-- name: last_good
-- The newest run before it that succeeded and has a score, among sixty.
select g.id as run_id, g.created_at, g.pipeline_version, g.git_sha, s.score, s.breakdown,
  extract(epoch from g.finished_at - g.started_at)::float8 as seconds
from ops.runs r
cross join lateral (
  select o.*
  from ops.runs o
  where o.project_id = r.project_id and o.pipeline = r.pipeline and o.env = r.env and o.created_at < r.created_at
  order by o.created_at desc, o.id desc
  limit 60
) as g
join ops.run_scores s on s.run_id = g.id
where r.id = %(run_id)s and g.status = 'succeeded'
order by g.created_at desc, g.id desc
limit 1;

-- name: twins
-- Among the twenty before it, and those that repeat it, runs of the same definition: in how many phases they read the same, and
-- in which of those they did not make the same.
with mine as (
  select ph.name, ph.input_fingerprint, ph.output_fingerprint
  from ops.run_phases ph
  where ph.run_id = %(run_id)s and ph.input_fingerprint is not null and ph.output_fingerprint is not null
), others as (
  select p.id, p.created_at, p.spec_sha256 = r.spec_sha256 and p.git_sha = r.git_sha as same
  from ops.runs r
  cross join lateral (
    (
      select o.id, o.created_at, o.spec_sha256, o.git_sha
      from ops.runs o
      where o.project_id = r.project_id and o.pipeline = r.pipeline and o.env = r.env and o.created_at < r.created_at
      order by o.created_at desc, o.id desc
      limit 20
    )
    union all
    (
      select o.id, o.created_at, o.spec_sha256, o.git_sha
      from ops.runs o
      where o.parent_run = r.id and o.trigger <> 'retry'
      order by o.created_at desc
      limit 20
    )
  ) as p
  where r.id = %(run_id)s
)
select o.id as run_id, o.created_at, count(*)::int as same_inputs,
  coalesce(
    array_agg(m.name order by ph.ordinal) filter (where ph.output_fingerprint is distinct from m.output_fingerprint), '{}'
  ) as differs
from others o
join ops.run_phases ph on ph.run_id = o.id and ph.attempt > 0 and ph.status = 'succeeded'
join mine m on m.name = ph.name and m.input_fingerprint = ph.input_fingerprint
where o.same
group by o.id, o.created_at
order by o.created_at desc, o.id desc;

-- name: commits
-- What the run left in the lake, each beside the version before it.
select d.id as dataset_id, d.layer, d.name, d.version as released, v.version, v.mode, v.rows, v.total_rows, v.byte_size,
  v.fingerprint, v.columns, v.adopted, v.phase, v.recorded_at, b.version as before_version, b.total_rows as before_rows,
  b.columns as before_columns, b.fingerprint as before_fingerprint,
  coalesce((
    select jsonb_agg(jsonb_build_object('table', e.input_table, 'version', e.input_version)
      order by e.input_table, e.input_version)
    from ops.lineage_edges e
    where e.output_id = v.id
  ), '[]') as inputs
from ops.dataset_versions v
join ops.datasets d on d.id = v.dataset_id
left join lateral (
  select w.version, w.total_rows, w.columns, w.fingerprint
  from ops.dataset_versions w
  where w.dataset_id = v.dataset_id and w.version < v.version
  order by w.version desc
  limit 1
) as b on true
where v.run_id = %(run_id)s
order by v.recorded_at, d.layer, d.name
limit 500;

-- name: log
-- Events between two places of the log that a filter leaves, from the first on. What is looked at is bounded by the places.
-- The limit is ops.run_reads.LOG_PAGE.
select e.seq, e.ts, e.type, e.phase, e.level, e.message, e.data
from ops.run_events e
where e.run_id = %(run_id)s and e.seq > %(after)s and e.seq <= %(until)s
  and (%(levels)s::text[] is null or e.level = any (%(levels)s::text[]))
  and (%(but)s::text[] is null or e.type <> all (%(but)s::text[]))
  and (%(phase)s::text is null or e.phase = %(phase)s::text)
  and (%(text)s::text = ''
    or position(%(text)s::text in lower(concat_ws(' ', e.type, e.phase, e.message, e.data::text))) > 0)
order by e.seq
limit 50;

-- name: tail
-- The same from the last one back.
select e.seq, e.ts, e.type, e.phase, e.level, e.message, e.data
from ops.run_events e
where e.run_id = %(run_id)s and e.seq > %(after)s and e.seq <= %(until)s
  and (%(levels)s::text[] is null or e.level = any (%(levels)s::text[]))
  and (%(but)s::text[] is null or e.type <> all (%(but)s::text[]))
  and (%(phase)s::text is null or e.phase = %(phase)s::text)
  and (%(text)s::text = ''
    or position(%(text)s::text in lower(concat_ws(' ', e.type, e.phase, e.message, e.data::text))) > 0)
order by e.seq desc
limit 50;

-- name: lifecycle
-- Who owned it when, from its own log; the first five hundred of such events.
select e.seq, e.ts, e.type, e.phase, e.level, e.message, e.data
from ops.run_events e
where e.run_id = %(run_id)s
  and e.type in (
    'RUN_CREATED', 'RUN_CLAIMED', 'RUN_STARTED', 'LEASE_EXPIRED', 'RUN_REQUEUED', 'CANCEL_REQUESTED', 'RUN_SUCCEEDED',
    'RUN_FAILED', 'RUN_CANCELED')
order by e.seq
limit 500;

-- name: executor_names
select x.id as executor_id, x.name from ops.executors x where x.id = any (%(ids)s::uuid[]);

-- name: acts
-- What people did to it, as far as the caller may read the audit log.
select a.id, a.at, p.slug as project, a.subject, a.acting_role, a.action, a.target, a.before, a.after, a.origin,
  a.access_token_id
from ops.audit_log a
left join ops.projects p on p.id = a.project_id
where a.target = %(target)s
order by a.at desc
limit 100;

-- name: signals
select s.signal, s.value, coalesce(s.data ->> 'said', '') as said, s.recorded_at
from ops.signals s
where s.run_id = %(run_id)s
order by s.signal;

-- name: repeats
-- Runs that repeat this one.
select o.id as run_id, o.trigger, o.status, o.created_at
from ops.runs o
where o.parent_run = %(run_id)s
order by o.created_at desc
limit 20;

-- name: downstream
-- Tables of the same place whose newest version was made, directly or by others, from what the run wrote; at most five steps.
with recursive edges as (
  select e.input_table as source, t.layer || '.' || t.name as "table", t.id as dataset_id, v.run_id, e.input_version
  from ops.runs r
  join ops.datasets t on t.project_id = r.project_id and t.env = r.env
  cross join lateral (
    select v.id, v.run_id from ops.dataset_versions v where v.dataset_id = t.id order by v.version desc limit 1
  ) as v
  join ops.lineage_edges e on e.output_id = v.id
  where r.id = %(run_id)s
), reached as (
  select e."table", e.dataset_id, e.run_id, e.source, e.input_version, 1 as steps
  from edges e
  where e.source = any (%(tables)s::text[])
  union
  select e."table", e.dataset_id, e.run_id, e.source, e.input_version, d.steps + 1
  from reached d
  join edges e on e.source = d."table"
  where d.steps < 5
)
select distinct on (d."table", d.source)
  d."table", d.dataset_id, d.source, d.input_version, d.steps, d.run_id, m.pipeline
from reached d
left join ops.runs m on m.id = d.run_id
order by d."table", d.source, d.steps
limit 200;

-- name: dashboards
-- Dashboards that were published from tables of the run's place. A dashboard is recorded under the name of the dataset in
-- Superset that it is drawn from, and only that one with our table.
select b.name, d.layer || '.' || d.name as "table", d.id as dataset_id, b.superset_id,
  greatest(b.published_at, s.published_at) as published_at
from ops.runs r
cross join unnest(%(tables)s::text[]) as t (name)
join ops.datasets d on d.project_id = r.project_id and d.env = r.env
  and d.layer = split_part(t.name, '.', 1) and d.name = split_part(t.name, '.', 2)
join ops.bi_objects s on s.dataset_id = d.id and s.kind = 'dataset'
join ops.bi_objects b on b.project_id = s.project_id and b.env = s.env and b.kind = 'dashboard' and b.name = s.name
where r.id = %(run_id)s
order by 2, 1
limit 100;
