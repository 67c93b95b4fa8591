-- People and alerts: acknowledge, mute, rules, channels, routing.

create or replace function ops.acknowledge_alert(p_alert_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alert ops.alerts;
begin
  select * into v_alert from ops.alerts where id = p_alert_id for update;
  perform private.require_role(v_alert.project_id, v_alert.env, 'operator');
  if v_alert.state <> 'open' then
    return;
  end if;
  update ops.alerts
  set state = 'acknowledged', acknowledged_at = pg_catalog.clock_timestamp(),
    acknowledged_by = coalesce(private.subject(), private.caller_role()), escalates_at = null
  where id = p_alert_id;
  update ops.notifications
  set acknowledged_at = pg_catalog.clock_timestamp(), acknowledged_by = coalesce(private.subject(), private.caller_role())
  where alert_id = p_alert_id and acknowledged_at is null;
  perform private.audit(null, v_alert.project_id, 'alerts.acknowledge', p_alert_id::text, null, null);
end
$$;

-- No messages from p_starts_at (now) to p_ends_at: of a project, or of an environment, a rule, a group of it.
create or replace function ops.silence_alerts(
  p_project_id uuid, p_kind text, p_ends_at timestamptz, p_reason text, p_starts_at timestamptz default null,
  p_env text default null, p_rule text default null, p_group_key text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rule uuid;
  v_id uuid;
  v_env text;
begin
  foreach v_env in array coalesce(array[p_env], '{dev,stage,prod}') loop
    perform private.require_role(p_project_id, coalesce(v_env, 'prod'), 'operator');
  end loop;
  perform private.require(p_reason, 'p_reason');
  if p_ends_at is null or p_ends_at <= coalesce(p_starts_at, pg_catalog.clock_timestamp()) then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_ends_at is %s; give a moment after the beginning', coalesce(p_ends_at::text, 'missing'));
  end if;
  if p_rule is not null then
    select id into v_rule from ops.alert_rules where project_id = p_project_id and name = p_rule;
    if not found then
      raise exception using errcode = 'CR004', message = pg_catalog.format('there is no alert rule %L; check the name', p_rule);
    end if;
  end if;
  insert into ops.silences (project_id, kind, env, rule_id, group_key, starts_at, ends_at, reason, created_by)
  values (
    p_project_id, p_kind, p_env, v_rule, p_group_key, coalesce(p_starts_at, pg_catalog.clock_timestamp()), p_ends_at, p_reason,
    coalesce(private.subject(), private.caller_role()))
  returning id into v_id;
  return v_id;
end
$$;

create or replace function ops.end_silence(p_silence_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one ops.silences;
begin
  select * into v_one from ops.silences where id = p_silence_id for update;
  perform private.require_role(v_one.project_id, coalesce(v_one.env, 'prod'), 'operator');
  if v_one.ends_at > pg_catalog.clock_timestamp() then
    update ops.silences
    set ends_at = greatest(pg_catalog.clock_timestamp(), starts_at + interval '1 microsecond')
    where id = p_silence_id;
  end if;
end
$$;

-- Makes or changes a rule by its name. p_rule holds columns of ops.alert_rules; what is left out has its default.
create or replace function ops.put_alert_rule(p_project_id uuid, p_name text, p_rule jsonb) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := '{signal,comparison,threshold,clear_threshold,within,aggregate,consecutive,group_by,severity,tag,'
    'area,env,pipeline,dataset,gather_seconds,description,enabled}';
  v_unknown text;
  v_rule ops.alert_rules;
  v_id uuid;
begin
  perform private.require_role(p_project_id, 'prod', 'editor');
  perform private.require(p_name, 'p_name');
  select pg_catalog.string_agg(key, ', ' order by key) into v_unknown
  from pg_catalog.jsonb_object_keys(p_rule) as key where key <> all (v_known);
  if v_unknown is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_rule: %s is none of a rule; known are %s', v_unknown, pg_catalog.array_to_string(v_known, ', '));
  end if;
  select * into v_rule from ops.alert_rules where project_id = p_project_id and name = p_name;
  if not found and not p_rule ?& '{signal,comparison,threshold}' then
    raise exception using errcode = 'CR007', message = 'p_rule: a new rule needs signal, comparison and threshold';
  end if;
  v_rule := pg_catalog.jsonb_populate_record(
    case when v_rule.id is null then private.blank_rule(p_project_id, p_name) else v_rule end, p_rule);
  insert into ops.alert_rules as a select v_rule.*
  on conflict (project_id, name) do update
  set signal = excluded.signal, comparison = excluded.comparison, threshold = excluded.threshold,
    clear_threshold = excluded.clear_threshold, within = excluded.within, aggregate = excluded.aggregate,
    consecutive = excluded.consecutive, group_by = excluded.group_by, severity = excluded.severity, tag = excluded.tag,
    area = excluded.area, env = excluded.env, pipeline = excluded.pipeline, dataset = excluded.dataset,
    gather_seconds = excluded.gather_seconds, description = excluded.description, enabled = excluded.enabled
  returning a.id into v_id;
  return v_id;
exception
  when check_violation or not_null_violation or invalid_text_representation or datetime_field_overflow
    or invalid_datetime_format then
    raise exception using errcode = 'CR007', message = 'p_rule: ' || sqlerrm;
end
$$;

create or replace function private.blank_rule(p_project_id uuid, p_name text) returns ops.alert_rules
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rule ops.alert_rules;
begin
  v_rule.id := private.new_id();
  v_rule.project_id := p_project_id;
  v_rule.name := p_name;
  v_rule.within := '1 hour';
  v_rule.severity := 'warning';
  v_rule.tag := '';
  v_rule.enabled := true;
  v_rule.aggregate := 'last';
  v_rule.consecutive := 1;
  v_rule.group_by := 'pipeline';
  v_rule.area := 'pipelines';
  v_rule.gather_seconds := 5;
  v_rule.built_in := false;
  v_rule.description := '';
  return v_rule;
end
$$;

create or replace function ops.remove_alert_rule(p_project_id uuid, p_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, 'prod', 'editor');
  delete from ops.alert_rules where project_id = p_project_id and name = p_name and not built_in;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no alert rule %L that could be removed; what comes with the installation is switched off instead', p_name);
  end if;
end
$$;

-- Channels and routing are the installation's.
create or replace function ops.put_channel(
  p_name text, p_secret text, p_owner text default null, p_description text default ''
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_installation_admin();
  if p_secret is null or p_secret not like 'secret://%' then
    raise exception using errcode = 'CR007', message =
      'p_secret must be a reference: an address holds a password; store it and write secret://file/NAME or secret://env/NAME';
  end if;
  insert into ops.channels (name, secret, owner, description, created_by)
  values (p_name, p_secret, p_owner, coalesce(p_description, ''), private.subject())
  on conflict (name) do update
  set secret = excluded.secret, owner = excluded.owner, description = excluded.description;
exception
  when check_violation then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_name is %L; write small letters, digits, - and _', p_name);
end
$$;

create or replace function ops.remove_channel(p_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_installation_admin();
  delete from ops.channels where name = p_name;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no channel %L; check the name', p_name);
  end if;
end
$$;

-- A message to a channel, to see whether it arrives.
create or replace function ops.test_channel(p_project_id uuid, p_name text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform private.require_role(p_project_id, 'prod', 'operator');
  if not exists (select from ops.channels where name = p_name) then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no channel %L; check the name', p_name);
  end if;
  insert into ops.notifications (project_id, kind, severity, title, body, channel)
  values (p_project_id, 'test', 'info', 'A test of channel ' || p_name,
    'Asked for by ' || coalesce(private.subject(), private.caller_role()), p_name)
  returning id into v_id;
  return v_id;
end
$$;

-- A row of the routing matrix, by its area. p_row holds columns of it; what is left out stays, or has its default.
create or replace function ops.put_route(p_area text, p_row jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row ops.routing_matrix;
  v_wrong text;
begin
  perform private.require_installation_admin();
  perform private.require(p_area, 'p_area');
  select pg_catalog.string_agg(key, ', ' order by key) into v_wrong
  from pg_catalog.jsonb_object_keys(p_row) as key
  where key <> all ('{match,primary_owner,secondary_owner,channels,escalation,surface,priority}'::text[]);
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format('p_row: %s is none of a route', v_wrong);
  end if;
  select pg_catalog.string_agg(step::text, ', ') into v_wrong
  from pg_catalog.jsonb_array_elements(coalesce(p_row -> 'escalation', '[]')) as step
  where pg_catalog.jsonb_typeof(step -> 'after_minutes') is distinct from 'number' or not step ?| '{to,channels}';
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_row.escalation: %s; a step is {"after_minutes": 30, "to": "secondary"}, or with "channels": […]', v_wrong);
  end if;
  select * into v_row from ops.routing_matrix where area = p_area;
  if not found then
    v_row.id := private.new_id();
    v_row.area := p_area;
    v_row.match := '{}';
    v_row.primary_owner := '';
    v_row.secondary_owner := '';
    v_row.channels := '{}';
    v_row.escalation := '[]';
    v_row.surface := '';
    v_row.priority := 100;
  end if;
  v_row := pg_catalog.jsonb_populate_record(v_row, p_row);
  insert into ops.routing_matrix as m select v_row.*
  on conflict (area) do update
  set match = excluded.match, primary_owner = excluded.primary_owner, secondary_owner = excluded.secondary_owner,
    channels = excluded.channels, escalation = excluded.escalation, surface = excluded.surface, priority = excluded.priority;
end
$$;

-- What every project is watched by; a team changes or switches off what it does not want.
create or replace function private.add_default_rules(p_project_id uuid) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.alert_rules (
    project_id, name, signal, comparison, threshold, clear_threshold, severity, area, group_by, built_in, description)
  values
    (p_project_id, 'Run failed', 'run_failed', '>=', 1, null, 'critical', 'pipelines', 'pipeline', true,
      'The latest run of a pipeline failed for good.'),
    (p_project_id, 'Score is low', 'score', '<', 70, 80, 'warning', 'pipelines', 'pipeline', true,
      'Something of a run is out of the ordinary: its sentence says what.'),
    (p_project_id, 'Data is late', 'freshness', '>=', 1, null, 'warning', 'pipelines', 'pipeline', true,
      'A dataset is older than its freshness rule allows.'),
    (p_project_id, 'Executors are lost', 'lost_leases', '>=', 2, null, 'warning', 'executor', 'project', true,
      'Runs lose their executors.'),
    (p_project_id, 'Queue stands still', 'queue_age', '>=', 900, 60, 'warning', 'executor', 'project', true,
      'A run has waited for a quarter of an hour.')
  on conflict (project_id, name) do nothing
$$;

create or replace function private.watch_new_project() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.add_default_rules(new.id);
  return null;
end
$$;
