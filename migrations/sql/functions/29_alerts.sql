-- The steward's and the courier's part: what no run tells, escalations, and the ledger of messages.

-- Rules over datasets and queues; each breach of freshness is told once, by its own id.
create or replace function ops.judge_standing() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_opened int := 0;
begin
  for v_one in
    select a as rule, b.id as breach, b.env, b.dataset, b.dataset || case b.level when 'error' then ' (error)' else '' end as place, b.level, b.clock, b.noticed_at, b.ended_at
    from ops.alert_rules a
    join ops.freshness_breaches b on b.project_id = a.project_id
    where a.enabled and a.signal = 'freshness' and (a.env is null or a.env = b.env)
      and (a.dataset is null or a.dataset = b.dataset)
      and private.breaches(case b.level when 'error' then 2 else 1 end, a.comparison, a.threshold)
      and (b.ended_at is null and not exists (select from ops.alerts o where o.rule_id = a.id and o.source_id = b.id)
        or b.ended_at is not null and exists (
          select from ops.alerts o where o.rule_id = a.id and o.source_id = b.id and o.state <> 'resolved')
        -- Over before anybody looked: it is told all the same, and told to be over.
        or b.ended_at > pg_catalog.clock_timestamp() - interval '1 day'
          and not exists (select from ops.alerts o where o.rule_id = a.id and o.source_id = b.id))
    order by b.noticed_at, b.id
  loop
    if private.open_alert(
      v_one.rule, v_one.env, v_one.place, v_one.breach, case v_one.level when 'error' then 2 else 1 end, null,
      v_one.noticed_at, pg_catalog.format('the data of %s is from %s', v_one.dataset,
        to_char(v_one.clock at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'))) is not null then
      v_opened := v_opened + 1;
    end if;
    if v_one.ended_at is not null then
      perform private.resolve_alerts(
        (v_one.rule).id, v_one.env, v_one.place, v_one.breach, 'infinity', pg_catalog.clock_timestamp());
    end if;
  end loop;
  for v_one in
    select a as rule, q.env, q.age
    from ops.alert_rules a
    cross join lateral (
      select e.env, coalesce(extract(epoch from pg_catalog.clock_timestamp() - (
          select min(r.available_at)
          from ops.runs r
          where r.status = 'queued' and r.project_id = a.project_id and r.env = e.env
            and r.available_at <= pg_catalog.clock_timestamp()))::float8, 0) as age
      from pg_catalog.unnest('{dev,stage,prod}'::text[]) as e (env)
      where a.env is null or a.env = e.env
    ) as q
    where a.enabled and a.signal = 'queue_age'
    order by a.id, q.env
  loop
    if private.breaches(v_one.age, (v_one.rule).comparison, (v_one.rule).threshold) then
      if private.open_alert(
        v_one.rule, v_one.env, 'project', null, v_one.age, null, pg_catalog.clock_timestamp(),
        'the oldest queued run has waited for ' || private.span_words(v_one.age)) is not null then
        v_opened := v_opened + 1;
      end if;
    elsif not private.breaches(
      v_one.age, (v_one.rule).comparison, coalesce((v_one.rule).clear_threshold, (v_one.rule).threshold)) then
      perform private.resolve_alerts(
        (v_one.rule).id, v_one.env, 'project', null, 'infinity', pg_catalog.clock_timestamp());
    end if;
  end loop;
  return v_opened;
end
$$;

-- Takes alerts that nobody acknowledged in time to the next step; each step once.
create or replace function private.escalate(p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alert ops.alerts;
  v_rule ops.alert_rules;
  v_count int := 0;
begin
  for v_alert in
    select a.* from ops.alerts a
    where a.state = 'open' and a.escalates_at <= p_now and not private.silenced(a.id, p_now)
    order by a.escalates_at, a.id
    for update skip locked
    limit 500
  loop
    select * into strict v_rule from ops.alert_rules where id = v_alert.rule_id;
    update ops.alerts
    set escalation_level = escalation_level + 1,
      escalates_at = p_now + private.escalation_wait(
        private.route_of(v_rule, v_alert.env, v_alert.group_key), v_alert.escalation_level + 1)
    where id = v_alert.id
    returning * into v_alert;
    perform private.notify_of(v_alert, v_rule, 'escalated', v_alert.escalation_level);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

create or replace function ops.escalate_alerts() returns int
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  select private.escalate(pg_catalog.clock_timestamp())
$$;

-- Hands out messages to be sent, each to one courier until its lease ends. All that is due for one channel goes as one batch, at
-- most fifty; a batch that was tried before stays as it was, so that a repeat is the same message under the same id.
create or replace function ops.claim_messages(p_lease_seconds float8 default 60)
returns table (
  notification_id uuid, batch_id uuid, channel text, secret text, alert_id uuid, run_id uuid, kind text, severity text,
  title text, body text, attempts int, created_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_first ops.notifications;
  v_batch uuid;
begin
  -- One courier at a time: two at once would share a batch between them.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.claim_messages', 0));
  loop
    select n.* into v_first
    from ops.notifications n
    where n.state = 'pending' and n.due_at <= v_now and (n.leased_until is null or n.leased_until <= v_now)
      and (n.alert_id is null or not private.silenced(n.alert_id, v_now))
    order by n.due_at, n.id
    for update skip locked
    limit 1;
    if not found then
      return;
    end if;
    -- What was held back by a silence until it was over needs nobody any more, nor does the next step where somebody sees to it.
    -- All else is told, however late.
    exit when v_first.kind in ('test', 'resolved') or v_first.batch_id is not null or not exists (
      select from ops.alerts a
      where a.id = v_first.alert_id and case v_first.kind
        when 'opened' then a.state = 'resolved' and private.silenced(a.id, v_first.created_at)
        else a.state <> 'open'
      end);
    update ops.notifications set state = 'dropped', last_error = 'over before the silence was, or acknowledged'
    where id = v_first.id;
  end loop;
  v_batch := coalesce(v_first.batch_id, v_first.id);
  return query
    with mine as (
      select n.id
      from ops.notifications n
      where n.state = 'pending'
        and case
          when v_first.batch_id is not null then n.batch_id = v_batch
          else n.batch_id is null and n.channel = v_first.channel and n.due_at <= v_now
            and n.kind = v_first.kind and n.project_id = v_first.project_id
            and (n.alert_id is null or not private.silenced(n.alert_id, v_now))
        end
      order by n.due_at, n.id
      for update
      limit 50
    ), taken as (
      update ops.notifications n
      set batch_id = v_batch, leased_until = v_now + p_lease_seconds * interval '1 second', attempts = n.attempts + 1
      from mine
      where n.id = mine.id
      returning n.*
    )
    select t.id, t.batch_id, t.channel, c.secret, t.alert_id, t.run_id, t.kind, t.severity, t.title, t.body, t.attempts,
      t.created_at
    from taken t left join ops.channels c on c.name = t.channel
    order by t.id;
end
$$;

create or replace function ops.message_delivered(p_batch_id uuid) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.notifications
  set state = 'delivered', delivered_at = pg_catalog.clock_timestamp(), leased_until = null, last_error = ''
  where batch_id = p_batch_id and state = 'pending' and leased_until is not null
$$;

-- Tries again later and later, for three days. p_attempts is what the courier was handed: one whose lease ended long ago must not
-- free what another is sending.
create or replace function ops.message_refused(p_batch_id uuid, p_attempts int, p_error text) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.notifications
  set leased_until = null, last_error = left(p_error, 500),
    due_at = pg_catalog.clock_timestamp() + least(2 ^ least(attempts, 10), 600) * interval '1 second',
    state = case when created_at < pg_catalog.clock_timestamp() - interval '3 days' then 'failed' else 'pending' end
  where batch_id = p_batch_id and attempts = p_attempts and state = 'pending'
$$;
