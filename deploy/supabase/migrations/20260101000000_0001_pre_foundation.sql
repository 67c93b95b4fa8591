-- Roles, schemas and tenancy. Needs no superuser and no extension; on Supabase the roles exist already and are left alone.

do $$
declare
  v_role text;
begin
  foreach v_role in array array[
    'anon', 'authenticated', 'service_role', 'controlroom_executor', 'controlroom_bi', 'controlroom_login'
  ] loop
    continue when exists (select from pg_catalog.pg_roles where rolname = v_role);
    begin
      -- Pools log in as controlroom_login. It has no grants of its own, so that `reset role` leads nowhere.
      execute pg_catalog.format('create role %I %s', v_role,
        case v_role when 'controlroom_login' then 'login noinherit' else 'nologin' end);
    exception
      -- Roles belong to the whole server: another database's installer may have been a moment earlier with this one.
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

do $$
begin
  grant anon, authenticated to controlroom_login;
exception
  -- Another database's installer gives the same at this moment ("tuple concurrently updated" has no code of its own).
  when unique_violation or internal_error then null;
end
$$;

create schema if not exists ops;
create schema if not exists private;
create schema if not exists api;

grant usage on schema ops to authenticated, service_role, controlroom_executor;
grant usage on schema api to anon, authenticated, service_role, controlroom_executor;
-- Policies call helpers in private as the querying role, so that role must be able to name the schema.
grant usage on schema private to authenticated, service_role;

-- Where Supabase's auth schema is missing, its two functions over the request's claims are supplied.
do $$
begin
  if not exists (select from pg_catalog.pg_namespace where nspname = 'auth') then
    create schema auth;
    create function auth.jwt() returns jsonb
      language sql stable
      set search_path = ''
      as 'select coalesce(nullif(pg_catalog.current_setting(''request.jwt.claims'', true), ''''), ''{}'')::jsonb';
    create function auth.uid() returns uuid
      language sql stable
      set search_path = ''
      as 'select nullif(auth.jwt() ->> ''sub'', '''')::uuid';
    grant usage on schema auth to anon, authenticated, service_role;
    grant execute on function auth.jwt(), auth.uid() to anon, authenticated, service_role;
  end if;
end
$$;

-- Ids that sort by time (the layout of UUID version 7, RFC 9562): neighbours in time are neighbours in the index.
create function private.new_id() returns uuid
  language sql volatile
  set search_path = ''
  as $$
    select pg_catalog.encode(
      pg_catalog.set_byte(
        pg_catalog.overlay(
          pg_catalog.uuid_send(pg_catalog.gen_random_uuid()),
          pg_catalog.substring(
            pg_catalog.int8send((extract(epoch from pg_catalog.clock_timestamp()) * 1000)::bigint), 3),
          1, 6),
        6,
        112 | (pg_catalog.get_byte(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()), 6) & 15)),
      'hex')::uuid
  $$;

create table ops.orgs (
  id uuid primary key default private.new_id(),
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  created_at timestamptz not null default clock_timestamp()
);

create table ops.projects (
  id uuid primary key default private.new_id(),
  org_id uuid not null references ops.orgs,
  slug text not null check (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  created_at timestamptz not null default clock_timestamp(),
  unique (org_id, slug)
);

create table ops.memberships (
  id uuid primary key default private.new_id(),
  org_id uuid not null references ops.orgs,
  -- Null: every project of the org.
  project_id uuid references ops.projects,
  -- The `sub` claim of the person.
  subject text not null check (subject <> ''),
  role text not null check (role in ('viewer', 'operator', 'editor', 'admin')),
  envs text[] not null default '{dev,stage,prod}' check (envs <@ '{dev,stage,prod}' and envs <> '{}'),
  created_at timestamptz not null default clock_timestamp(),
  unique nulls not distinct (org_id, project_id, subject)
);

create index memberships_project on ops.memberships (project_id);
create index memberships_subject on ops.memberships (subject);

create table if not exists private.schema_revision (
  version_num varchar(32) not null constraint schema_revision_pkc primary key
);

insert into private.schema_revision values ('0001_pre_foundation');
