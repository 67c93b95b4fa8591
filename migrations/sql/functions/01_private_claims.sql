-- Who is asking. Claims are those of the transaction (request.jwt.claims); the asking role is the one that was set, also
-- inside a definer function, where current_user is the owner.

create or replace function private.subject() returns text
language sql stable
set search_path = ''
as $$
  select nullif(coalesce(nullif(pg_catalog.current_setting('request.jwt.claims', true), ''), '{}')::jsonb ->> 'sub', '')
$$;

create or replace function private.caller_role() returns text
language sql stable
set search_path = ''
as $$
  select case
    when coalesce(pg_catalog.current_setting('role', true), 'none') in ('none', '') then session_user::text
    else pg_catalog.current_setting('role', true)
  end
$$;

create or replace function private.role_rank(p_role text) returns int
language sql immutable
set search_path = ''
as $$
  select pg_catalog.array_position('{viewer,operator,editor,admin}'::text[], p_role)
$$;

-- Read by policies as one InitPlan: `project_id = any (array(select private.my_projects()))`.
create or replace function private.my_projects(p_role text default 'viewer') returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select p.id
  from ops.memberships m
  join ops.projects p on p.org_id = m.org_id and (m.project_id is null or m.project_id = p.id)
  where m.subject = private.subject() and private.role_rank(m.role) >= private.role_rank(p_role)
$$;

-- The same with the environments that the membership is limited to, as `project/env`.
create or replace function private.my_scopes(p_role text default 'viewer') returns setof text
language sql stable security definer
set search_path = ''
as $$
  select p.id::text || '/' || e.env
  from ops.memberships m
  join ops.projects p on p.org_id = m.org_id and (m.project_id is null or m.project_id = p.id)
  cross join lateral pg_catalog.unnest(m.envs) as e (env)
  where m.subject = private.subject() and private.role_rank(m.role) >= private.role_rank(p_role)
$$;

create or replace function private.my_orgs() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select m.org_id from ops.memberships m where m.subject = private.subject()
$$;

-- Runs of an environment that the caller may not see stay hidden with all that hangs on them. One InitPlan as well, but
-- only people whose membership is limited pay for it: for the rest the array is empty.
create or replace function private.my_hidden_envs() returns setof text
language sql stable security definer
set search_path = ''
as $$
  select p::text || '/' || e.env
  from private.my_projects() as p
  cross join pg_catalog.unnest('{dev,stage,prod}'::text[]) as e (env)
  except
  select private.my_scopes()
$$;

-- People need a membership; service_role, the executors' role and the owner are trusted by their grants.
create or replace function private.require_role(p_project_id uuid, p_env text, p_role text) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if private.caller_role() not in ('authenticated', 'anon') then
    return;
  end if;
  if not exists (select from private.my_scopes(p_role) as s where s = p_project_id::text || '/' || p_env) then
    -- A project that the caller may not even see must not be told apart from one that does not exist.
    if not exists (select from private.my_scopes('viewer') as s where s = p_project_id::text || '/' || p_env) then
      raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
    end if;
    raise exception using errcode = 'CR005', message = pg_catalog.format(
      'this needs the role %s in the environment %s; ask an admin of the project', p_role, p_env);
  end if;
end
$$;
