-- Verifications of runs.

-- name: verify_run
select ops.verify_run(p_run_id => %(run_id)s);

-- name: verified_run
select ops.verified_run(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s);

-- name: last_of
-- The newest verification of a run.
select v.id as run_id, v.status, v.created_at, v.finished_at, v.error_code, v.error_message
from ops.runs v
where v.parent_run = %(run_id)s and v.trigger = 'verify'
order by v.created_at desc, v.id desc
limit 1;
