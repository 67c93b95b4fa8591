-- Orgs, projects and who belongs to them. Each function checks its caller; the back end and the owner are trusted.

create or replace function ops.create_org(p_org text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
begin
  perform private.require_slug(p_org, 'p_org');
  insert into ops.orgs (slug) values (p_org) returning id into v_org;
  return v_org;
exception
  when unique_violation then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'there is an org %s already; choose another name', p_org);
end
$$;

-- A new project of an org, with the caller (where it is a person) as its admin by way of the org.
create or replace function ops.create_project(p_org text, p_project text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
begin
  select id into v_org from ops.orgs where slug = p_org;
  perform private.require_admin(v_org, null, '{dev,stage,prod}');
  perform private.require_slug(p_project, 'p_project');
  if v_org is null then
    raise exception using errcode = 'CR004', message = 'there is no such org or project; check the name';
  end if;
  return ops.ensure_project(p_org, p_project);
end
$$;

-- Makes p_subject (the `sub` of its claims) a member of a project, or of the whole org where p_project is null, with one role
-- in each of p_envs; a repeat replaces both.
create or replace function ops.set_member(
  p_org text, p_project text, p_subject text, p_role text, p_envs text[] default '{dev,stage,prod}'
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_old ops.memberships;
begin
  perform private.require(p_subject, 'p_subject');
  if private.role_rank(p_role) is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'role %s is none; choose viewer, operator, editor or admin', p_role);
  end if;
  perform private.require_envs(p_envs);
  select f.org_id, f.project_id into v_org, v_project from private.find_project(p_org, p_project) as f;
  perform private.require_admin(v_org, v_project, p_envs);
  select * into v_old from ops.memberships
  where org_id = v_org and project_id is not distinct from v_project and subject = p_subject for update;
  if found and (p_role <> 'admin' or not p_envs @> v_old.envs) then
    perform private.require_admin(v_org, v_project, v_old.envs);
    perform private.keep_an_admin(v_old);
  end if;
  insert into ops.memberships (org_id, project_id, subject, role, envs)
  values (v_org, v_project, p_subject, p_role, p_envs)
  on conflict (org_id, project_id, subject) do update set role = excluded.role, envs = excluded.envs
  where (memberships.role, memberships.envs) is distinct from (excluded.role, excluded.envs);
end
$$;

-- Ends a membership. What it allowed is gone with the next statement, not with the next sign-in.
create or replace function ops.remove_member(p_org text, p_project text, p_subject text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_old ops.memberships;
begin
  select f.org_id, f.project_id into v_org, v_project from private.find_project(p_org, p_project) as f;
  select * into v_old from ops.memberships
  where org_id = v_org and project_id is not distinct from v_project and subject = p_subject for update;
  -- Everyone may leave; a token may not do it for its owner. Who is no member learns nothing of what there is.
  if v_old.id is null or p_subject is distinct from private.signed_in() then
    perform private.require_admin(v_org, v_project, coalesce(v_old.envs, '{dev,stage,prod}'));
  elsif not private.is_trusted() then
    perform private.require_fresh_look();
  end if;
  if v_old.id is null then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      '%s is no member of %s itself; `controlroom member list` shows who is', p_subject,
      p_org || coalesce('/' || p_project, ''));
  end if;
  perform private.keep_an_admin(v_old);
  delete from ops.memberships where id = v_old.id;
end
$$;

-- Ids by slugs. What is missing gives nulls: private.require_admin says the same of it as of what the caller may not see.
create or replace function private.find_project(p_org text, p_project text)
returns table (org_id uuid, project_id uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select o.id into org_id from ops.orgs o where o.slug = p_org;
  if p_project is not null then
    select p.id into project_id from ops.projects p where p.org_id = find_project.org_id and p.slug = p_project;
  end if;
  if org_id is null or (p_project is not null and project_id is null) then
    raise exception using errcode = 'CR004', message = 'there is no such org or project; check the name';
  end if;
  return next;
end
$$;

create or replace function private.require_slug(p_slug text, p_field text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_slug is null or p_slug !~ '^[a-z0-9][a-z0-9_-]{0,62}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s is %L; use 1 to 63 small letters, digits, - and _, beginning with a letter or digit', p_field, p_slug);
  end if;
end
$$;

create or replace function private.require_envs(p_envs text[]) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_envs is null or p_envs = '{}' or not p_envs <@ '{dev,stage,prod}' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'environments %s are not what they should be; choose some of dev, stage and prod', p_envs::text);
  end if;
end
$$;

-- Refuses to take the role from the last admin of an org, whom nobody but the installation's operator could replace.
create or replace function private.keep_an_admin(p_old ops.memberships) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_old.role <> 'admin' or p_old.project_id is not null then
    return;
  end if;
  -- Two admins who remove each other at once: the second waits for the first and then sees itself alone.
  perform from ops.orgs where id = p_old.org_id for no key update;
  if not exists (
    select from ops.memberships m
    where m.org_id = p_old.org_id and m.project_id is null and m.role = 'admin' and m.envs @> '{dev,stage,prod}'
      and m.id <> p_old.id) then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      '%s is the only admin of the org; make somebody else an admin first', p_old.subject);
  end if;
end
$$;
