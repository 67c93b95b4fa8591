-- The audit log: who, what, before, after, from where. Tables that people change have a trigger, so that no way of changing
-- them can be forgotten; acts on runs are written by their RPCs.

-- From where: what the server knows of the connection, and what a door (PostgREST, the dashboard) says of its client.
create or replace function private.origin() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'address', pg_catalog.host(pg_catalog.inet_client_addr()),
    'application', nullif(pg_catalog.current_setting('application_name', true), ''),
    'forwarded_for', h.headers ->> 'x-forwarded-for',
    'user_agent', pg_catalog.left(h.headers ->> 'user-agent', 200)))
  from (
    select coalesce(nullif(pg_catalog.current_setting('request.headers', true), ''), '{}')::jsonb as headers
  ) as h
$$;

-- The environment that an act belongs to; null where it belongs to none. Who may not see the environment does not see the act.
create or replace function private.env_of_act(p_action text, p_target text, p_row jsonb) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_row ? 'env' then
    return p_row ->> 'env';
  elsif p_action like 'runs.%' then
    return (select r.env from ops.runs r where r.id = p_target::uuid);
  elsif p_action like 'alerts.%' then
    return (select a.env from ops.alerts a where a.id = p_target::uuid);
  elsif p_action like 'dataset_columns.%' then
    return (select d.env from ops.datasets d where d.id = p_target::uuid);
  elsif p_row ? 'dataset_id' then
    return (select d.env from ops.datasets d where d.id = (p_row ->> 'dataset_id')::uuid);
  end if;
  return null;
end
$$;

create or replace function private.audit(
  p_org_id uuid, p_project_id uuid, p_action text, p_target text, p_before jsonb, p_after jsonb
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.audit_log (
    org_id, project_id, env, subject, acting_role, access_token_id, action, target, before, after, origin)
  values (
    coalesce(p_org_id, (select p.org_id from ops.projects p where p.id = p_project_id)), p_project_id,
    private.env_of_act(p_action, p_target, coalesce(p_after, p_before)), private.subject(), private.caller_role(),
    (select t.id from private.presented_token() as t), p_action, p_target, p_before, p_after, private.origin())
$$;

-- An act on a run, where a person did it: what the installation does by itself is in the run's events.
create or replace function private.audit_run(p_project_id uuid, p_action text, p_run_id uuid, p_facts jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.subject() is not null then
    perform private.audit(null, p_project_id, p_action, p_run_id::text, null, p_facts);
  end if;
end
$$;

-- Arguments: columns that are left out of the record because they are large and named elsewhere by their hash.
create or replace function private.audit_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Null without arguments.
  v_left_out text[] := coalesce(tg_argv, '{}');
  v_before jsonb := case when tg_op <> 'INSERT' then pg_catalog.to_jsonb(old) - v_left_out end;
  v_after jsonb := case when tg_op <> 'DELETE' then pg_catalog.to_jsonb(new) - v_left_out end;
  v_row jsonb := coalesce(v_after, v_before);
begin
  if v_before is not distinct from v_after then
    return null;
  end if;
  perform private.audit(
    coalesce((v_row ->> 'org_id')::uuid, case tg_table_name when 'orgs' then (v_row ->> 'id')::uuid end),
    coalesce((v_row ->> 'project_id')::uuid,
      case tg_table_name when 'projects' then (v_row ->> 'id')::uuid end),
    tg_table_name || '.' || pg_catalog.lower(tg_op),
    coalesce(v_row ->> 'id', v_row ->> 'dataset_id', v_row ->> 'reference', v_row ->> 'signal', v_row ->> 'name'),
    v_before, v_after);
  return null;
end
$$;

create or replace function private.audit_table(p_table text, variadic p_left_out text[] default '{}') returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute pg_catalog.format(
    'create or replace trigger audit after insert or update or delete on ops.%I for each row '
    'execute function private.audit_change(%s)',
    p_table, (select pg_catalog.string_agg(pg_catalog.quote_literal(c), ', ') from pg_catalog.unnest(p_left_out) as c));
end
$$;
