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
