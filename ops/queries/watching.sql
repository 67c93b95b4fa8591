-- What is watched from outside of runs: traces, metrics, probes.

-- name: present_traceparent
select set_config('controlroom.traceparent', %(traceparent)s, false);

-- name: run_traceparent
select ops.run_traceparent(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);

-- name: metrics
select ops.metrics();

-- name: steward_round
select ops.steward_round();

-- name: record_evidence
select ops.record_evidence(
  p_capability => %(capability)s, p_probe => %(probe)s, p_ok => %(ok)s, p_evidence => %(evidence)s
);

-- name: probes_due
select ops.probes_due(p_hour => %(hour)s, p_probed => %(probed)s);

-- name: capabilities
select c.ordinal, c.capability, c.databricks, c.target, c.mvp, c.v1, c.v2, c.probe, c.evidence, c.proven_at, c.probed_at, c.failure
from ops.capabilities c
order by c.ordinal;
