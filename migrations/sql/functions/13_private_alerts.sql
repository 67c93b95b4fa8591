-- Alerts: rules are asked about each run once, in the transaction that gives it its score, and what follows – an alert, its
-- messages – is written in the same one. So whatever is killed, a run that was scored was judged, and what was judged is told.

create or replace function private.breaches(p_value float8, p_comparison text, p_threshold float8) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case p_comparison
    when '<' then p_value < p_threshold
    when '<=' then p_value <= p_threshold
    when '>' then p_value > p_threshold
    else p_value >= p_threshold
  end
$$;

-- What a rule looks at in one run: a signal of it, its score, or whether it failed. Null: the run says nothing of it.
create or replace function private.rule_value(p_signal text, p_run_id uuid) returns float8
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case p_signal
    when 'run_failed' then (select (r.status = 'failed')::int::float8 from ops.runs r where r.id = p_run_id and r.status <> 'canceled')
    when 'score' then (select s.score::float8 from ops.run_scores s where s.run_id = p_run_id)
    else (select s.value from ops.signals s where s.run_id = p_run_id and s.signal = p_signal)
  end
$$;

-- The rule's value at a run: over the runs of its group that ended within its window, this one among them.
create or replace function private.rule_aggregate(p_rule ops.alert_rules, p_run ops.runs) returns float8
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_rule.aggregate = 'last' then
    return private.rule_value(p_rule.signal, p_run.id);
  end if;
  return (
    select case p_rule.aggregate
      when 'max' then max(value)
      when 'min' then min(value)
      when 'avg' then avg(value)
      when 'count' then count(*) filter (where value > 0)
      else (count(*) filter (where value > 0))::float8 / count(*)
    end
    from (
      select private.rule_value(p_rule.signal, r.id) as value
      from ops.runs r
      where r.project_id = p_run.project_id and r.env = p_run.env and r.trigger <> 'query'
        and (p_rule.group_by = 'project' or r.pipeline = p_run.pipeline)
        and (p_rule.pipeline is null or r.pipeline = p_rule.pipeline)
        and r.created_at > p_run.finished_at - p_rule.within - interval '1 day'
        and r.finished_at > p_run.finished_at - p_rule.within and r.finished_at <= p_run.finished_at
    ) as v
    where value is not null
    having count(*) > 0);
end
$$;

-- Whether the group's runs before this one breached as well, as often in a row as the rule wants. Looks at what they said alone.
create or replace function private.breached_before(p_rule ops.alert_rules, p_run ops.runs) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select count(*) = p_rule.consecutive - 1
  from (
    select private.rule_value(p_rule.signal, r.id) as value
    from ops.runs r
    where r.project_id = p_run.project_id and r.env = p_run.env and r.trigger <> 'query'
      and (p_rule.group_by = 'project' or r.pipeline = p_run.pipeline)
      and (r.created_at, r.id) < (p_run.created_at, p_run.id) and r.status in ('succeeded', 'failed')
    order by r.created_at desc, r.id desc
    limit p_rule.consecutive - 1
  ) as v
  where private.breaches(value, p_rule.comparison, p_rule.threshold)
$$;

create or replace function private.judge_run(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run ops.runs;
  v_rule ops.alert_rules;
  v_value float8;
  v_group text;
begin
  select * into strict v_run from ops.runs where id = p_run_id;
  for v_rule in
    select a.*
    from ops.alert_rules a
    where a.project_id = v_run.project_id and a.enabled and a.dataset is null
      and a.signal not in ('freshness', 'queue_age')
      and (a.env is null or a.env = v_run.env) and (a.pipeline is null or a.pipeline = v_run.pipeline)
    order by a.id
  loop
    v_value := private.rule_aggregate(v_rule, v_run);
    continue when v_value is null;
    v_group := case v_rule.group_by when 'pipeline' then v_run.pipeline else 'project' end;
    if private.breaches(v_value, v_rule.comparison, v_rule.threshold) then
      if v_rule.consecutive = 1 or private.breached_before(v_rule, v_run) then
        perform private.open_alert(
          v_rule, v_run.env, v_group, null, v_value, v_run.id, v_run.finished_at,
          coalesce(
            (select s.data ->> 'said' from ops.signals s where s.run_id = p_run_id and s.signal = case v_rule.signal
              when 'run_failed' then 'outcome' else v_rule.signal end),
            (select s.sentence from ops.run_scores s where s.run_id = p_run_id), ''));
      end if;
    elsif not private.breaches(v_value, v_rule.comparison, coalesce(v_rule.clear_threshold, v_rule.threshold)) then
      perform private.resolve_alerts(v_rule.id, v_run.env, v_group, null, v_run.finished_at, pg_catalog.clock_timestamp());
    end if;
  end loop;
end
$$;

-- Opens an alert of the rule's group, or notes in the open one that it goes on. What is older than what it was last seen in
-- changes nothing.
create or replace function private.open_alert(
  p_rule ops.alert_rules, p_env text, p_group text, p_source uuid, p_value float8, p_run_id uuid, p_seen_at timestamptz,
  p_said text
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_alert ops.alerts;
begin
  update ops.alerts a
  set value = p_value, run_id = coalesce(p_run_id, a.run_id), seen_at = p_seen_at, said = p_said
  where a.rule_id = p_rule.id and a.env = p_env and a.group_key = p_group and a.state <> 'resolved' and a.seen_at <= p_seen_at;
  -- Resolved by a later run: this one was judged late, and nobody needs to be woken for what is over.
  insert into ops.alerts as a (
    project_id, rule_id, env, group_key, source_id, severity, title, said, value, run_id, seen_at, opened_at, escalates_at)
  select p_rule.project_id, p_rule.id, p_env, p_group, p_source, p_rule.severity,
    pg_catalog.format('%s: %s in %s', p_rule.name, p_group, p_env), p_said, p_value, p_run_id, p_seen_at, v_now,
    v_now + private.escalation_wait(private.route_of(p_rule, p_env, p_group), 0)
  where not exists (
    select from ops.alerts o
    where o.rule_id = p_rule.id and o.env = p_env and o.group_key = p_group and o.state <> 'resolved')
    and not exists (select from ops.alerts o where o.rule_id = p_rule.id and o.source_id = p_source)
  on conflict do nothing
  returning * into v_alert;
  if v_alert.id is not null then
    perform private.notify_of(v_alert, p_rule, 'opened', 0);
  end if;
  return v_alert.id;
end
$$;

create or replace function private.resolve_alerts(
  p_rule_id uuid, p_env text, p_group text, p_source uuid, p_seen_at timestamptz, p_now timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alert ops.alerts;
begin
  for v_alert in
    update ops.alerts a
    set state = 'resolved', resolved_at = p_now, escalates_at = null
    where a.rule_id = p_rule_id and a.env = p_env and a.group_key = p_group and a.state <> 'resolved'
      and a.source_id is not distinct from p_source and a.seen_at <= p_seen_at
    returning *
  loop
    perform private.notify_of(v_alert, r, 'resolved', v_alert.escalation_level)
    from ops.alert_rules r where r.id = v_alert.rule_id;
  end loop;
end
$$;

-- The row of the routing matrix for an alert: the first by priority whose match is contained in its facts.
create or replace function private.route_of(p_rule ops.alert_rules, p_env text, p_group text) returns ops.routing_matrix
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select m.*
  from ops.routing_matrix m
  where pg_catalog.jsonb_build_object(
      'area', p_rule.area, 'severity', p_rule.severity, 'env', p_env, 'group', p_group, 'rule', p_rule.name,
      'tag', p_rule.tag,
      'project', (select p.slug from ops.projects p where p.id = p_rule.project_id),
      'org', (select o.slug from ops.projects p join ops.orgs o on o.id = p.org_id where p.id = p_rule.project_id)
    ) @> m.match
  order by m.priority, m.area
  limit 1
$$;

-- How long to wait before step p_level + 1, null where there is none. Steps are {"after_minutes": …, "to": owner, "channels": […]}.
create or replace function private.escalation_wait(p_route ops.routing_matrix, p_level int) returns interval
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select (p_route.escalation -> p_level ->> 'after_minutes')::float8 * interval '1 minute'
$$;

-- Who is told at a level: at first the row's channels and its primary owner's, then those of each step; "primary" and
-- "secondary" stand for the row's owners.
create or replace function private.channels_of(p_route ops.routing_matrix, p_level int) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with asked as (
    select case p_level when 0 then p_route.channels else array(
        select pg_catalog.jsonb_array_elements_text(coalesce(p_route.escalation -> (p_level - 1) -> 'channels', '[]')))
      end as names,
      case p_level
        when 0 then p_route.primary_owner
        else case p_route.escalation -> (p_level - 1) ->> 'to'
          when 'primary' then p_route.primary_owner
          when 'secondary' then p_route.secondary_owner
          else p_route.escalation -> (p_level - 1) ->> 'to'
        end
      end as owner
  )
  select coalesce(array_agg(c.name order by c.name), '{}')
  from ops.channels c, asked
  where c.name = any (asked.names) or c.owner = asked.owner
$$;

-- Writes the messages of one step, one a channel. Where no channel is set up the alert says so by itself: it has no message.
create or replace function private.notify_of(p_alert ops.alerts, p_rule ops.alert_rules, p_kind text, p_level int) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_route ops.routing_matrix := private.route_of(p_rule, p_alert.env, p_alert.group_key);
begin
  if p_kind = 'resolved' then
    -- Who was spared by a silence that it began need not be told that it is over; whom a message only has not reached yet, is.
    update ops.notifications n set state = 'dropped', last_error = 'over before the silence was'
    where n.alert_id = p_alert.id and n.state = 'pending' and n.batch_id is null
      and private.silenced(p_alert.id, n.created_at);
    insert into ops.notifications (
      project_id, rule_id, run_id, alert_id, kind, severity, title, body, channel, escalation_level, due_at)
    select distinct n.project_id, n.rule_id, p_alert.run_id, p_alert.id, 'resolved', 'info', 'Resolved – ' || p_alert.title,
      '', n.channel, p_level, v_now + p_rule.gather_seconds * interval '1 second'
    from ops.notifications n
    where n.alert_id = p_alert.id and n.kind <> 'resolved' and n.state <> 'dropped';
    return;
  end if;
  insert into ops.notifications (
    project_id, rule_id, run_id, alert_id, kind, severity, title, body, channel, escalation_level, due_at)
  select p_alert.project_id, p_alert.rule_id, p_alert.run_id, p_alert.id, p_kind,
    case when p_level > 0 then 'critical' else p_alert.severity end,
    case when p_level > 0 then 'Escalated – ' || p_alert.title else p_alert.title end,
    pg_catalog.concat_ws(e'\n', nullif(p_alert.said, ''), 'run ' || p_alert.run_id, 'owner ' || v_route.primary_owner),
    channel, p_level, v_now + p_rule.gather_seconds * interval '1 second'
  from pg_catalog.unnest(private.channels_of(v_route, p_level)) as channel;
end
$$;

create or replace function private.silenced(p_alert_id uuid, p_now timestamptz) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from ops.alerts a join ops.silences s on s.project_id = a.project_id
    where a.id = p_alert_id and p_now >= s.starts_at and p_now < s.ends_at
      and (s.env is null or s.env = a.env) and (s.rule_id is null or s.rule_id = a.rule_id)
      and (s.group_key is null or s.group_key = a.group_key))
$$;
