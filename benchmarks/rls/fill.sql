-- An installation after years: %(runs)s runs in %(projects)s projects, straight into the tables. One run of 97 failed, and says
-- why in words of which one of 7 is told apart.
select ops.ensure_project('bench', 'p' || n) from generate_series(1, %(projects)s) as n;
insert into ops.runs (
  id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, available_at, created_at,
  finished_at, error_code, error_message, tags)
select private.new_id(), p.ids[1 + i %% %(projects)s], (array['dev', 'stage', 'prod'])[1 + i %% 3],
  (array['orders', 'ledger', 'stock', 'people'])[1 + i / %(projects)s %% 4], 1, '{}', 's', 'g',
  case when i %% 97 = 0 then 'failed' else 'succeeded' end, i, at, at, at,
  case when i %% 97 = 0 then 'PHASE_FAILED' end,
  case when i %% 97 = 0 then 'column w' || (i / 97) %% 7 || ' is gone from the source' end, '{}'
from generate_series(1, %(runs)s) as i
cross join (select array_agg(id order by id) as ids from ops.projects) as p
cross join lateral (select clock_timestamp() - (%(runs)s - i) * interval '10 seconds' as at) as t
order by i;
