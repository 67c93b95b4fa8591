-- Schedules, their ticks, freshness. Row-level security decides which rows a caller sees.

-- name: put_schedule
select ops.put_schedule(p_project_id => %(project_id)s, p_env => %(env)s, p_slug => %(slug)s, p_definition => %(definition)s);

-- name: pause_schedule
select ops.pause_schedule(p_schedule_id => %(schedule_id)s, p_reason => %(reason)s);

-- name: resume_schedule
select ops.resume_schedule(p_schedule_id => %(schedule_id)s, p_catch_up => %(catch_up)s);

-- name: remove_schedule
select ops.remove_schedule(p_schedule_id => %(schedule_id)s);

-- name: fire_schedule
select ops.fire_schedule(p_schedule_id => %(schedule_id)s, p_key => %(key)s);

-- name: create_webhook_secret
select ops.create_webhook_secret(p_schedule_id => %(schedule_id)s);

-- name: receive_webhook
select ops.receive_webhook(
  p_schedule_id => %(schedule_id)s, p_message_id => %(message_id)s, p_timestamp => %(timestamp)s,
  p_signatures => %(signatures)s, p_body => %(body)s
);

-- name: schedules
select s.id, o.slug as org, p.slug as project, s.env, s.slug, s.pipeline, s.kind, s.cron, s.timezone, s.after_pipeline,
  s.dataset, s.stale_seconds, s.misfire, s.grace_seconds, s.catch_up_limit, s.overlap, s.jitter_seconds, s.params, s.priority,
  s.min_score, s.paused, s.paused_reason, s.paused_by, nullif(s.next_at, 'infinity') as next_at,
  nullif(s.due_at, 'infinity') as due_at, s.last_tick, s.anchored_at
from ops.schedules s
join ops.projects p on p.id = s.project_id
join ops.orgs o on o.id = p.org_id
where (%(project_id)s::uuid is null or s.project_id = %(project_id)s) and (%(env)s::text is null or s.env = %(env)s)
  and (%(slug)s::text is null or s.slug = %(slug)s)
order by o.slug, p.slug, s.env, s.slug;

-- name: newest_spec
select spec from ops.pipelines where project_id = %(project_id)s and slug = %(pipeline)s order by version desc limit 1;

-- name: ticks
select t.id, t.tick, t.through, t.ticks, t.outcome, t.reason, t.run_id, r.status as run_status, t.decided_at
from ops.schedule_ticks t
left join ops.runs r on r.id = t.run_id
where t.schedule_id = %(schedule_id)s
order by t.tick desc, t.id desc
limit %(limit)s;

-- name: due_schedules
select id, revision, cron, timezone, next_at, anchored_at, asked_at from ops.due_schedules(p_limit => %(limit)s);

-- name: decide_clocks
select ops.decide_clocks(p_decisions => %(decisions)s);

-- name: pending_schedules
select p as id from ops.pending_schedules(p_limit => %(limit)s) as p;

-- name: decide_events
select ops.decide_events(p_schedule_id => %(schedule_id)s);

-- name: prune_ticks
select ops.prune_ticks(p_keep => %(keep)s);

-- name: put_freshness_rule
select ops.put_freshness_rule(
  p_project_id => %(project_id)s, p_env => %(env)s, p_dataset => %(dataset)s, p_warn_seconds => %(warn_seconds)s,
  p_error_seconds => %(error_seconds)s, p_event_column => %(event_column)s
);

-- name: remove_freshness_rule
select ops.remove_freshness_rule(p_project_id => %(project_id)s, p_env => %(env)s, p_dataset => %(dataset)s);

-- name: freshness
-- A rule that the steward has not looked at yet has no answer.
select o.slug as org, p.slug as project, r.env, r.dataset, r.warn_seconds, r.error_seconds, r.event_column, f.state, f.since,
  f.clock, f.clock_kind, f.lag_seconds, f.checked_at
from ops.freshness_rules r
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
left join ops.freshness f on f.rule_id = r.id
where %(env)s::text is null or r.env = %(env)s
order by o.slug, p.slug, r.env, r.dataset;

-- name: unread_clocks
select version_id, org, project, env, dataset, version, event_column from ops.unread_clocks(p_limit => %(limit)s);

-- name: record_event_time
select ops.record_event_time(p_version_id => %(version_id)s, p_event_time => %(event_time)s);

-- name: check_freshness
select ops.check_freshness();
