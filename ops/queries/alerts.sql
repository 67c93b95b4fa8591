-- Alerts: the steward's and courier's calls, then what people ask and do.

-- name: judge_standing
select ops.judge_standing();

-- name: escalate_alerts
select ops.escalate_alerts();

-- name: claim_messages
select notification_id, batch_id, channel, secret, alert_id, run_id, kind, severity, title, body, attempts, created_at
from ops.claim_messages(p_lease_seconds => %(lease_seconds)s);

-- name: message_delivered
select ops.message_delivered(p_batch_id => %(batch_id)s);

-- name: message_refused
select ops.message_refused(p_batch_id => %(batch_id)s, p_attempts => %(attempts)s, p_error => %(error)s);

-- name: alerts
-- Unresolved ones, what nobody sees to and nothing silences first, then what is worse, then the latest; then resolved ones; and the
-- one that is asked for by its id. Unresolved are at most as many as rules have groups: they are ranked before any is left out.
with chosen as (
    select a.* from ops.alerts a where a.state <> 'resolved'
    union
    select l.*
    from ops.projects p
    cross join lateral (
        select a.*
        from ops.alerts a
        where a.project_id = p.id and a.state = 'resolved'
        order by a.opened_at desc, a.id desc
        limit %(resolved)s
    ) as l
    union
    select a.* from ops.alerts a where a.id = %(alert_id)s::uuid
), told as (
    select a.*, s.until as muted_until
    from chosen a
    left join lateral (
        -- What private.silenced asks before a message goes out, of which people may not ask it; a test holds the two together.
        select max(s.ends_at) as until
        from ops.silences s
        where s.project_id = a.project_id and clock_timestamp() >= s.starts_at and clock_timestamp() < s.ends_at
            and (s.env is null or s.env = a.env) and (s.rule_id is null or s.rule_id = a.rule_id)
            and (s.group_key is null or s.group_key = a.group_key)
    ) as s on a.state <> 'resolved'
), placed as (
    select
        t.*, row_number() over (
            partition by t.state = 'resolved'
            order by
                t.state <> 'resolved' and (t.state <> 'open' or t.muted_until is not null),
                case when t.state <> 'resolved' then array_position('{critical,warning,info}'::text[], t.severity) end,
                t.opened_at desc, t.id desc
        ) as place
    from told t
)
select
    a.id as alert_id, o.slug as org, p.slug as project, a.env, r.name as rule, a.group_key, a.state, a.severity, a.title,
    a.said, a.value, a.run_id, a.opened_at, a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.escalation_level,
    a.escalates_at, a.muted_until
from placed a
join ops.alert_rules r on r.id = a.rule_id
join ops.projects p on p.id = a.project_id
join ops.orgs o on o.id = p.org_id
where a.id = %(alert_id)s::uuid
    or a.place <= case when a.state = 'resolved' then %(resolved)s else %(unresolved)s end
order by a.state = 'resolved', a.place;

-- name: alert_counts
-- Of all that is not resolved, however much of it is shown. Silences as above.
select
    count(*) filter (where a.state = 'open' and not s.muted and a.severity = 'critical') as critical,
    count(*) filter (where a.state = 'open' and not s.muted and a.severity = 'warning') as warning,
    count(*) filter (where a.state = 'open' and not s.muted and a.severity = 'info') as info,
    count(*) filter (where a.state = 'acknowledged') as acknowledged,
    count(*) filter (where a.state = 'open' and s.muted) as muted
from ops.alerts a
cross join lateral (
    select exists (
        select
        from ops.silences s
        where s.project_id = a.project_id and clock_timestamp() >= s.starts_at and clock_timestamp() < s.ends_at
            and (s.env is null or s.env = a.env) and (s.rule_id is null or s.rule_id = a.rule_id)
            and (s.group_key is null or s.group_key = a.group_key)) as muted
) as s
where a.state <> 'resolved';

-- name: find_alerts
select a.id
from ops.alerts a
where a.id::text like %(text)s || '%%' or a.id::text like '%%' || %(text)s
limit 2;

-- name: message_page
-- The ledger, the latest first, behind %(at)s and %(notification_id)s. A state is looked for among the next %(depth)s messages of
-- each project: no index knows it.
select
    n.id as notification_id, n.batch_id, n.alert_id, n.kind, n.channel, n.state, n.severity, n.title, n.attempts, n.created_at,
    n.due_at, n.delivered_at, n.last_error, n.escalation_level
from ops.projects p
cross join lateral (
    select w.*
    from (
        select l.*
        from ops.notifications l
        where l.project_id = p.id
            and (l.created_at, l.id) < (%(at)s::timestamptz, %(notification_id)s::uuid)
        order by l.created_at desc, l.id desc
        limit %(depth)s
    ) as w
    where %(state)s::text is null or w.state = %(state)s::text
    order by w.created_at desc, w.id desc
    limit %(limit)s
) as n
order by n.created_at desc, n.id desc
limit %(limit)s;

-- name: messages
select
    n.id as notification_id, n.batch_id, n.alert_id, n.kind, n.channel, n.state, n.severity, n.title, n.attempts, n.created_at,
    n.due_at, n.delivered_at, n.last_error, n.escalation_level
from ops.notifications n
where %(alert_id)s::uuid is null or n.alert_id = %(alert_id)s::uuid
order by n.created_at desc, n.id desc
limit %(limit)s;

-- name: message
select
    n.id as notification_id, n.batch_id, n.alert_id, n.kind, n.channel, n.state, n.severity, n.title, n.attempts, n.created_at,
    n.due_at, n.delivered_at, n.last_error, n.escalation_level
from ops.notifications n
where n.id = %(notification_id)s;

-- name: rules
select
    o.slug as org, p.slug as project, r.name, r.signal, r.comparison, r.threshold, r.clear_threshold, r.aggregate, r.within,
    r.consecutive, r.env, r.pipeline, r.dataset, r.group_by, r.severity, r.tag, r.area, r.enabled, r.built_in, r.description
from ops.alert_rules r
join ops.projects p on p.id = r.project_id
join ops.orgs o on o.id = p.org_id
order by o.slug, p.slug, r.name;

-- name: channels
select name, secret, owner, description from ops.channels order by name;

-- name: routes
select area, match, primary_owner, secondary_owner, channels, escalation, surface, priority
from ops.routing_matrix
order by priority, area;

-- name: silences
select
    s.id as silence_id, o.slug as org, p.slug as project, s.kind, s.env, r.name as rule, s.group_key, s.starts_at, s.ends_at,
    s.reason, s.created_by
from ops.silences s
join ops.projects p on p.id = s.project_id
join ops.orgs o on o.id = p.org_id
left join ops.alert_rules r on r.id = s.rule_id
where s.ends_at > clock_timestamp()
order by s.ends_at, s.id;

-- name: acknowledge_alert
select ops.acknowledge_alert(p_alert_id => %(alert_id)s);

-- name: silence_alerts
select ops.silence_alerts(
    p_project_id => %(project_id)s, p_kind => %(kind)s,
    p_ends_at => coalesce(%(starts_at)s::timestamptz, clock_timestamp()) + %(length)s::interval, p_reason => %(reason)s,
    p_starts_at => %(starts_at)s, p_env => %(env)s, p_rule => %(rule)s, p_group_key => %(group_key)s
);

-- name: end_silence
select ops.end_silence(p_silence_id => %(silence_id)s);

-- name: put_alert_rule
select ops.put_alert_rule(p_project_id => %(project_id)s, p_name => %(name)s, p_rule => %(rule)s);

-- name: remove_alert_rule
select ops.remove_alert_rule(p_project_id => %(project_id)s, p_name => %(name)s);

-- name: put_channel
select ops.put_channel(
    p_name => %(name)s, p_secret => %(secret)s, p_owner => %(owner)s, p_description => %(description)s
);

-- name: remove_channel
select ops.remove_channel(p_name => %(name)s);

-- name: test_channel
select ops.test_channel(p_project_id => %(project_id)s, p_name => %(name)s);

-- name: put_route
select ops.put_route(p_area => %(area)s, p_row => %(row)s);
