-- The caller's runs, all queued by the RPC that everyone uses; %(phases)s decides what there is to do in each.
select count(ops.create_run(
  p_project_id => %(project_id)s, p_env => 'dev', p_pipeline => 'noop', p_spec => %(spec)s,
  p_spec_sha256 => %(sha256)s, p_git_sha => repeat('0', 40), p_phases => %(phases)s))
from generate_series(1, %(jobs)s);
