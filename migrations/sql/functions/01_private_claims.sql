-- Who is asking. Claims are those of the transaction (request.jwt.claims); the asking role is the one that was set, also
-- inside a definer function, where current_user is the owner.

create or replace function private.caller_role() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when coalesce(pg_catalog.current_setting('role', true), 'none') in ('none', '') then session_user::text
    else pg_catalog.current_setting('role', true)
  end
$$;

-- The access token of this transaction (controlroom.token), where one is presented and still good: looked up at every query,
-- so that it ends when it is revoked and not when its holder reconnects.
--
-- What follows is asked by every policy and therefore plpgsql, which keeps its plans: as `language sql` a listing of one
-- project cost 1.8 ms more than without policies (benchmarks/rls).
create or replace function private.presented_token() returns setof ops.access_tokens
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_token text := pg_catalog.current_setting('controlroom.token', true);
begin
  if v_token is null or v_token = '' then
    return;
  end if;
  return query
    select t.*
    from private.access_token_hashes h
    join ops.access_tokens t on t.id = h.token_id
    where h.sha256 = pg_catalog.sha256(pg_catalog.convert_to(v_token, 'UTF8'))
      and t.revoked_at is null and t.expires_at > pg_catalog.clock_timestamp()
      and not exists (select from private.accounts a where a.subject = t.subject and a.disabled_at is not null);
end
$$;

-- What a person's own rows are found by: nothing for a token, which may be limited to a corner of what is its owner's.
create or replace function private.signed_in() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from private.presented_token()) then
    return null;
  end if;
  return private.subject();
end
$$;

-- Whoever logged in as controlroom_token may say anything in claims; only its token is believed.
create or replace function private.subject() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_claims text;
begin
  if session_user = 'controlroom_token' then
    return (select t.subject from private.presented_token() as t);
  end if;
  v_claims := pg_catalog.current_setting('request.jwt.claims', true);
  if v_claims is null or v_claims = '' then
    return null;
  end if;
  return nullif(v_claims::jsonb ->> 'sub', '');
end
$$;

create or replace function private.role_rank(p_role text) returns int
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.array_position('{viewer,operator,editor,admin}'::text[], p_role)
$$;

-- The caller's memberships, one row a project, cut down to what a presented token allows.
create or replace function private.my_memberships()
returns table (org_id uuid, project_id uuid, rank int, envs text[])
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subject text := private.subject();
  v_token ops.access_tokens;
begin
  if v_subject is null then
    return;
  end if;
  select t.* into v_token from private.presented_token() as t;
  if v_token.id is null then
    return query
      select p.org_id, p.id, pg_catalog.array_position('{viewer,operator,editor,admin}', m.role), m.envs
      from ops.memberships m
      join ops.projects p on p.org_id = m.org_id and (m.project_id is null or m.project_id = p.id)
      where m.subject = v_subject;
    return;
  end if;
  return query
    select p.org_id, p.id, least(private.role_rank(m.role), private.role_rank(v_token.role)),
      array(select pg_catalog.unnest(m.envs) intersect select pg_catalog.unnest(v_token.envs))
    from ops.memberships m
    join ops.projects p on p.org_id = m.org_id and (m.project_id is null or m.project_id = p.id)
    where m.subject = v_subject and (v_token.project_id is null or v_token.project_id = p.id);
end
$$;

-- Read by policies as one InitPlan: `project_id = any (array(select private.my_projects()))`.
create or replace function private.my_projects(p_role text default 'viewer') returns setof uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.project_id from private.my_memberships() as m
    where m.rank >= pg_catalog.array_position('{viewer,operator,editor,admin}', p_role);
end
$$;

-- The same with the environments that the membership is limited to, as `project/env`.
create or replace function private.my_scopes(p_role text default 'viewer') returns setof text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.project_id::text || '/' || e.env
    from private.my_memberships() as m
    cross join lateral pg_catalog.unnest(m.envs) as e (env)
    where m.rank >= pg_catalog.array_position('{viewer,operator,editor,admin}', p_role);
end
$$;

-- Orgs that the caller belongs to, or administers as a whole: in every environment. A token that is limited to a project or to
-- some environments administers none.
create or replace function private.my_orgs(p_role text default 'viewer') returns setof uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subject text := private.subject();
  v_token ops.access_tokens;
begin
  select t.* into v_token from private.presented_token() as t;
  if p_role = 'viewer' then
    return query
      select m.org_id from ops.memberships m
      where m.subject = v_subject
        and (v_token.project_id is null
          or exists (select from ops.projects p where p.id = v_token.project_id and p.org_id = m.org_id));
  elsif v_token.project_id is null and coalesce(v_token.envs, '{dev,stage,prod}') @> '{dev,stage,prod}' then
    return query
      select m.org_id from ops.memberships m
      where m.subject = v_subject and m.project_id is null and m.envs @> '{dev,stage,prod}'
        and least(private.role_rank(m.role), coalesce(private.role_rank(v_token.role), 4)) >= private.role_rank(p_role);
  end if;
end
$$;

-- Runs of an environment that the caller may not see stay hidden with all that hangs on them. One InitPlan as well, but
-- only people whose membership is limited pay for it: for the rest the array is empty.
create or replace function private.my_hidden_envs() returns setof text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.project_id::text || '/' || e.env
    from private.my_memberships() as m
    cross join lateral pg_catalog.unnest('{dev,stage,prod}'::text[]) as e (env)
    where not m.envs @> '{dev,stage,prod}'
    except
    select n.project_id::text || '/' || e.env
    from private.my_memberships() as n
    cross join lateral pg_catalog.unnest(n.envs) as e (env);
end
$$;

-- Datasets that others have shared with projects of the caller, in environments that it may see.
create or replace function private.my_shared_datasets() returns setof uuid
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select g.dataset_id
    from ops.grants g
    join ops.datasets d on d.id = g.dataset_id
    where g.reader_id::text || '/' || d.env in (select private.my_scopes());
end
$$;

-- People need a membership. Trusted are service_role and the executors (by their grants), the schema's owner and superusers,
-- who need none of these functions; any other role is taken for a person: one that is forgotten here can do less, not more.
create or replace function private.is_trusted() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select private.caller_role() in ('service_role', 'controlroom_executor')
    or exists (
      select from pg_catalog.pg_roles r
      where r.rolname = private.caller_role()
        and (r.rolsuper or r.oid = (select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'private')))
$$;

-- A transaction that keeps its first look at memberships would go on after its membership has ended.
create or replace function private.require_fresh_look() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_catalog.current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using errcode = 'CR005', message = pg_catalog.format(
      'nothing is changed in a transaction of isolation %s; use read committed',
      pg_catalog.current_setting('transaction_isolation'));
  end if;
end
$$;

create or replace function private.require_role(p_project_id uuid, p_env text, p_role text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted() then
    return;
  end if;
  perform private.require_fresh_look();
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

-- For acts on a whole org (p_project_id null) or on a project, in every one of p_envs.
create or replace function private.require_admin(p_org_id uuid, p_project_id uuid, p_envs text[]) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
begin
  if private.is_trusted() then
    return;
  end if;
  perform private.require_fresh_look();
  if p_org_id is null or not exists (select from private.my_orgs() as o where o = p_org_id) then
    raise exception using errcode = 'CR004', message = 'there is no such org or project; check the name';
  end if;
  if p_project_id is null then
    if not exists (select from private.my_orgs('admin') as o where o = p_org_id) then
      raise exception using errcode = 'CR005', message = 'this needs the role admin of the org; ask one of its admins';
    end if;
    return;
  end if;
  -- In the words that are used of a project that does not exist.
  if not exists (select from private.my_projects() as p where p = p_project_id) then
    raise exception using errcode = 'CR004', message = 'there is no such org or project; check the name';
  end if;
  foreach v_env in array p_envs loop
    perform private.require_role(p_project_id, v_env, 'admin');
  end loop;
end
$$;

-- Whether the caller may change what all orgs share: an admin of each. One without members and runs, as the seed makes it, is
-- nobody's and not counted. Definer: how many there are is not for everybody to see.
create or replace function private.is_installation_admin() returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.is_trusted() or (
    exists (select from private.my_orgs('admin'))
    and not exists (
      select from ops.orgs o
      where o.id not in (select a from private.my_orgs('admin') as a)
        and (exists (select from ops.memberships m where m.org_id = o.id)
          or exists (select from ops.projects p join ops.runs r on r.project_id = p.id where p.org_id = o.id))));
end
$$;

-- For what belongs to the installation as a whole: its operator, or who administers all of its orgs.
create or replace function private.require_installation_admin() returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted() then
    return;
  end if;
  perform private.require_fresh_look();
  if not private.is_installation_admin() then
    raise exception using errcode = 'CR005', message =
      'this belongs to the installation: its operator changes it at the machine, or who is an admin of every org';
  end if;
end
$$;
