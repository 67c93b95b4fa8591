-- An installation after years, straight into the tables: %(runs)s runs of four pipelines in %(projects)s projects, one every ten
-- seconds up to now; the last %(told)s of them with ten events each, as older ones were pruned. One run of 97 failed and says
-- why. Events go into the month that they happened in.
do $$
declare
  v_month date;
begin
  for v_month in
    select m::date
    from generate_series(
      date_trunc('month', clock_timestamp() at time zone 'UTC' - %(told)s * interval '10 seconds'),
      date_trunc('month', clock_timestamp() at time zone 'UTC'), interval '1 month') as m
  loop
    if to_regclass('ops.run_events_' || to_char(v_month, 'YYYY_MM')) is null then
      execute format(
        'create table ops.%%I partition of ops.run_events for values from (%%L) to (%%L)',
        'run_events_' || to_char(v_month, 'YYYY_MM'), v_month::text || ' 00:00:00+00',
        (v_month + interval '1 month')::date::text || ' 00:00:00+00');
      perform private.protect_table('run_events_' || to_char(v_month, 'YYYY_MM'));
      perform private.make_append_only('run_events_' || to_char(v_month, 'YYYY_MM'));
    end if;
  end loop;
end
$$;

select ops.ensure_project('bench', 'p' || n) from generate_series(1, %(projects)s) as n;

insert into ops.pipelines (project_id, slug, version, spec, sha256, git_sha)
select p.id, l.slug, 1, jsonb_build_object('version', 1, 'pipeline', l.slug, 'owner', '@bench', 'phases', (
    select jsonb_agg(jsonb_build_object('name', 'phase_' || n, 'kind', 'noop')) from generate_series(1, 5) as n)),
  'sha256 of ' || l.slug, repeat('0', 40)
from ops.projects p
cross join unnest(array['orders', 'ledger', 'stock', 'people']) as l (slug);

insert into ops.runs (
  id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, available_at, created_at,
  claimed_at, started_at, finished_at, error_code, error_message, tags)
select private.new_id(), p.ids[1 + i %% %(projects)s], (array['dev', 'stage', 'prod'])[1 + i %% 3],
  (array['orders', 'ledger', 'stock', 'people'])[1 + i / %(projects)s %% 4], 1, '{}', 's', repeat('0', 40),
  case when i %% 97 = 0 then 'failed' else 'succeeded' end, i, at, at, at, at, at + interval '7 seconds',
  case when i %% 97 = 0 then 'PHASE_FAILED' end,
  case when i %% 97 = 0 then 'column w' || (i / 97) %% 7 || ' is gone from the source' end, '{}'
from generate_series(1, %(runs)s) as i
cross join (
  select array_agg(p.id order by p.id) as ids from ops.projects p join ops.orgs o on o.id = p.org_id where o.slug = 'bench') as p
cross join lateral (select clock_timestamp() - (%(runs)s - i + 1) * interval '10 seconds' as at) as t
order by i;

insert into ops.run_phases (run_id, ordinal, project_id, name, kind, status, attempt, started_at, finished_at, rows_in, rows_out)
select r.id, n, r.project_id, 'phase_' || n, 'transform', 'succeeded', 1, r.started_at + n * interval '1 second',
  r.started_at + (n + 1) * interval '1 second', 1000, 1000
from (select * from ops.runs order by created_at desc limit 10000) as r
cross join generate_series(1, 5) as n;

insert into ops.run_events (run_id, seq, ts, project_id, type, phase, message, data, hash)
select r.id, n, r.created_at + n * interval '0.5 seconds', r.project_id,
  (array['RUN_CREATED', 'RUN_CLAIMED', 'RUN_STARTED', 'PHASE_STARTED', 'PHASE_PROGRESS', 'PHASE_PROGRESS', 'PHASE_PROGRESS',
    'PHASE_PROGRESS', 'PHASE_SUCCEEDED', 'RUN_SUCCEEDED'])[n],
  case when n between 4 and 9 then 'phase_1' end, '', '{"done": 10, "total": 20}', '\x00'
from (select * from ops.runs order by created_at desc limit %(told)s) as r
cross join generate_series(1, 10) as n
order by r.created_at;

-- From here on as much whatever the number of runs, so that a long history stands beside an ordinary one of the same kind.
-- The latest runs, each with how many of its place are newer.
create temp table recent on commit drop as
  select id, project_id, env, pipeline, status, error_code, error_message, created_at, finished_at,
    row_number() over (partition by project_id, env order by created_at desc) - 1 as newer,
    count(*) over (partition by project_id, env) as there
  from (select * from ops.runs order by created_at desc limit 3000) as r;
create index on recent (project_id, env, newer);
analyze recent;

-- The lake: fifteen tables a layer in each place. silver.orders of p1's dev has a hundred versions, every other table one; each
-- version is made by one of the latest runs, and out of the same table of the layer before.
insert into ops.datasets (project_id, env, layer, name, version, columns, fingerprint, total_rows, updated_at)
select p.project_id, p.env, l.layer, case n when 1 then 'orders' else 'orders_' || n end,
  case when (o.slug, p.env, l.layer, n) = ('p1', 'dev', 'silver', 1) then 100 else 1 end,
  '{"order_id": "int64", "customer": "string", "bought_at": "timestamp", "amount": "decimal(12,2)"}',
  repeat('0', 64), 1000 * n, clock_timestamp()
from (select distinct project_id, env from recent) as p
join ops.projects o on o.id = p.project_id
cross join unnest(array['bronze', 'silver', 'gold']) as l (layer)
cross join generate_series(1, 15) as n;

insert into ops.dataset_versions (
  dataset_id, project_id, version, run_id, phase, lease_token, mode, rows, total_rows, byte_size, fingerprint, columns,
  recorded_at)
select d.id, d.project_id, v, r.id, 'phase_1', 1, 'append', 1000, 1000 * v, 65536, repeat(to_hex(v %% 16), 64),
  case when v < 50 then d.columns - 'amount' else d.columns end,
  clock_timestamp() - (d.version - v) * interval '10 minutes'
from ops.datasets d
cross join generate_series(1, d.version) as v
join recent r on r.project_id = d.project_id and r.env = d.env and r.newer = (d.version - v) %% r.there;

insert into ops.lineage_edges (output_id, project_id, input_table, input_version, input_fingerprint)
select v.id, d.project_id, i.layer || '.' || i.name, i.version, i.fingerprint
from ops.dataset_versions v
join ops.datasets d on d.id = v.dataset_id
join ops.datasets i on i.project_id = d.project_id and i.env = d.env and i.name = d.name
  and (i.layer, d.layer) in (('bronze', 'silver'), ('silver', 'gold'));

-- Alerts of two rules about each pipeline in each place: of five one is open and one acknowledged, the others are over.
insert into ops.alerts (
  project_id, rule_id, env, group_key, state, severity, title, said, value, run_id, seen_at, opened_at, acknowledged_at,
  acknowledged_by, resolved_at, escalates_at)
select a.project_id, a.rule_id, a.env, a.pipeline, a.state, a.severity, a.title, a.said, 1, a.run_id, a.at, a.at,
  case when a.state <> 'open' then a.at + interval '1 minute' end, case when a.state <> 'open' then 'someone' end,
  case when a.state = 'resolved' then a.at + interval '5 minutes' end,
  case when a.state = 'open' then clock_timestamp() + interval '1 hour' end
from (
  select l.project_id, l.env, l.pipeline, l.id as run_id, l.finished_at as at, w.id as rule_id, w.severity,
    w.name || ': ' || l.pipeline as title, w.description as said,
    (array['open', 'acknowledged', 'resolved', 'resolved', 'resolved'])[
      1 + row_number() over (order by l.created_at, l.id, w.name) %% 5] as state
  from (
    select distinct on (project_id, env, pipeline) *
    from recent
    order by project_id, env, pipeline, created_at desc
  ) as l
  join ops.alert_rules w on w.project_id = l.project_id and w.signal in ('run_failed', 'score')
) as a;

-- Signals of the latest runs, and the scores that they make; one run of seven wrote fewer rows than usual.
insert into ops.signals (run_id, signal, project_id, value, data, recorded_at)
select r.id, s.signal, r.project_id, s.value, jsonb_build_object('said', s.said), r.finished_at
from recent r
cross join lateral (
  values
    ('outcome', case r.status when 'succeeded' then 0 else 1e9 end, 'the run ' || r.status),
    ('retries', 0, 'it took one attempt'),
    ('lost_leases', 0, 'no executor was lost'),
    ('duration_anomaly', r.newer %% 5, 'it took about as long as usual'),
    ('row_count_anomaly', case when r.newer %% 7 = 0 then 8 else 1 end,
      case when r.newer %% 7 = 0 then 'it wrote fewer rows than usual' else 'it wrote as many rows as usual' end)
) as s (signal, value, said);

insert into ops.run_scores (run_id, project_id, score, breakdown, computed_at, sentence)
select r.id, r.project_id, t.score, b.parts, r.finished_at, private.score_sentence(t.score, b.parts)
from recent r
-- Not inlined: it would be worked out anew at each place that it stands in.
cross join lateral (select private.score_breakdown(r.id) as parts offset 0) as b
cross join lateral (select sum((part ->> 'points')::numeric) as score from jsonb_array_elements(b.parts) as part) as t;

-- Caps of the whole org and of a project, one of them used up.
insert into ops.caps (key, org_id, project_id, pipeline, unit, amount, period)
select c.key, o.id, p.id, c.pipeline, c.unit, c.amount, c.period
from (
  values
    ('runs_a_day', null, null, 'runs', 20000, 'day'),
    ('at_once', null, null, 'runs', 50, 'concurrent'),
    ('bytes_a_month', null, null, 'bytes', 1e12, 'month'),
    ('rows_a_week', 'p1', null, 'rows', 1e6, 'week'),
    ('ledger_a_month', 'p2', 'ledger', 'runs', 900, 'month')
) as c (key, project, pipeline, unit, amount, period)
join ops.orgs o on o.slug = 'bench'
left join ops.projects p on p.org_id = o.id and p.slug = c.project;

insert into ops.cap_usage (cap_id, project_id, amount, used_at, released_at)
select c.id, c.project_id, c.amount * case c.key when 'rows_a_week' then 1 else 0.4 end, clock_timestamp(), clock_timestamp()
from ops.caps c
join ops.orgs o on o.id = c.org_id
where o.slug = 'bench' and c.period <> 'concurrent';

-- Questions in SQL, forty in each project, one in ten of which has failed; each is a run of its own.
create temp table asked on commit drop as
  select private.new_id() as run_id, p.project_id, (array['dev', 'stage', 'prod'])[1 + n %% 3] as env,
    'select customer, sum(amount) as amount from silver.orders where order_id > ' || n || ' group by customer' as sql,
    n %% 10 = 0 as failed, clock_timestamp() - n * interval '7 minutes' as at
  from (select distinct project_id from recent) as p
  cross join generate_series(1, 40) as n;

insert into ops.runs (
  id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, available_at, created_at,
  claimed_at, started_at, finished_at, error_code, error_message, trigger)
select run_id, project_id, env, 'sql', 1, private.query_spec(sql, 'embedded'), 's', 'sql',
  case when failed then 'failed' else 'succeeded' end, 0, at, at, at, at, at + interval '0.3 seconds',
  case when failed then 'BAD_INPUT' end, case when failed then 'there is no column order_id' end, 'query'
from asked;

insert into ops.run_phases (run_id, ordinal, project_id, name, kind, status, attempt, started_at, finished_at, rows_out)
select run_id, 1, project_id, 'query', 'query', case when failed then 'failed' else 'succeeded' end, 1, at,
  at + interval '0.3 seconds', case when not failed then 250 end
from asked;

insert into ops.queries (run_id, project_id, env, sql, engine, subject, sees_personal, created_at)
select run_id, project_id, env, sql, 'embedded', 'someone', false, at from asked;
