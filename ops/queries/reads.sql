-- What people look at. Row-level security decides which rows a caller sees; nothing here filters for safety.

-- name: project_id
select p.id
from ops.projects p
join ops.orgs o on o.id = p.org_id
where o.slug = %(org)s and p.slug = %(project)s;

-- name: is_member
select exists (select from ops.projects) as is_member;

-- name: list_runs
select
    run_id, org, project, env, pipeline, pipeline_version, status, phase, priority, attempt, max_attempts, trigger, git_sha,
    tags, created_at, started_at, finished_at, error_code, error_message
from ops.find_runs(%(filter)s, %(limit)s, %(before_at)s, %(before_id)s);

-- name: run
select
    r.id as run_id, o.slug as org, p.slug as project, r.env, r.pipeline, r.pipeline_version, r.status,
    coalesce(l.phase, r.phase) as phase, r.priority, r.attempt, r.max_attempts, r.trigger, r.git_sha, r.tags,
    r.created_at, r.started_at, r.finished_at, r.error_code, r.error_message,
    r.project_id, r.spec, r.spec_sha256, r.params, r.input_manifest, r.output_manifest, r.error_data, r.parent_run,
    r.idempotency_key, r.available_at, r.timeout_seconds,
    r.executor_id, l.lease_token, l.expires_at as lease_expires_at, coalesce(l.cancel_requested, false) as cancel_requested,
    s.score, s.breakdown as score_breakdown, coalesce(s.sentence, '') as score_sentence, coalesce(r.root_run, r.id) as root_run
from ops.runs r
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
left join ops.run_leases l on l.run_id = r.id
left join ops.run_scores s on s.run_id = r.id
where r.id = %(run_id)s;

-- name: runs_by_prefix
-- An id's beginning as a range, so that the primary key serves it.
select r.id
from ops.runs r
where r.id between rpad(%(prefix)s, 32, '0')::uuid and rpad(%(prefix)s, 32, 'f')::uuid
limit 2;

-- name: status_counts
-- By project, because the index is; without people's questions, as in every list of runs. What has not ended counts whenever it
-- was created: a queue that nobody works on grows old.
select r.status, sum(r.runs)::bigint as runs
from ops.projects p
cross join lateral (
    select status, count(*) as runs
    from ops.runs
    where project_id = p.id and created_at >= %(since)s and trigger <> 'query'
    group by status
    union all
    -- Of constants, so that the index alone answers.
    select 'queued', count(*)
    from ops.runs
    where project_id = p.id and status = 'queued' and created_at < %(since)s and trigger <> 'query'
    union all
    select status, count(*)
    from ops.runs
    where project_id = p.id and status in ('claimed', 'running') and created_at < %(since)s and trigger <> 'query'
    group by status
) r
group by r.status;

-- name: phases
select
    ph.ordinal, ph.name, ph.kind, ph.depends_on, ph.status, ph.attempt, ph.started_at, ph.finished_at,
    ph.rows_in, ph.rows_out, ph.byte_size, ph.input_fingerprint, ph.output_fingerprint, ph.metrics,
    coalesce(told.progress, l.progress) as progress, ph.error_code, ph.error_message, ph.error_data
from ops.run_phases ph
left join ops.run_leases l on l.run_id = ph.run_id and l.phase = ph.name and ph.status = 'running'
left join lateral (
    -- Backwards along the key: the latest report is among the last events of a run at work.
    select e.data || jsonb_build_object('message', e.message) as progress
    from ops.run_events e
    -- The status in here: as a condition of the join it would be looked at after the log was.
    where ph.status = 'running'
      and e.run_id = ph.run_id and e.type = 'PHASE_PROGRESS' and e.phase = ph.name and e.ts >= ph.started_at
    order by e.seq desc
    limit 1
) told on true
where ph.run_id = %(run_id)s
order by ph.ordinal;

-- name: phase_results
select ph.name, ph.result
from ops.run_phases ph
where ph.run_id = %(run_id)s
order by ph.ordinal;

-- name: check_results
select c.phase, c.rule, c.on_fail, c.ok, c.expected, c.observed, c.checked, c.failed, c.dropped, c.quarantined
from ops.check_results(p_run_id => %(run_id)s) as c;

-- name: phase_effects
select ph.name, coalesce(ph.effect_of, r.root_run, r.id) as effect_of
from ops.run_phases ph
join ops.runs r on r.id = ph.run_id
where ph.run_id = %(run_id)s
order by ph.ordinal;

-- name: events
select e.seq, e.ts, e.type, e.phase, e.level, e.message, e.data
from ops.run_events e
where e.run_id = %(run_id)s and e.seq > %(after_seq)s
order by e.seq
limit %(limit)s;

-- name: artifacts
select a.id as artifact_id, a.phase, a.name, a.kind, a.sha256, a.byte_size, a.content_type, a.uri, a.meta, a.created_at
from ops.run_artifacts a
where a.run_id = %(run_id)s
order by a.created_at, a.name;

-- name: datasets
-- Each dataset with its newest version.
select
    o.slug as org, p.slug as project, d.env, d.layer || '.' || d.name as table, d.layer, d.name, v.version, v.mode, v.rows,
    v.total_rows, v.byte_size, v.fingerprint, v.columns, v.run_id, v.phase, v.adopted, v.recorded_at
from ops.datasets d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
where (%(env)s::text is null or d.env = %(env)s::text)
order by o.slug, p.slug, d.env, d.layer, d.name;

-- name: dataset_versions
-- What a run left in the lake, with what each was made from.
select
    d.layer || '.' || d.name as table, v.version, v.mode, v.rows, v.total_rows, v.byte_size, v.fingerprint, v.columns,
    v.adopted, v.phase, v.recorded_at,
    coalesce(
        (
            select jsonb_agg(
                jsonb_build_object('table', e.input_table, 'version', e.input_version, 'fingerprint', e.input_fingerprint)
                order by e.input_table, e.input_version
            )
            from ops.lineage_edges e
            where e.output_id = v.id
        ),
        '[]'
    ) as inputs
from ops.dataset_versions v
join ops.datasets d on d.id = v.dataset_id
where v.run_id = %(run_id)s
order by v.recorded_at, d.layer, d.name;

-- name: recorded_versions
select d.layer || '.' || d.name as table, array_agg(v.version order by v.version) as versions
from ops.datasets d
join ops.dataset_versions v on v.dataset_id = d.id
where d.project_id = %(project_id)s and d.env = %(env)s
group by d.id;

-- name: executors
select
    x.id as executor_id, x.name, x.capabilities, x.labels, x.slots, x.host, x.version, x.state, x.last_seen,
    (select count(*) from ops.run_leases l where l.executor_id = x.id) as runs
from ops.executors x
where x.last_seen >= %(since)s
order by x.last_seen desc;
