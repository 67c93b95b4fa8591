-- The steward's own calls.

-- name: mark_lost_executors
select ops.mark_lost_executors(p_stale_seconds => %(stale_seconds)s);

-- name: score_ended_runs
select ops.score_ended_runs(p_limit => %(limit)s, p_within => %(within)s);

-- name: prune
select ops.prune(p_keep => %(keep)s);

-- name: ensure_event_partitions
select ops.ensure_event_partitions();
