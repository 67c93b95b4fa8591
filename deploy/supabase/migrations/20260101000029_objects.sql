-- functions/00_private_errors.sql
-- The schema's typed errors, one function each, so that a code is written once. See ops/errors.py for the other half.

create or replace function private.raise_error(p_sqlstate text, p_message text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = p_sqlstate, message = p_message;
end
$$;

create or replace function private.lease_lost(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'CR001', message = pg_catalog.format(
    'run %s is no longer owned under lease token %s; stop working on it, nothing was changed',
    p_run_id, p_lease_token);
end
$$;

create or replace function private.require(p_value text, p_field text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_value is null or p_value = '' then
    raise exception using errcode = 'CR007', message = pg_catalog.format('%s is missing; give a value', p_field);
  end if;
end
$$;

-- functions/00_private_search_path.sql
-- Where names are looked up. The schema of temporary things is searched first for types and tables wherever it is not named,
-- even with an empty path: whoever may create one could make a type `text` whose check runs as the owner of a function. So each
-- function names it last; these were made in revisions.
alter function private.new_id() set search_path = pg_catalog, pg_temp;

do $$
declare
  v_function text;
begin
  -- Supabase's own are its to set; inside functions of ours they are called with our path.
  foreach v_function in array array['auth.jwt()', 'auth.uid()'] loop
    if exists (
      select from pg_catalog.pg_proc
      where oid = v_function::regprocedure and proowner = (select oid from pg_catalog.pg_roles where rolname = current_user)
    ) then
      execute pg_catalog.format('alter function %s set search_path = pg_catalog, pg_temp', v_function);
    end if;
  end loop;
end
$$;

-- functions/01_private_claims.sql
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

-- functions/02_private_events.sql
-- What is called with each event or phase is plpgsql, which keeps its plans: a function in SQL is planned anew at each call.

-- The hash chain: hash = sha256(hash before ‖ row). jsonb_build_array makes the row unambiguous, whatever is in it.

create or replace function private.event_hash(
  p_previous bytea, p_run_id uuid, p_seq bigint, p_ts timestamptz, p_type text, p_phase text, p_level text,
  p_message text, p_data jsonb, p_lease_token bigint, p_event_id uuid
) returns bytea
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_catalog.sha256(p_previous || pg_catalog.convert_to(
    pg_catalog.jsonb_build_array(
      p_run_id, p_seq, (extract(epoch from p_ts) * 1000000)::bigint, p_type, p_phase, p_level, p_message, p_data,
      p_lease_token, p_event_id)::text,
    'UTF8'));
end
$$;

-- Appends to an OWNED run. The lease row holds the head of the chain and its lock makes seq gapless; the run row is not
-- touched, so that a phase may hold it (ops.hold_run) while another phase of the run reports.
create or replace function private.emit(
  p_run_id uuid, p_type text, p_phase text default null, p_message text default '', p_data jsonb default '{}',
  p_level text default 'info', p_event_id uuid default null
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_hash bytea;
begin
  select * into strict v_lease from ops.run_leases where run_id = p_run_id for update;
  v_hash := private.event_hash(
    v_lease.event_hash, p_run_id, v_lease.event_seq + 1, v_now, p_type, p_phase, p_level, p_message, p_data,
    v_lease.lease_token, p_event_id);
  insert into ops.run_events (
    run_id, seq, ts, project_id, type, phase, level, message, data, lease_token, event_id, hash)
  values (
    p_run_id, v_lease.event_seq + 1, v_now, v_lease.project_id, p_type, p_phase, p_level, p_message, p_data,
    v_lease.lease_token, p_event_id, v_hash);
  update ops.run_leases set event_seq = v_lease.event_seq + 1, event_hash = v_hash where run_id = p_run_id;
  return v_lease.event_seq + 1;
end
$$;

-- Gives back the lease of a run whose row the caller has locked, releases its caps and pools and appends the event that says why.
-- The chain's head is returned: the caller writes it into the run in the same update as the new status.
create or replace function private.end_lease(
  p_run_id uuid, p_type text, p_message text, p_data jsonb, p_level text,
  out seq bigint, out hash bytea, out phase text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  delete from ops.run_leases l where l.run_id = p_run_id returning * into strict v_lease;
  seq := v_lease.event_seq + 1;
  phase := v_lease.phase;
  hash := private.event_hash(
    v_lease.event_hash, p_run_id, seq, v_now, p_type, null, p_level, p_message, p_data, v_lease.lease_token, null);
  insert into ops.run_events (run_id, seq, ts, project_id, type, level, message, data, lease_token, hash)
  values (
    p_run_id, seq, v_now, v_lease.project_id, p_type, p_level, p_message, p_data, v_lease.lease_token, hash);
  -- What is just being removed with its cap or pool is stepped over: without the lease it counts no more (private.is_leased).
  update ops.cap_usage u
  set released_at = v_now
  where u.id = any (array(
    select o.id from ops.cap_usage o
    where o.run_id = p_run_id and o.lease_token = v_lease.lease_token and o.released_at is null
    for update skip locked));
  delete from ops.pool_uses u
  where u.run_id = p_run_id and u.pool_id = any (array(
    select o.pool_id from ops.pool_uses o
    where o.run_id = p_run_id and o.lease_token = v_lease.lease_token
    for update skip locked));
end
$$;

-- Appends to a run that NOBODY owns and whose row the caller has locked.
create or replace function private.emit_unowned(
  p_run_id uuid, p_type text, p_message text default '', p_data jsonb default '{}', p_level text default 'info'
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_hash bytea;
begin
  select project_id, event_seq, event_hash into strict v_run from ops.runs where id = p_run_id;
  v_hash := private.event_hash(
    v_run.event_hash, p_run_id, v_run.event_seq + 1, v_now, p_type, null, p_level, p_message, p_data, null, null);
  insert into ops.run_events (run_id, seq, ts, project_id, type, level, message, data, hash)
  values (p_run_id, v_run.event_seq + 1, v_now, v_run.project_id, p_type, p_level, p_message, p_data, v_hash);
  update ops.runs set event_seq = v_run.event_seq + 1, event_hash = v_hash where id = p_run_id;
end
$$;

create or replace function private.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'CR005', message = pg_catalog.format(
    '%s is append-only: %s is refused; add a new row instead', tg_table_name, pg_catalog.lower(tg_op));
end
$$;

create or replace function private.refuse_terminal_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'CR002', message = pg_catalog.format(
    'run %s ended as %s and never changes again; retry it as a new run', old.id, old.status);
end
$$;

-- functions/03_private_protection.sql
-- What makes a table safe: row-level security on, and forced so that it binds the owner too.

-- Every ops table passes through here. The owner works through definer functions: it gets a policy of its own, which a
-- superuser would not need but a plain owner (managed Postgres, Supabase) does. service_role is the back end's.
create or replace function private.protect_table(p_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role text;
begin
  execute pg_catalog.format('alter table ops.%I enable row level security', p_table);
  execute pg_catalog.format('alter table ops.%I force row level security', p_table);
  foreach v_role in array array[current_user::text, 'service_role'] loop
    execute pg_catalog.format('drop policy if exists %I on ops.%I', v_role || '_all', p_table);
    execute pg_catalog.format(
      'create policy %I on ops.%I for all to %I using (true) with check (true)', v_role || '_all', p_table, v_role);
  end loop;
end
$$;

-- Lets people read the rows of a table for which p_condition holds. One policy a table, replaced whole.
create or replace function private.let_people_read(p_table text, p_condition text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute pg_catalog.format('drop policy if exists people_read on ops.%I', p_table);
  execute pg_catalog.format(
    'create policy people_read on ops.%I for select to authenticated using (%s)', p_table, p_condition);
  execute pg_catalog.format('grant select on ops.%I to authenticated', p_table);
end
$$;

create or replace function private.make_append_only(p_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute pg_catalog.format('revoke update, delete, truncate on ops.%I from service_role', p_table);
  -- On a partition the row trigger is inherited from the parent; truncate triggers never are.
  if not exists (
    select from pg_catalog.pg_trigger
    where tgrelid = ('ops.' || pg_catalog.quote_ident(p_table))::regclass and tgname = 'append_only'
  ) then
    execute pg_catalog.format(
      'create trigger append_only before update or delete on ops.%I for each row execute function private.refuse_change()',
      p_table);
  end if;
  execute pg_catalog.format(
    'create or replace trigger append_only_truncate before truncate on ops.%I '
    'for each statement execute function private.refuse_change()', p_table);
end
$$;

-- functions/04_private_audit.sql
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

-- functions/05_private_http.sql
-- What an error of the contract is over HTTP. PostgREST answers a SQLSTATE that it does not know with 400 and the bare state;
-- raised as PGRST, an error chooses its own status and its own code. SQL callers keep the SQLSTATE: only schema api translates.

-- The other half of ops/errors.py, with the status that a client's own library already understands.
create or replace function private.http_errors() returns table (sqlstate text, code text, status int)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('CR001', 'LEASE_LOST', 412),
    ('CR002', 'ILLEGAL_TRANSITION', 409),
    ('CR003', 'CAP_EXCEEDED', 429),
    ('CR004', 'NOT_FOUND', 404),
    ('CR005', 'NOT_ALLOWED', 403),
    ('CR006', 'CONFLICT', 409),
    ('CR007', 'BAD_INPUT', 400)
$$;

-- Raises an error of the schema again, in the words of HTTP. Called by the functions of schema api, with what they caught.
create or replace function private.raise_http(p_sqlstate text, p_message text, p_detail text, p_hint text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_error record;
begin
  select e.code, e.status into v_error from private.http_errors() as e where e.sqlstate = p_sqlstate;
  if not found then
    raise exception using errcode = p_sqlstate, message = p_message, detail = p_detail, hint = p_hint;
  end if;
  raise exception using
    errcode = 'PGRST',
    message = pg_catalog.json_build_object(
      'code', v_error.code, 'message', p_message, 'details', nullif(p_detail, ''),
      'hint', coalesce(nullif(p_hint, ''), 'SQLSTATE ' || p_sqlstate))::text,
    detail = pg_catalog.json_build_object('status', v_error.status, 'headers', pg_catalog.json_build_object())::text;
end
$$;

-- Writes the function of schema api that stands before a function of ops. It runs as its caller, so that the right to execute
-- is asked twice, and does nothing but pass on and translate errors. Written from the catalogue, so that the two cannot differ.
create or replace function private.expose(p_name text, p_comment text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function record;
  v_call text;
  v_role text;
begin
  select p.oid, p.proname, p.proretset, p.provolatile, p.prorettype = 'void'::regtype as is_void,
    pg_catalog.pg_get_function_arguments(p.oid) as arguments,
    pg_catalog.pg_get_function_identity_arguments(p.oid) as signature,
    pg_catalog.pg_get_function_result(p.oid) as result,
    (select pg_catalog.string_agg('$' || n, ', ' order by n) from pg_catalog.generate_series(1, p.pronargs) as n) as passed
  into strict v_function
  from pg_catalog.pg_proc p
  where p.pronamespace = 'ops'::regnamespace and p.proname = p_name;
  v_call := pg_catalog.format('ops.%I(%s)', v_function.proname, v_function.passed);
  v_call := case
    when v_function.proretset then 'return query select * from ' || v_call
    when v_function.is_void then 'perform ' || v_call
    else 'return ' || v_call
  end;
  execute pg_catalog.format(
    'create function api.%I(%s) returns %s language plpgsql %s security invoker set search_path = pg_catalog, pg_temp as %L',
    v_function.proname, v_function.arguments, v_function.result,
    case v_function.provolatile when 'v' then 'volatile' else 'stable' end,
    pg_catalog.format(
      E'declare\n  v_detail text;\n  v_hint text;\nbegin\n  %s;\nexception when others then\n'
      '  get stacked diagnostics v_detail = pg_exception_detail, v_hint = pg_exception_hint;\n'
      '  perform private.raise_http(sqlstate, sqlerrm, v_detail, v_hint);\nend\n', v_call));
  execute pg_catalog.format(
    'revoke execute on function api.%I(%s) from public', v_function.proname, v_function.signature);
  execute pg_catalog.format(
    'comment on function api.%I(%s) is %L', v_function.proname, v_function.signature, p_comment);
  foreach v_role in array array['authenticated', 'service_role', 'controlroom_executor'] loop
    if pg_catalog.has_function_privilege(v_role, v_function.oid, 'execute') then
      execute pg_catalog.format(
        'grant execute on function api.%I(%s) to %I', v_function.proname, v_function.signature, v_role);
    end if;
  end loop;
end
$$;

-- functions/09_private_caps.sql
-- What of a cap is used, and which caps and pools concern whom.

create or replace function private.period_start(p_period text, p_now timestamptz) returns timestamptz
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.date_trunc(p_period, p_now at time zone 'UTC') at time zone 'UTC'
$$;

-- When what is used is forgotten; null for a concurrent cap.
create or replace function private.period_end(p_period text, p_now timestamptz) returns timestamptz
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_period <> 'concurrent' then
    (pg_catalog.date_trunc(p_period, p_now at time zone 'UTC') + ('1 ' || p_period)::interval) at time zone 'UTC'
  end
$$;

-- What is used of a cap now: what is not released where it is concurrent, else what was charged since the period began.
-- A place that belongs to a lease is taken for as long as there is that lease, whatever became of the note of it.
create or replace function private.cap_used(p_cap ops.caps, p_now timestamptz) returns numeric
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_cap.period = 'concurrent' then
    return (select coalesce(pg_catalog.sum(u.amount), 0) from ops.cap_usage u
      where u.cap_id = p_cap.id and u.released_at is null and private.is_leased(u.run_id, u.lease_token));
  end if;
  return coalesce((select w.used from private.cap_windows w
    where w.cap_id = p_cap.id and w.starts_at = private.period_start(p_cap.period, p_now)), 0);
end
$$;

-- Keeps private.cap_windows the sum of ops.cap_usage, whoever writes there.
create or replace function private.count_cap_usage() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform private.count_in_window(old.cap_id, old.used_at, -old.amount);
  end if;
  if tg_op <> 'DELETE' then
    perform private.count_in_window(new.cap_id, new.used_at, new.amount);
  end if;
  return null;
end
$$;

create or replace function private.count_in_window(p_cap_id uuid, p_at timestamptz, p_amount numeric) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into private.cap_windows as w (cap_id, starts_at, used)
  select c.id, private.period_start(c.period, p_at), p_amount
  from ops.caps c
  where c.id = p_cap_id and c.period <> 'concurrent'
  on conflict (cap_id, starts_at) do update set used = w.used + excluded.used
$$;

-- The caps that runs of a pipeline are charged to.
create or replace function private.caps_on(p_project_id uuid, p_pipeline text) returns setof ops.caps
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.*
  from ops.projects p
  join ops.caps c on c.org_id = p.org_id and (c.project_id is null or c.project_id = p.id)
    and (c.pipeline is null or c.pipeline = p_pipeline)
  where p.id = p_project_id
$$;

-- The pools behind the names of a run, with what it needs of each: the project's own, else its org's. A name without a pool
-- holds nobody up.
create or replace function private.pools_for(p_project_id uuid, p_needs jsonb)
returns table (pool_id uuid, name text, slots int, needs int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select distinct on (n.key) l.id, l.name, l.slots, n.value::int
  from pg_catalog.jsonb_each_text(p_needs) as n
  join ops.projects p on p.id = p_project_id
  join ops.pools l on l.org_id = p.org_id and l.name = n.key and (l.project_id is null or l.project_id = p.id)
  order by n.key, l.project_id nulls last
$$;

-- Is there that lease? Without a token it is about to be made.
create or replace function private.is_leased(p_run_id uuid, p_lease_token bigint) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_lease_token is null
    or exists (select from ops.run_leases l where l.run_id = p_run_id and l.lease_token = p_lease_token)
$$;

create or replace function private.pool_used(p_pool_id uuid) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.sum(u.slots), 0) from ops.pool_uses u
  where u.pool_id = p_pool_id and private.is_leased(u.run_id, u.lease_token)
$$;

-- {"name": slots} of a spec's `pool`: a name, {"name": …, "slots": …}, or a list of those.
create or replace function private.needed_pools(p_spec jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said jsonb := p_spec -> 'pool';
  v_one jsonb;
  v_needs jsonb := '{}';
  v_name text;
  v_slots text;
begin
  if v_said is null or v_said = 'null' then
    return v_needs;
  end if;
  if pg_catalog.jsonb_typeof(v_said) <> 'array' then
    v_said := pg_catalog.jsonb_build_array(v_said);
  end if;
  for v_one in select * from pg_catalog.jsonb_array_elements(v_said) loop
    v_name := case pg_catalog.jsonb_typeof(v_one) when 'string' then v_one #>> '{}' when 'object' then v_one ->> 'name' end;
    v_slots := case pg_catalog.jsonb_typeof(v_one) when 'object' then coalesce(v_one ->> 'slots', '1') else '1' end;
    if v_name is null or v_name !~ '^[a-z][a-z0-9_]{0,62}$' or v_slots !~ '^[1-9][0-9]{0,5}$' or v_needs ? v_name then
      raise exception using errcode = 'CR007', message =
        'pool of p_spec must be a name, {"name": …, "slots": 1 or more}, or a list of those, each name once';
    end if;
    v_needs := v_needs || pg_catalog.jsonb_build_object(v_name, v_slots::int);
  end loop;
  return v_needs;
end
$$;

-- functions/10_private_anomaly.sql
-- How unusual a number is beside its own history: a robust z-score. Robust means medians throughout: of deviations the median
-- (times 1.4826, which makes it a standard deviation where the numbers are normal; Iglewicz and Hoaglin 1993, who call 3.5 the
-- border of an outlier), so that what was unusual before does not widen what is usual now.
--
-- The history is cut into weeks before p_at, each with a level (its median). What is left of a number when its week's level is
-- taken away is the season's part (the median of the same time of the week, where four weeks have one) and noise. Expected is
-- the last week's level, without its seasons, and the season's part of p_at. So growth follows within half a week, a changed
-- level is the new usual after half a week, and the spread is known from all of the history and not from four Tuesdays. Without
-- four weeks there is no season, and the spread covers what lies between the 5th and the 95th of a hundred: weekends stay usual.
--
-- Nothing is judged (no row) below eight points or a week of history. p_floor is the least deviation that is believed: of
-- numbers that never change any change would be infinite; p_counts adds what counts vary by themselves, 1 / sqrt(n).
create or replace function private.anomaly(
  p_value float8, p_at timestamptz, p_values float8[], p_times timestamptz[], p_floor float8, p_counts boolean default false
) returns table (z float8, usual float8, points int, season text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with past as materialized (
    select v, (extract(epoch from p_at - t) / 3600)::float8 as age
    from unnest(p_values, p_times) as u (v, t)
    where v is not null and t < p_at
  ), pace as (
    select count(*)::int as points, max(age) - min(age) as span, (max(age) - min(age)) / nullif(count(*) - 1, 0) as apart
    from past
  ), grid as (
    -- Weeks, or as long as eight numbers take to come; steps into which a week is cut, about one number each.
    select points, greatest(168, 8 * apart) as block, (
        select min(step) from unnest(array[1, 2, 3, 4, 6, 8, 12, 24]) as step
        where step >= 0.9 * apart or (step = 24 and apart <= 36)
      ) as step
    from pace
    where points >= 8 and span >= 156
  ), placed as materialized (
    select v, floor(age / block)::int as block, round(age / 168)::int as week,
      mod(round(age / step)::int, (168 / step)::int) as slot, g.points
    from past cross join grid g
  ), levels as (
    select block, percentile_cont(0.5) within group (order by v) as level from placed group by block
  ), apart_from_level as materialized (
    select p.v, p.block, p.week, p.slot, p.v - l.level as rest from placed p join levels l on l.block = p.block
  ), seasons as materialized (
    select slot, percentile_cont(0.5) within group (order by rest) as part, count(distinct week)::int as weeks
    from apart_from_level
    where slot is not null
    group by slot
    having count(distinct week) >= 4
  ), mine as (
    select coalesce(max(weeks), 0) as weeks, coalesce(max(part), 0) as part from seasons where slot = 0
  ), unseasoned as (
    select a.block, case when m.weeks > 0 then a.v - s.part else a.v end as v,
      case when m.weeks > 0 then a.rest - s.part else a.rest end as noise
    from apart_from_level a cross join mine m left join seasons s on s.slot = a.slot
  ), noise as (
    select 1.4826 * percentile_cont(0.5) within group (order by abs(noise)) as typical,
      (percentile_cont(0.95) within group (order by noise) - percentile_cont(0.05) within group (order by noise)) / 3.29 as wide
    from unseasoned
    where noise is not null
  ), newest as (
    select percentile_cont(0.5) within group (order by v) as level, count(v) as points
    from unseasoned
    where block = (select min(block) from unseasoned where v is not null)
  ), expected as (
    select n.level + m.part as usual, m.weeks, n.points as level_points from newest n cross join mine m
  ), spread as (
    select e.usual, e.weeks,
      greatest(
        case when e.weeks > 0 then o.typical * sqrt(e.weeks / (e.weeks - 1.0)) else greatest(o.typical, o.wide) end,
        p_floor, case when p_counts then 1 / sqrt(greatest(exp(e.usual), 1)) end)
      -- The expectation is an estimate too: of medians of so many numbers.
      * sqrt(1 + pi() / 2 * (1.0 / e.level_points + coalesce(1.0 / nullif(e.weeks, 0), 0))) as deviation
    from expected e cross join noise o
    where e.level_points > 0
  )
  select (p_value - s.usual) / s.deviation, s.usual, g.points,
    case when s.weeks = 0 then 'all' when g.step = 24 then 'day of the week' else 'week' end
  from spread s cross join grid g
$$;

-- The same for numbers without seasons, such as a share of nulls: beside the latest of its own, eight at least.
create or replace function private.steady_anomaly(p_value float8, p_values float8[], p_floor float8)
returns table (z float8, usual float8, points int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with middle as (
    select percentile_cont(0.5) within group (order by v) as usual, count(*)::int as points from unnest(p_values) as v
  ), spread as (
    select percentile_cont(0.5) within group (order by abs(v - m.usual)) as deviation
    from unnest(p_values) as v cross join middle m
  )
  select (p_value - m.usual) / (greatest(1.4826 * s.deviation, p_floor) * (1 + 3.0 / m.points)), m.usual, m.points
  from middle m cross join spread s
  where m.points >= 8
$$;

-- "usual on Tuesdays around 02:00 UTC", "usual on Tuesdays", "usual".
create or replace function private.season_words(p_season text, p_at timestamptz) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case p_season
    when 'week' then pg_catalog.format(
      'usual on %ss around %s UTC', trim(to_char(p_at at time zone 'UTC', 'Day')), to_char(p_at at time zone 'UTC', 'HH24:MI'))
    when 'day of the week' then pg_catalog.format('usual on %ss', trim(to_char(p_at at time zone 'UTC', 'Day')))
    else 'usual'
  end
$$;

-- "48 % fewer", "2.1 times as many": how a number stands to what is usual.
create or replace function private.change_words(p_seen float8, p_usual float8, p_less text, p_more text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_usual <= 0 then pg_catalog.format('%s instead of none', round(p_seen::numeric))
    when p_seen < p_usual then pg_catalog.format('%s %% %s', round((100 * (1 - p_seen / p_usual))::numeric), p_less)
    when p_seen < 2 * p_usual then pg_catalog.format('%s %% %s', round((100 * (p_seen / p_usual - 1))::numeric), p_more)
    else pg_catalog.format('%s times as %s', round((p_seen / p_usual)::numeric, 1),
      case p_more when 'longer' then 'long' when 'later' then 'late' else 'many' end)
  end
$$;

-- functions/10_private_claim_support.sql
-- What claim_run needs beside its own statement.

create or replace function private.phases_json(p_run_id uuid) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_object(
      'ordinal', ordinal, 'name', name, 'kind', kind, 'depends_on', depends_on, 'status', status, 'attempt', attempt,
      'input_fingerprint', input_fingerprint, 'output_fingerprint', output_fingerprint, 'result', result,
      'effect_of', effect_of, 'kept', kept)
    order by ordinal), '[]')
  from ops.run_phases
  where run_id = p_run_id
$$;

-- The lease row of the caller, locked. The one place where SQL decides whether a lease is held.
create or replace function private.owned(p_run_id uuid, p_lease_token bigint) returns ops.run_leases
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases;
begin
  select * into v_lease
  from ops.run_leases
  where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp()
  for update;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
  return v_lease;
end
$$;

-- functions/10_private_claim_under_limits.sql
-- The slow way of claim_run, taken only while a cap on runs or a pool exists: claimers take turns, so that none of them takes
-- what another has just used up. What is full is stepped over; it never holds up the rest.
--
-- Queued runs come in groups of one project, pipeline and pools, which are held back or not as a whole. The first of each group
-- that is not is looked up along runs_queue_of_pipeline: what waits behind a full cap is not walked through, however much it is.
--
-- Between projects it goes round: who was served longest ago is next. The turns that runs got when they were queued
-- (private.next_turn) do not serve here: what was held back for a day would come back with a day's turns before everybody else's.
drop function if exists private.claim_under_caps(text[], int, timestamptz);
drop function if exists private.claim_under_caps(text[], int, boolean, timestamptz);
drop function if exists private.claim_under_limits(text[], int, boolean, timestamptz);

-- The claim's lock against changes of limits (private.lock_limits), without waiting. Null where nobody changes any, else the orgs
-- whose runs may be claimed: of the one whose limits are being changed it is not known yet what will hold, so that its runs wait.
create or replace function private.share_limits() returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_open uuid[] := '{}';
begin
  if pg_catalog.pg_try_advisory_xact_lock_shared(pg_catalog.hashtextextended('ops.limits', 0)) then
    return null;
  end if;
  for v_org in
    select distinct p.org_id from private.queue_groups() as g join ops.projects p on p.id = g.project_id
  loop
    if pg_catalog.pg_try_advisory_xact_lock_shared(private.limits_lock(v_org)) then
      v_open := v_open || v_org;
    end if;
  end loop;
  return v_open;
end
$$;

create or replace function private.limits_lock(p_org_id uuid) returns bigint
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.hashtextextended('ops.limits/' || p_org_id, 0)
$$;

create or replace function private.claim_under_limits(
  p_capabilities text[], p_max_runs int, p_dedicated boolean, p_now timestamptz, p_open uuid[]
) returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[] := '{}';
  v_passed uuid[] := '{}';
  v_projects uuid[];
  v_pipelines text[];
  v_pools jsonb[];
  v_run record;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.caps', 0));
  select pg_catalog.array_agg(g.project_id), pg_catalog.array_agg(g.pipeline), pg_catalog.array_agg(g.pools)
  into v_projects, v_pipelines, v_pools
  from private.queue_groups() as g
  join ops.projects p on p.id = g.project_id
  where p_open is null or p.org_id = any (p_open);
  while pg_catalog.cardinality(v_ids) < p_max_runs loop
    select f.id, f.project_id, f.pipeline, f.pools, f.priority into v_run
    from unnest(v_projects, v_pipelines, v_pools) as g (project_id, pipeline, pools)
    cross join lateral (
      select r.id, r.project_id, r.pipeline, r.pools, r.priority, r.turn
      from ops.runs r
      where r.status = 'queued' and r.project_id = g.project_id and r.pipeline = g.pipeline and r.pools = g.pools
        and r.available_at <= p_now and r.capabilities <@ p_capabilities
        and (r.capabilities <> '{}' or not p_dedicated) and r.id <> all (v_ids) and r.id <> all (v_passed)
      order by r.priority, r.turn, r.id
      limit 1) as f
    left join private.projects_served s on s.project_id = f.project_id and s.priority = f.priority
    where not private.is_held_back(g.project_id, g.pipeline, g.pools, p_now)
    order by f.priority, s.at nulls first, f.turn, f.id
    limit 1;
    exit when not found;
    perform from ops.runs where id = v_run.id and status = 'queued' for no key update skip locked;
    if not found then
      -- Somebody is just changing it.
      v_passed := v_passed || v_run.id;
      continue;
    end if;
    insert into ops.cap_usage (cap_id, project_id, run_id, amount, used_at)
    select c.id, v_run.project_id, v_run.id, 1, p_now
    from private.caps_on(v_run.project_id, v_run.pipeline) as c
    where c.unit = 'runs'
    order by c.id;
    insert into ops.pool_uses (pool_id, run_id, project_id, slots, taken_at)
    select l.pool_id, v_run.id, v_run.project_id, l.needs, p_now
    from private.pools_for(v_run.project_id, v_run.pools) as l;
    insert into private.projects_served as s (project_id, priority, at)
    values (v_run.project_id, v_run.priority, pg_catalog.clock_timestamp())
    on conflict (project_id, priority) do update set at = excluded.at;
    v_ids := v_ids || v_run.id;
  end loop;
  return v_ids;
end
$$;

-- A walk from group to group of the queue, one step of the index each.
create or replace function private.queue_groups() returns table (project_id uuid, pipeline text, pools jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive g as (
    (select r.project_id, r.pipeline, r.pools
     from ops.runs r where r.status = 'queued'
     order by r.project_id, r.pipeline, r.pools limit 1)
    union all
    select n.project_id, n.pipeline, n.pools
    from g cross join lateral (
      select r.project_id, r.pipeline, r.pools
      from ops.runs r
      where r.status = 'queued' and (r.project_id, r.pipeline, r.pools) > (g.project_id, g.pipeline, g.pools)
      order by r.project_id, r.pipeline, r.pools limit 1) as n
  )
  select g.project_id, g.pipeline, g.pools from g
$$;

-- Is a cap on runs or a pool of theirs full?
create or replace function private.is_held_back(
  p_project_id uuid, p_pipeline text, p_pools jsonb, p_now timestamptz
) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
      select from private.caps_on(p_project_id, p_pipeline) as c
      where c.unit = 'runs' and private.cap_used(c, p_now) + 1 > c.amount)
    or (p_pools <> '{}' and exists (
      select from private.pools_for(p_project_id, p_pools) as l
      where private.pool_used(l.pool_id) + l.needs > l.slots));
end
$$;

-- functions/10_private_metered_caps.sql
-- Caps on what runs use while they work: CPU-seconds, rows, bytes, money. The owner of a run says what each try at a phase has
-- used so far; what is more than it said before is charged at once. Values are cumulative and bound to run, phase, attempt and
-- lease token: a repeat charges nothing, and a retry has a row of its own, so that none resets what another used.
-- Caps on runs are the claim's: their runs wait.

drop function if exists private.require_metered_caps(uuid);
drop function if exists private.charge_metered_caps(uuid, uuid, bigint, bigint, bigint);

create or replace function private.is_metered() returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Nearly every installation has no such cap, and each phase and heartbeat asks.
  return exists (select from ops.caps c where c.unit <> 'runs');
end
$$;

-- In words, the first metered cap that is used up for runs of the pipeline; null where none is.
create or replace function private.used_up(p_project_id uuid, p_pipeline text) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return (
    select pg_catalog.format(
      'cap %s is used up: %s of %s %s (%s); raise it, or retry when its period is over%s', c.key,
      pg_catalog.trim_scale(round(private.cap_used(c, v_now), 3)), pg_catalog.trim_scale(c.amount), c.unit, c.period,
      pg_catalog.to_char(private.period_end(c.period, v_now) at time zone 'UTC', '", at" YYYY-MM-DD HH24:MI "UTC"'))
    from private.caps_on(p_project_id, p_pipeline) as c
    where c.unit <> 'runs' and private.cap_used(c, v_now) >= c.amount
    order by c.key
    limit 1);
end
$$;

create or replace function private.require_metered_caps(p_run_id uuid) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said text;
begin
  if private.is_metered() then
    select private.used_up(r.project_id, r.pipeline) into v_said from ops.runs r where r.id = p_run_id;
    if v_said is not null then
      raise exception using errcode = 'CR003', message = v_said;
    end if;
  end if;
end
$$;

-- What it costs at the prices that are valid now; null where there are none.
create or replace function private.cost_of(
  p_org_id uuid, p_cpu_seconds numeric, p_gb_seconds numeric, p_read_bytes numeric, p_written_bytes numeric,
  out cost numeric, out currency text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select round(pg_catalog.sum(p.price * case p.unit
      when 'cpu_second' then p_cpu_seconds
      when 'gb_hour' then p_gb_seconds / 3600
      when 'gb_read' then p_read_bytes / 1000000000
      else p_written_bytes / 1000000000
    end), 12), pg_catalog.max(p.currency)
  into cost, currency
  from (
    select distinct on (o.unit) o.unit, o.price, o.currency
    from ops.prices o
    where o.org_id = p_org_id and o.valid_from <= pg_catalog.clock_timestamp()
    order by o.unit, o.valid_from desc) as p;
end
$$;

-- Takes reports [{run_id, lease_token, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes,
-- rows_moved, bytes_moved}] of runs whose lease rows the caller has locked. Caps are charged in the order of their ids, last, so
-- that no two callers wait for each other in a circle.
create or replace function private.charge_usage(p_reports jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new record;
  v_old ops.phase_usage;
  v_sum ops.phase_usage;
  v_cost record;
  v_more jsonb := '[]';
begin
  for v_new in
    select u.*, r.project_id, r.pipeline, p.org_id
    from pg_catalog.jsonb_to_recordset(p_reports) as u (
      run_id uuid, lease_token bigint, phase text, attempt int, seconds numeric, cpu_seconds numeric,
      peak_memory_bytes numeric, read_bytes numeric, written_bytes numeric, rows_moved numeric, bytes_moved numeric)
    join ops.runs r on r.id = u.run_id
    join ops.projects p on p.id = r.project_id
    -- Of a try that was begun: what was never started cannot have used anything.
    join ops.run_phases ph on ph.run_id = u.run_id and ph.name = u.phase and u.attempt between 1 and ph.attempt
    order by u.run_id, u.phase, u.attempt
  loop
    select * into v_old from ops.phase_usage o
    where o.run_id = v_new.run_id and o.phase = v_new.phase and o.attempt = v_new.attempt
      and o.lease_token = v_new.lease_token;
    v_sum.seconds := greatest(v_old.seconds, v_new.seconds, 0);
    v_sum.cpu_seconds := greatest(v_old.cpu_seconds, v_new.cpu_seconds, 0);
    v_sum.peak_memory_bytes := greatest(v_old.peak_memory_bytes, v_new.peak_memory_bytes, 0);
    v_sum.read_bytes := greatest(v_old.read_bytes, v_new.read_bytes, 0);
    v_sum.written_bytes := greatest(v_old.written_bytes, v_new.written_bytes, 0);
    v_sum.rows_moved := greatest(v_old.rows_moved, v_new.rows_moved, 0);
    v_sum.bytes_moved := greatest(v_old.bytes_moved, v_new.bytes_moved, 0);
    select * into v_cost from private.cost_of(
      v_new.org_id, v_sum.cpu_seconds - coalesce(v_old.cpu_seconds, 0),
      (v_sum.peak_memory_bytes * v_sum.seconds - coalesce(v_old.peak_memory_bytes * v_old.seconds, 0)) / 1000000000,
      v_sum.read_bytes - coalesce(v_old.read_bytes, 0), v_sum.written_bytes - coalesce(v_old.written_bytes, 0));
    insert into ops.phase_usage as o (
      run_id, phase, attempt, lease_token, project_id, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes,
      rows_moved, bytes_moved, cost, currency)
    values (
      v_new.run_id, v_new.phase, v_new.attempt, v_new.lease_token, v_new.project_id, v_sum.seconds, v_sum.cpu_seconds,
      v_sum.peak_memory_bytes, v_sum.read_bytes, v_sum.written_bytes, v_sum.rows_moved, v_sum.bytes_moved, v_cost.cost,
      v_cost.currency)
    on conflict (run_id, phase, attempt, lease_token) do update
    set seconds = excluded.seconds, cpu_seconds = excluded.cpu_seconds, peak_memory_bytes = excluded.peak_memory_bytes,
      read_bytes = excluded.read_bytes, written_bytes = excluded.written_bytes, rows_moved = excluded.rows_moved,
      bytes_moved = excluded.bytes_moved, cost = coalesce(o.cost + excluded.cost, o.cost, excluded.cost),
      currency = coalesce(excluded.currency, o.currency), reported_at = pg_catalog.clock_timestamp();
    v_more := v_more || pg_catalog.jsonb_build_object(
      'run_id', v_new.run_id, 'lease_token', v_new.lease_token, 'phase', v_new.phase, 'attempt', v_new.attempt,
      'project_id', v_new.project_id, 'pipeline', v_new.pipeline, 'org_id', v_new.org_id,
      'cpu_seconds', v_sum.cpu_seconds - coalesce(v_old.cpu_seconds, 0),
      'rows', v_sum.rows_moved - coalesce(v_old.rows_moved, 0), 'bytes', v_sum.bytes_moved - coalesce(v_old.bytes_moved, 0),
      'money', v_cost.cost);
  end loop;
  if private.is_metered() then
    perform private.charge_metered_caps(v_more);
  end if;
end
$$;

-- One row of ops.cap_usage a cap, try and period grows with what the try uses.
create or replace function private.charge_metered_caps(p_more jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  for v_one in
    select c.id as cap_id, m.run_id, m.lease_token, m.phase, m.attempt, m.project_id,
      case when c.period = 'concurrent' then '-infinity' else private.period_start(c.period, v_now) end as since,
      case c.unit when 'cpu_seconds' then m.cpu_seconds when 'rows' then m.rows when 'bytes' then m.bytes else m.money end
        as amount
    from pg_catalog.jsonb_to_recordset(p_more) as m (
      run_id uuid, lease_token bigint, phase text, attempt int, project_id uuid, pipeline text, org_id uuid,
      cpu_seconds numeric, rows numeric, bytes numeric, money numeric)
    join ops.caps c on c.org_id = m.org_id and (c.project_id is null or c.project_id = m.project_id)
      and (c.pipeline is null or c.pipeline = m.pipeline)
    where c.unit <> 'runs'
    order by c.id, m.run_id, m.phase
    -- A cap that is just being removed needs nothing any more, and a heartbeat does not wait for that.
    for key share of c skip locked
  loop
    continue when v_one.amount is null or v_one.amount <= 0;
    update ops.cap_usage u
    set amount = u.amount + v_one.amount
    where u.run_id = v_one.run_id and u.cap_id = v_one.cap_id and u.lease_token = v_one.lease_token
      and u.phase = v_one.phase and u.attempt = v_one.attempt and u.used_at >= v_one.since and u.released_at is null;
    if not found then
      insert into ops.cap_usage (cap_id, project_id, run_id, lease_token, phase, attempt, amount, used_at)
      values (
        v_one.cap_id, v_one.project_id, v_one.run_id, v_one.lease_token, v_one.phase, v_one.attempt, v_one.amount, v_now);
    end if;
  end loop;
end
$$;

-- functions/10_private_next_turn.sql
-- Fairness without cost at claim time: start-time fair queueing (Goyal, Vin, Cheng, 1996). A run's turn is one after its
-- project's last, but never before the turn now at the front; so 10,000 queued runs of one project stand in turns
-- n … n + 10,000, and another project's first run in turn n. Claiming is then a walk along (priority, turn, id).
--
-- At the front is who may be claimed: a run that waits for its second try, for a day to come or for a rare executor keeps its early
-- turn, and whoever came with 10,000 runs would be given turns before everybody who has worked on meanwhile. Among the first 200 only:
-- to find a turn must not cost a walk.
create or replace function private.next_turn(p_project_id uuid, p_priority int) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_front bigint;
  v_turn bigint;
begin
  -- It stops at the first that is ready, nearly always the first that there is.
  select f.turn into v_front
  from (
    select r.turn, r.available_at, r.capabilities
    from ops.runs r where r.status = 'queued' and r.priority = p_priority order by r.turn limit 200) as f
  where f.available_at <= pg_catalog.clock_timestamp() and f.capabilities = '{}'
  limit 1;
  if not found then
    select max(f.turn) into v_front
    from (
      select r.turn from ops.runs r where r.status = 'queued' and r.priority = p_priority order by r.turn limit 200) as f;
  end if;
  insert into ops.queue_turns as q (project_id, priority, last_turn)
  values (p_project_id, p_priority, coalesce(v_front, (
    select max(last_turn) from ops.queue_turns where priority = p_priority), 0))
  on conflict (project_id, priority) do update
  set last_turn = greatest(q.last_turn + 1, v_front)
  returning last_turn into v_turn;
  return v_turn;
end
$$;

-- functions/10_private_release.sql
-- What a run wrote becomes what readers get: all its tables at once, when every phase has succeeded, checks among them. Until
-- then its versions are in the lake and in ops.dataset_versions, and nobody but the run itself reads them. Phases that a
-- retry took over name their versions in their results. What is set aside (32_refresh.sql) stays so.
create or replace function private.release_datasets(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
begin
  -- One after another and in one order: two runs that end at once over the same datasets must not wait for each other.
  for v_one in
    select distinct on (v.dataset_id) v.dataset_id, v.version, v.columns, v.fingerprint, v.total_rows
    from (
      select m.dataset_id, m.version, m.columns, m.fingerprint, m.total_rows
      from ops.dataset_versions m
      where m.run_id = p_run_id and not m.aside
      union all
      select m.dataset_id, m.version, m.columns, m.fingerprint, m.total_rows
      from ops.runs r
      join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
      cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as d (one)
      join ops.datasets t on t.project_id = r.project_id and t.env = r.env
        and t.layer = pg_catalog.split_part(d.one ->> 'table', '.', 1)
        and t.name = pg_catalog.split_part(d.one ->> 'table', '.', 2)
      join ops.dataset_versions m on m.dataset_id = t.id and m.version = (d.one ->> 'version')::bigint
      where r.id = p_run_id and not m.aside
    ) as v
    order by v.dataset_id, v.version desc
  loop
    update ops.datasets
    set version = v_one.version, columns = v_one.columns, fingerprint = v_one.fingerprint, total_rows = v_one.total_rows,
      updated_at = pg_catalog.clock_timestamp()
    where id = v_one.dataset_id and (version is null or version < v_one.version);
  end loop;
end
$$;

-- The tables that a run releases, locked until it has: no rollback and no swap comes between the last look and the release.
create or replace function private.hold_outputs(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from ops.datasets d
  where d.id in (
    select v.dataset_id from ops.dataset_versions v where v.run_id = p_run_id
    union all
    select t.id
    from ops.runs r
    join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
    cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as o (one)
    join ops.datasets t on t.project_id = r.project_id and t.env = r.env
      and t.layer = pg_catalog.split_part(o.one ->> 'table', '.', 1)
      and t.name = pg_catalog.split_part(o.one ->> 'table', '.', 2)
    where r.id = p_run_id)
  order by d.id
  for no key update;
end
$$;

-- `layer.name` → the version that readers get, null where none is released yet, for those of p_tables that the installation
-- knows in the run's project and environment.
create or replace function ops.released_versions(p_run_id uuid, p_lease_token bigint, p_tables text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select coalesce(pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, d.version), '{}')
    from ops.runs r
    join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.layer || '.' || d.name = any (p_tables)
    where r.id = p_run_id);
end
$$;

-- functions/10_private_rerun.sql
-- Runs that are made of other runs: a retry, on the pinned definition or (latest) on the newest one, and a replay.

-- The rows of a phase's output are added to the table and take nothing away: twice is twice.
create or replace function private.appends(p_spec jsonb, p_phase text) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_catalog.jsonb_array_elements(
      case pg_catalog.jsonb_typeof(p_spec -> 'phases') when 'array' then p_spec -> 'phases' else '[]' end) as e
    where e ->> 'name' = p_phase and e -> 'output' ->> 'mode' = 'append')
$$;

-- Phase by phase what a run made of p_old would do, in the order of p_phases ({name, kind, depends_on}) of p_spec.
-- again: it is carried out; else it stands as p_old left it. anew: what it does to the lake is known by the new run, so that
-- nothing of p_old is taken for it; else a commit of p_old's line is found and adopted. refused: why it cannot be.
create or replace function private.rerun_plan(p_old ops.runs, p_spec jsonb, p_phases jsonb, p_way text, p_from text)
returns table (ordinal int, name text, kind text, again boolean, anew boolean, reason text, refused text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive wanted as (
    select p.ordinal::int as ordinal, p.phase ->> 'name' as name, p.phase ->> 'kind' as kind,
      coalesce((select pg_catalog.array_agg(d) from pg_catalog.jsonb_array_elements_text(p.phase -> 'depends_on') as d), '{}')
        as depends_on
    from pg_catalog.jsonb_array_elements(p_phases) with ordinality as p (phase, ordinal)
  ), reached as (
    select w.name from wanted w where w.name = p_from
    union
    select w.name from wanted w join reached r on r.name = any (w.depends_on)
  ), judged as (
    select w.ordinal, w.name, w.kind, w.name in (select r.name from reached r) as asked,
      coalesce(o.status in ('succeeded', 'skipped') and o.kind = w.kind, false) as stands,
      coalesce(o.attempt > 0 or o.status in ('succeeded', 'skipped'), false) as tried,
      private.appends(p_spec, w.name) as appends
    from wanted w left join ops.run_phases o on o.run_id = p_old.id and o.name = w.name
  ), decided as (
    select j.*, case
      when p_way = 'replay' then not (j.kind = 'ingest' and j.stands)
      when p_way = 'latest' and p_from is null then true
      else j.asked or not j.stands end as again
    from judged j
  )
  select d.ordinal, d.name, d.kind, d.again,
    d.again and not (p_way = 'retry' and (p_from is null or (d.appends and not d.stands))),
    case
      when not d.again and p_way = 'replay' then 'what it landed is what is replayed'
      when not d.again then 'succeeded before'
      when d.name = p_from then 'named'
      when d.asked then 'depends on ' || p_from
      when p_way = 'replay' or (p_way = 'latest' and p_from is null) then 'all phases'
      else 'has not succeeded' end,
    case
      when d.again and d.appends and case p_way when 'retry' then d.stands else d.tried end then
        'it appends, and has done so: a second time would double its rows'
      when d.again and d.kind = 'ingest' and (p_way = 'replay' or (p_way = 'retry' and d.stands)) then
        'it reads a source, which has moved on' end
  from decided d
  order by d.ordinal
$$;

-- Old rows must not take the place of newer ones unasked: what p_old wrote has been made since from newer inputs than it had.
-- A partition is looked at when it is written.
create or replace function private.refuse_older(p_old ops.runs) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_newer record;
begin
  select d.layer || '.' || d.name as table_name, n.run_id, e.input_table, e.input_version,
    (p_old.input_manifest -> 'tables' ->> e.input_table)::bigint as pinned
  into v_newer
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.dataset_versions n on n.dataset_id = v.dataset_id and n.version > v.version and not n.aside
  join ops.lineage_edges e on e.output_id = n.id
  where v.run_id = p_old.id and v.mode <> 'partition'
    and e.input_version > (p_old.input_manifest -> 'tables' ->> e.input_table)::bigint
  order by n.version desc
  limit 1;
  if found then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      '%s was written since by run %s from %s version %s, and run %s has pinned version %s, which is older; submit a new run',
      v_newer.table_name, v_newer.run_id, v_newer.input_table, v_newer.input_version, p_old.id, v_newer.pinned);
  end if;
end
$$;

-- What a run made of p_old runs: its own definition, or the one that its environment runs now.
create or replace function private.rerun_definition(p_old ops.runs, p_way text)
returns table (spec jsonb, sha256 text, git_sha text, params jsonb, phases jsonb, max_attempts int, timeout_seconds float8)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new ops.pipelines;
  v_wrong text;
begin
  if p_way <> 'latest' then
    return query
      select p_old.spec, p_old.spec_sha256, p_old.git_sha, p_old.params,
        (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', r.name, 'kind', r.kind, 'depends_on', r.depends_on) order by r.ordinal), '[]')
         from ops.run_phases r where r.run_id = p_old.id),
        p_old.max_attempts, p_old.timeout_seconds;
    return;
  end if;
  v_new := private.scheduled_version(p_old.project_id, p_old.env, p_old.pipeline);
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(p_old.params) as k where not coalesce(v_new.spec -> 'params', '{}') ? k;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'version %s of %s has no parameter %s; submit a new run', v_new.version, p_old.pipeline, v_wrong);
  end if;
  return query
    select v_new.spec, v_new.sha256, v_new.git_sha, private.param_defaults(v_new.spec) || p_old.params,
      private.spec_outline(v_new.spec), coalesce((v_new.spec ->> 'max_attempts')::int, 3),
      (v_new.spec ->> 'timeout')::float8;
end
$$;

-- The plan, or why there is none. Whoever calls has made sure of the caller's role.
create or replace function private.planned_rerun(p_old ops.runs, p_way text, p_from text)
returns table (ordinal int, name text, kind text, again boolean, anew boolean, reason text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_definition record;
  v_refused record;
begin
  if p_old.status not in ('succeeded', 'failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; only an ended run can be %s, cancel it first', p_old.id, p_old.status,
      case p_way when 'replay' then 'replayed' else 'retried' end);
  end if;
  if private.refresh_of(p_old.id) is not null and (p_way <> 'retry' or p_from is not null) then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s builds a refresh; what it makes is set aside for that one alone: start a new refresh', p_old.id);
  end if;
  if p_old.status = 'succeeded' and p_way <> 'replay' and p_from is null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s succeeded; a retry would have nothing to do, name a phase with --from-phase or submit a new run with '
      '`controlroom run submit`', p_old.id);
  end if;
  if p_way = 'replay' and p_old.input_manifest = '{}' and p_old.status <> 'succeeded' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s ended before it had pinned its inputs; there is nothing to replay, submit a new run', p_old.id);
  end if;
  select * into strict v_definition from private.rerun_definition(p_old, p_way);
  if p_from is not null and not exists (
    select from pg_catalog.jsonb_array_elements(v_definition.phases) as e where e ->> 'name' = p_from) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no phase %L in run %s; it has %s', p_from, p_old.id, (
        select pg_catalog.string_agg(e ->> 'name', ', ') from pg_catalog.jsonb_array_elements(v_definition.phases) as e));
  end if;
  select r.name, r.refused into v_refused
  from private.rerun_plan(p_old, v_definition.spec, v_definition.phases, p_way, p_from) as r
  where r.refused is not null limit 1;
  if found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'phase %L of run %s cannot be carried out again: %s; begin at a later phase with `controlroom run retry --from-phase`, or '
      'submit a new run', v_refused.name, p_old.id, v_refused.refused);
  end if;
  if p_way = 'replay' or (p_way = 'retry' and p_from is not null) then
    perform private.refuse_older(p_old);
  end if;
  return query
    select r.ordinal, r.name, r.kind, r.again, r.anew, r.reason
    from private.rerun_plan(p_old, v_definition.spec, v_definition.phases, p_way, p_from) as r;
end
$$;

-- Makes the run. p_key, p_available_at: see ops.create_run.
create or replace function private.make_rerun(
  p_old ops.runs, p_way text, p_from text, p_trigger text, p_key text default null, p_available_at timestamptz default null
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_definition record;
  v_new uuid;
  v_root uuid := coalesce(p_old.root_run, p_old.id);
begin
  select * into strict v_definition from private.rerun_definition(p_old, p_way);
  v_new := private.queue_run(
    p_old.project_id, p_old.env, p_old.pipeline, v_definition.spec, v_definition.sha256, v_definition.git_sha,
    v_definition.params, v_definition.phases, p_key, p_old.priority, p_trigger, v_definition.max_attempts,
    v_definition.timeout_seconds, p_available_at, p_old.id, p_old.tags,
    case p_way when 'latest' then '{}' else p_old.input_manifest end, p_way <> 'latest');
  -- A line of retries is one try after another at the same; a replay, or all phases of a new definition, begin one.
  update ops.runs set root_run = v_root where id = v_new and (p_way = 'retry' or (p_way = 'latest' and p_from is not null));
  update ops.run_phases n
  set effect_of = case when p.anew then v_new else coalesce(o.effect_of, v_root) end,
    kept = not p.again and (p_way <> 'retry' or p_from is not null)
  from private.planned_rerun(p_old, p_way, p_from) as p
  left join ops.run_phases o on o.run_id = p_old.id and o.name = p.name
  where n.run_id = v_new and n.name = p.name;
  update ops.run_phases n
  set status = 'succeeded', started_at = o.started_at, finished_at = o.finished_at, rows_in = o.rows_in,
    rows_out = o.rows_out, byte_size = o.byte_size, input_fingerprint = o.input_fingerprint,
    output_fingerprint = o.output_fingerprint, metrics = o.metrics, result = o.result
  from private.planned_rerun(p_old, p_way, p_from) as p
  join ops.run_phases o on o.run_id = p_old.id and o.name = p.name
  where n.run_id = v_new and n.name = p.name and not p.again;
  return v_new;
end
$$;

-- The defaults of a spec's parameters, those that have one.
create or replace function private.param_defaults(p_spec jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_object_agg(d.key, d.value -> 'default'), '{}')
  from pg_catalog.jsonb_each(coalesce(p_spec -> 'params', '{}')) as d
  where d.value -> 'default' is not null
$$;

-- The phases of a spec as ops.create_run takes them.
create or replace function private.spec_outline(p_spec jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', p.phase -> 'name', 'kind', p.phase -> 'kind', 'depends_on', coalesce(p.phase -> 'depends_on', '[]'))
    order by p.ordinal), '[]')
  from pg_catalog.jsonb_array_elements(coalesce(p_spec -> 'phases', '[]')) with ordinality as p (phase, ordinal)
$$;

-- functions/10_private_run_filter.sql
-- What ops.find_runs makes of its filter.

create or replace function private.projects_asked_for(p_filter jsonb) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted boolean := private.is_trusted();
  v_mine uuid[] := case when v_trusted then '{}' else array(select private.my_projects()) end;
begin
  if not v_trusted and not p_filter ?| '{org,project}' then
    return v_mine;
  end if;
  return array(
    select p.id
    from ops.projects p
    join ops.orgs o on o.id = p.org_id
    where (p_filter ->> 'org' is null or o.slug = p_filter ->> 'org')
      and (p_filter ->> 'project' is null or p.slug = p_filter ->> 'project')
      and (v_trusted or p.id = any (v_mine)));
end
$$;

-- Conditions on a run r, beginning with one that is always there. Every value is a literal of its type: whatever a person
-- writes is a value and nothing else.
create or replace function private.run_conditions(p_filter jsonb, p_before_at timestamptz, p_before_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_where text;
  v_hidden text[];
  v_words tsquery;
  v_tags text[];
  v_key text;
begin
  perform private.check_run_filter(p_filter);
  -- Bounds instead of "if given": the index then begins at the page, however deep it is.
  v_where := pg_catalog.format(
    '(r.created_at, r.id) < (%L::timestamptz, %L::uuid)', coalesce(p_before_at, 'infinity'),
    coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
  foreach v_key in array '{env,pipeline}'::text[] loop
    if p_filter ? v_key then
      v_where := v_where || pg_catalog.format(' and r.%I = %L', v_key, p_filter ->> v_key);
    end if;
  end loop;
  if p_filter ? 'trigger' then
    v_where := v_where || pg_catalog.format(' and r.trigger = any (%L::text[])', array(
      select pg_catalog.jsonb_array_elements_text(p_filter -> 'trigger')));
  end if;
  -- Questions of people are in ops.find_queries; among the runs they would hide what was meant to happen.
  if not p_filter ?| '{trigger,pipeline}' then
    v_where := v_where || ' and r.trigger <> ''query''';
  end if;
  if p_filter ? 'executor' then
    v_where := v_where || pg_catalog.format(' and r.executor_id = %L::uuid', (p_filter ->> 'executor')::uuid);
  end if;
  if p_filter ? 'root_run' then
    v_where := v_where || pg_catalog.format(
      ' and coalesce(r.root_run, r.id) = %L::uuid', (p_filter ->> 'root_run')::uuid);
  end if;
  if p_filter ? 'since' then
    v_where := v_where || pg_catalog.format(' and r.created_at >= %L::timestamptz', (p_filter ->> 'since')::timestamptz);
  end if;
  if p_filter ? 'until' then
    v_where := v_where || pg_catalog.format(' and r.created_at < %L::timestamptz', (p_filter ->> 'until')::timestamptz);
  end if;
  if p_filter ? 'text' then
    v_words := (nullif(pg_catalog.plainto_tsquery('simple', p_filter ->> 'text')::text, '') || ':*')::tsquery;
    if v_words is null then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'text: %L holds no word to look for', p_filter ->> 'text');
    end if;
    v_where := v_where || pg_catalog.format(
      ' and (to_tsvector(''simple''::regconfig, '
      'r.pipeline || '' '' || coalesce(r.error_code, '''') || '' '' || coalesce(r.error_message, '''')) @@ %1$L::tsquery '
      'or to_tsvector(''simple''::regconfig, r.tags) @@ %1$L::tsquery)', v_words);
  end if;
  if p_filter ? 'tags' then
    -- The words of the values are what the index knows.
    v_tags := array(
      select words::text
      from (
        select pg_catalog.plainto_tsquery('simple', value #>> '{}') as words
        from pg_catalog.jsonb_each(p_filter -> 'tags')
        where pg_catalog.jsonb_typeof(value) = 'string'
      ) as w
      where words::text <> '');
    if v_tags <> '{}' then
      v_where := v_where || pg_catalog.format(
        ' and to_tsvector(''simple''::regconfig, r.tags) @@ %L::tsquery', pg_catalog.array_to_string(v_tags, ' & '));
    end if;
    v_where := v_where || pg_catalog.format(' and r.tags @> %L::jsonb', p_filter -> 'tags');
  end if;
  v_hidden := case when private.is_trusted() then '{}' else array(select private.my_hidden_envs()) end;
  if v_hidden <> '{}' then
    v_where := v_where || pg_catalog.format(' and r.project_id::text || ''/'' || r.env <> all (%L::text[])', v_hidden);
  end if;
  return v_where;
end
$$;

-- One condition a status that is asked for, so that each is a literal which a partial index knows.
create or replace function private.run_status_conditions(p_filter jsonb) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_filter ? 'status' then array(
      select distinct pg_catalog.format('r.status = %L', e.status)
      from pg_catalog.jsonb_array_elements_text(p_filter -> 'status') as e (status))
    else '{true}'
  end
$$;

-- pg_input_is_valid, which Postgres has from 16 on.
create or replace function private.is_time(p_text text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform p_text::timestamptz;
  return true;
exception when others then
  return false;
end
$$;

-- Every fault at once.
create or replace function private.check_run_filter(p_filter jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := '{org,project,env,pipeline,executor,root_run,text,since,until,status,trigger,tags}';
  v_faults text[];
begin
  if p_filter is null or pg_catalog.jsonb_typeof(p_filter) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_filter must be an object; {} asks for everything';
  end if;
  select pg_catalog.array_agg(fault order by fault) into v_faults
  from (
    select case
      when key <> all (v_known) then pg_catalog.format('%s is no filter; known are %s', key, pg_catalog.array_to_string(v_known, ', '))
      when key in ('status', 'trigger') and (pg_catalog.jsonb_typeof(value) <> 'array' or value = '[]') then key || ' must be a list'
      when key = 'tags' and (pg_catalog.jsonb_typeof(value) <> 'object' or value = '{}') then 'tags must be an object'
      when key not in ('status', 'trigger', 'tags') and pg_catalog.jsonb_typeof(value) <> 'string' then key || ' must be a text'
      when key in ('executor', 'root_run') and value #>> '{}' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        then pg_catalog.format('%s: %L is no id', key, value #>> '{}')
      when key in ('since', 'until') and not private.is_time(value #>> '{}')
        then pg_catalog.format('%s: %L is no time', key, value #>> '{}')
    end as fault
    from pg_catalog.jsonb_each(p_filter)
  ) as checked
  where fault is not null;
  if v_faults is not null then
    raise exception using errcode = 'CR007', message = 'p_filter: ' || pg_catalog.array_to_string(v_faults, '; ');
  end if;
end
$$;

-- functions/10_private_transitions.sql
-- Moves of an owned run, shared by the RPCs.

-- Locks the run row, then the lease: every caller in this order, so that none waits for another in a circle. NO KEY UPDATE,
-- not UPDATE: what refers to the run by a foreign key (an artifact, a retry) must not wait for its owner. Returns false
-- where this token already brought the run to one of p_done: a repeat, to be answered as a success.
create or replace function private.take_run(p_run_id uuid, p_lease_token bigint, p_done text[]) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select status, lease_token into v_run from ops.runs where id = p_run_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no run %s; check the id', p_run_id);
  end if;
  if v_run.lease_token = p_lease_token and v_run.status = any (p_done) then
    return false;
  end if;
  perform private.owned(p_run_id, p_lease_token);
  return true;
end
$$;

-- Ends an owned run for good. The caller has locked the run row.
create or replace function private.end_run(
  p_run_id uuid, p_status text, p_type text, p_message text, p_data jsonb, p_level text,
  p_error_code text default null, p_error_message text default null, p_error_data jsonb default null,
  p_output_manifest jsonb default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_end record;
begin
  select * into v_end from private.end_lease(p_run_id, p_type, p_message, p_data, p_level);
  if p_status <> 'succeeded' then
    update ops.run_phases
    set status = case when p_status = 'canceled' then 'canceled' else 'failed' end,
      finished_at = pg_catalog.clock_timestamp(), error_code = coalesce(error_code, p_error_code)
    where run_id = p_run_id and status = 'running';
  end if;
  update ops.runs
  set status = p_status, finished_at = pg_catalog.clock_timestamp(), event_seq = v_end.seq, event_hash = v_end.hash,
    phase = v_end.phase, error_code = p_error_code, error_message = p_error_message, error_data = p_error_data,
    output_manifest = coalesce(p_output_manifest, output_manifest)
  where id = p_run_id;
end
$$;

-- Puts an owned run back into the queue. The caller has locked the run row.
create or replace function private.requeue_run(
  p_run_id uuid, p_message text, p_data jsonb, p_available_at timestamptz, p_attempts_back int, p_leases_lost int,
  p_error_code text default null, p_error_message text default null, p_error_data jsonb default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_end record;
begin
  select * into v_end from private.end_lease(p_run_id, 'RUN_REQUEUED', p_message, p_data, 'warning');
  update ops.run_phases set status = 'pending' where run_id = p_run_id and status = 'running';
  update ops.runs
  set status = 'queued', available_at = p_available_at, attempt = attempt - p_attempts_back,
    lost_leases = lost_leases + p_leases_lost, event_seq = v_end.seq, event_hash = v_end.hash, phase = v_end.phase,
    error_code = p_error_code, error_message = p_error_message, error_data = p_error_data
  where id = p_run_id;
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;

-- functions/11_private_event_time.sql
-- The dataset's own clock as of this version, where a freshness rule names its column and the commit has counted it: known at
-- once, so that the run's signals can tell of it. What cannot be known so is left to the steward, who reads the table.
create or replace function private.know_event_time(p_version_id uuid) returns void
language plpgsql
-- A date is its first moment in UTC.
set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  v_one record;
  v_before record;
begin
  select v.dataset_id, v.version, v.mode, v.stats ? 'newest' as counted,
    (v.stats -> 'newest' ->> r.event_column)::timestamptz as newest
  into v_one
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.freshness_rules r on r.project_id = d.project_id and r.env = d.env and r.dataset = d.layer || '.' || d.name
  where v.id = p_version_id and r.event_column is not null and v.columns ? r.event_column;
  if not found or not v_one.counted then
    return;
  end if;
  if v_one.mode <> 'replace' and v_one.version > 0 then
    select event_time, event_looked_at into v_before
    from ops.dataset_versions where dataset_id = v_one.dataset_id and version = v_one.version - 1;
    if v_before.event_looked_at is null then
      return;
    end if;
    v_one.newest := greatest(v_one.newest, v_before.event_time);
  end if;
  update ops.dataset_versions
  set event_time = v_one.newest, event_looked_at = pg_catalog.clock_timestamp()
  where id = p_version_id;
end
$$;

-- functions/11_private_run_signals.sql
-- What an ended run says about itself beside its own row, each beside its own history of the last eight weeks, of runs that
-- succeeded. Units: docs/signals.md. Every signal's data says in words what was seen ("said").

-- What was written, by dataset: rows beside what is usual, nulls by column, columns that came, went or changed their type.
create or replace function private.record_data_signals(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_past record;
begin
  for v_one in
    select v.id, v.project_id, v.dataset_id, d.layer || '.' || d.name as table, v.version, v.mode, v.columns, v.recorded_at,
      v.event_time, case v.mode when 'replace' then v.total_rows else v.rows end as rows,
      (v.stats ->> 'rows')::float8 as added, v.stats -> 'nulls' as nulls,
      private.is_usual(r) as is_usual, private.is_refresh(r) as is_refresh
    from ops.dataset_versions v
    join ops.datasets d on d.id = v.dataset_id
    join ops.runs r on r.id = v.run_id
    where v.run_id = p_run_id and d.layer <> 'quarantine'
    order by v.dataset_id, v.version
  loop
    -- A refresh is compared by its own phases, with what readers have.
    continue when v_one.is_refresh;
    perform private.keep_worst(p_run_id, v_one.project_id, 'schema_drift', s.changes, jsonb_build_object(
        'table', v_one.table, 'changes', s.what, 'said', case when s.changes > 0
          then pg_catalog.format('the columns of %s changed: %s', v_one.table, s.what)
          else pg_catalog.format('the columns of %s are those of before', v_one.table) end))
    from private.schema_changes(v_one.dataset_id, v_one.version, v_one.columns) as s;

    continue when not v_one.is_usual;
    v_past := private.history_of(v_one.dataset_id, v_one.version, v_one.recorded_at, v_one.mode);
    perform private.keep_worst(p_run_id, v_one.project_id, 'row_count_anomaly', abs(a.z), jsonb_build_object(
        'table', v_one.table, 'seen', v_one.rows, 'usual', round((exp(a.usual) - 1)::numeric), 'points', a.points,
        'said', pg_catalog.format('%s %s %s rows than %s (%s, usually about %s)', v_one.table,
          case v_one.mode when 'replace' then 'has' else 'got' end,
          private.change_words(v_one.rows, exp(a.usual) - 1, 'fewer', 'more'),
          private.season_words(a.season, v_one.recorded_at), to_char(v_one.rows, 'FM999,999,999,999'),
          to_char(round((exp(a.usual) - 1)::numeric), 'FM999,999,999,999'))))
    from private.anomaly(ln(1 + v_one.rows::float8), v_one.recorded_at, v_past.rows, v_past.times, 0.03, true) as a;

    perform private.keep_worst(p_run_id, v_one.project_id, 'freshness_lag', greatest(a.z, 0), jsonb_build_object(
        'table', v_one.table, 'seen', round(l.lag::numeric), 'usual', round((exp(a.usual) - 1)::numeric), 'points', a.points,
        'said', pg_catalog.format('the newest data of %s is %s old (usually %s)', v_one.table,
          private.span_words(l.lag), private.span_words(exp(a.usual) - 1))))
    from (
      select greatest(extract(epoch from v_one.recorded_at - v_one.event_time)::float8, 0) as lag) as l
    cross join lateral private.anomaly(ln(1 + l.lag), v_one.recorded_at, v_past.lags, v_past.times, 0.3) as a
    where v_one.event_time is not null;

    perform private.keep_worst(p_run_id, v_one.project_id, 'null_rate', greatest(n.z, 0), jsonb_build_object(
        'table', v_one.table, 'column', n.column_name, 'seen', round(n.share::numeric, 4),
        'usual', round(n.usual::numeric, 4), 'points', n.points,
        'said', pg_catalog.format('%s.%s is null in %s %% of rows (usually %s %%)', v_one.table, n.column_name,
          round((100 * n.share)::numeric, 1), round((100 * n.usual)::numeric, 1))))
    from private.null_anomalies(v_one.dataset_id, v_one.version, v_one.mode, v_one.nulls, v_one.added) as n
    order by n.z desc
    limit 1;
  end loop;
end
$$;

-- Does the run, or the one that it is a retry of, make everything anew?
create or replace function private.is_refresh(p_run ops.runs) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.refreshes f where f.run_id = coalesce(p_run.root_run, p_run.id))
$$;

-- Runs that bring a day of the past again, and full refreshes, are not compared: neither with others nor others with them.
drop function if exists private.is_usual(text);
create or replace function private.is_usual(p_run ops.runs) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_run.trigger <> all ('{backfill,replay}') and not private.is_refresh(p_run)
$$;

-- One signal a run, the worst of its datasets.
create or replace function private.keep_worst(
  p_run_id uuid, p_project_id uuid, p_signal text, p_value float8, p_data jsonb
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.signals as s (run_id, signal, project_id, value, data)
  values (p_run_id, p_signal, p_project_id, round(p_value::numeric, 3)::float8, p_data)
  on conflict (run_id, signal) do update
  set value = excluded.value, data = excluded.data
  where s.value < excluded.value
$$;

-- Versions of successful runs before this one that readers got, as arrays of one order. A replaced table counts whole, else what
-- came.
create or replace function private.history_of(
  p_dataset_id uuid, p_version bigint, p_at timestamptz, p_mode text, out rows float8[], out lags float8[],
  out times timestamptz[]
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(ln(1 + h.rows::float8)),
    array_agg(ln(1 + greatest(extract(epoch from h.recorded_at - h.event_time)::float8, 0))), array_agg(h.recorded_at)
  from (
    select case p_mode when 'replace' then v.total_rows else v.rows end as rows, v.recorded_at, v.event_time
    from ops.dataset_versions v
    join ops.runs r on r.id = v.run_id and r.status = 'succeeded' and private.is_usual(r)
    where v.dataset_id = p_dataset_id and v.version < p_version and v.recorded_at > p_at - interval '56 days'
      and v.mode = p_mode and not v.aside
    order by v.version desc
    limit 1500
  ) as h
$$;

-- The share of nulls of each column beside the last sixty versions. A share of n rows varies by sqrt(p (1 - p) / n) by itself.
create or replace function private.null_anomalies(
  p_dataset_id uuid, p_version bigint, p_mode text, p_nulls jsonb, p_rows float8
) returns table (column_name text, share float8, z float8, usual float8, points int)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with past as (
    select c.key as column_name, array_agg(c.value::float8 / v.rows) as shares,
      percentile_cont(0.5) within group (order by c.value::float8 / v.rows) as usual
    from (
      select (v.stats ->> 'rows')::float8 as rows, v.stats -> 'nulls' as nulls
      from ops.dataset_versions v
      where v.dataset_id = p_dataset_id and v.version < p_version and v.mode = p_mode and not v.aside
        and (v.stats ->> 'rows')::float8 > 0
        and exists (
          select from ops.runs r where r.id = v.run_id and r.status = 'succeeded' and private.is_usual(r))
      order by v.version desc
      limit 60
    ) as v
    cross join lateral pg_catalog.jsonb_each_text(v.nulls) as c
    group by c.key
  ), now as (
    select n.key as column_name, n.value::float8 / p_rows as share, past.shares,
      least(greatest(past.usual, 1 / p_rows), 0.5) as p
    from pg_catalog.jsonb_each_text(p_nulls) as n join past on past.column_name = n.key
    where p_rows > 0
  )
  select n.column_name, n.share, a.z, a.usual, a.points
  from now n
  cross join lateral private.steady_anomaly(
    n.share, n.shares, greatest(0.005, sqrt(n.p * (1 - n.p) / p_rows))) as a
$$;

-- Beside the version before that readers got, whoever wrote it; the first version has changed nothing.
create or replace function private.schema_changes(p_dataset_id uuid, p_version bigint, p_columns jsonb)
returns table (changes int, what text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with before as (
    select v.columns
    from ops.dataset_versions v
    where v.dataset_id = p_dataset_id and v.version < p_version and not v.aside
      and exists (select from ops.runs r where r.id = v.run_id and r.status = 'succeeded')
    order by v.version desc
    limit 1
  ), changed as (
    select case
      when b.value is null then n.key || ' is new'
      when n.value is null then b.key || ' is gone'
      else pg_catalog.format('%s is %s, was %s', n.key, n.value, b.value)
    end as what
    from (select c.key, c.value from before, pg_catalog.jsonb_each_text(before.columns) as c) as b
    full join pg_catalog.jsonb_each_text(p_columns) as n on n.key = b.key
    where n.value is distinct from b.value
  )
  select count(*)::int, coalesce(string_agg(what, ', ' order by what), '')
  from changed
  where exists (select from before)
$$;

-- How long the run took beside runs of its pipeline before it, and how many of the latest failed.
create or replace function private.record_pipeline_signals(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select r.id, r.project_id, r.env, r.pipeline, r.status, r.parent_run, r.created_at, r.started_at,
    extract(epoch from r.finished_at - r.started_at)::float8 as seconds, private.is_usual(r) as is_usual
  into strict v_run
  from ops.runs r where r.id = p_run_id;

  perform private.keep_worst(p_run_id, v_run.project_id, 'error_rate', e.share, jsonb_build_object(
      'runs', e.runs, 'failed', e.failed,
      'said', pg_catalog.format('%s of the last %s runs of %s failed', e.failed, e.runs, v_run.pipeline)))
  from (
    select count(*) as runs, count(*) filter (where status = 'failed') as failed,
      (count(*) filter (where status = 'failed'))::float8 / nullif(count(*), 0) as share
    from (
      select r.status
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) <= (v_run.created_at, v_run.id) and r.status in ('succeeded', 'failed')
      order by r.created_at desc, r.id desc
      limit 20
    ) as latest
  ) as e
  where e.runs >= 5;

  perform private.keep_worst(p_run_id, v_run.project_id, 'duration_anomaly', greatest(a.z, 0), jsonb_build_object(
      'seen', round(v_run.seconds::numeric, 3), 'usual', round((exp(a.usual) - 1)::numeric, 3), 'points', a.points,
      'said', pg_catalog.format('it took %s than %s (%s, usually %s)',
        private.change_words(v_run.seconds, exp(a.usual) - 1, 'shorter', 'longer'),
        private.season_words(a.season, v_run.started_at), private.span_words(v_run.seconds), private.span_words(exp(a.usual) - 1))))
  from (
    select array_agg(ln(1 + greatest(h.seconds, 0))) as seconds, array_agg(h.started_at) as times
    from (
      select extract(epoch from r.finished_at - r.started_at)::float8 as seconds, r.started_at
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) < (v_run.created_at, v_run.id)
        and r.created_at > v_run.created_at - interval '56 days' and r.status = 'succeeded'
        -- A retry does a part of the work.
        and r.parent_run is null and private.is_usual(r) and r.started_at is not null
      order by r.created_at desc, r.id desc
      limit 1500
    ) as h
  ) as h
  -- Of a run of a second half a second is noise: 1 + seconds.
  cross join lateral private.anomaly(ln(1 + greatest(v_run.seconds, 0)), v_run.started_at, h.seconds, h.times, 0.1) as a
  where v_run.status = 'succeeded' and v_run.seconds is not null and v_run.parent_run is null
    and v_run.is_usual;
end
$$;

-- Processor time beside the latest runs of the pipeline, where phases say it.
create or replace function private.record_cost_signal(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select r.project_id, r.env, r.pipeline, r.created_at, r.id, c.seconds, private.is_usual(r) as is_usual
  into strict v_run
  from ops.runs r cross join lateral private.cpu_seconds(r.id) as c (seconds)
  where r.id = p_run_id;
  if v_run.seconds is null or not v_run.is_usual then
    return;
  end if;
  perform private.keep_worst(p_run_id, v_run.project_id, 'cost_anomaly', greatest(a.z, 0), jsonb_build_object(
      'seen', round(v_run.seconds::numeric, 2), 'usual', round((exp(a.usual) - 1)::numeric, 2), 'points', a.points,
      'said', pg_catalog.format('it used %s of processor time (usually %s)',
        private.span_words(v_run.seconds), private.span_words(exp(a.usual) - 1))))
  from (
    select array_agg(ln(1 + c.seconds)) as seconds
    from (
      select r.id
      from ops.runs r
      where r.project_id = v_run.project_id and r.pipeline = v_run.pipeline and r.env = v_run.env
        and (r.created_at, r.id) < (v_run.created_at, v_run.id) and r.status = 'succeeded' and r.parent_run is null
        and private.is_usual(r)
      order by r.created_at desc, r.id desc
      limit 60
    ) as r
    cross join lateral private.cpu_seconds(r.id) as c (seconds)
    where c.seconds is not null
  ) as h
  cross join lateral private.steady_anomaly(ln(1 + v_run.seconds), h.seconds, 0.15) as a;
end
$$;

create or replace function private.cpu_seconds(p_run_id uuid) returns float8
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sum(greatest((p.metrics ->> 'cpu_seconds')::float8, 0))
  from ops.run_phases p
  where p.run_id = p_run_id and pg_catalog.jsonb_typeof(p.metrics -> 'cpu_seconds') = 'number'
$$;

create or replace function private.span_words(p_seconds float8) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_seconds < 10 then round(p_seconds::numeric, 1) || ' s'
    when p_seconds < 120 then round(p_seconds::numeric) || ' s'
    when p_seconds < 7200 then round((p_seconds / 60)::numeric) || ' min'
    when p_seconds < 172800 then round((p_seconds / 3600)::numeric, 1) || ' h'
    else round((p_seconds / 86400)::numeric, 1) || ' d'
  end
$$;

-- functions/11_private_schedules.sql
-- What a tick of a schedule becomes. Whoever calls holds the schedule's row, so that one decides at a time.

-- A share of the schedule's jitter, the same for a tick whoever asks and however often.
create or replace function private.jitter(p_schedule_id uuid, p_tick timestamptz, p_seconds float8) returns interval
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_seconds = 0 then
    return interval '0';
  end if;
  return pg_catalog.make_interval(secs => pg_catalog.floor(p_seconds * (
    ('x' || pg_catalog.encode(pg_catalog.substring(pg_catalog.sha256(pg_catalog.convert_to(
      p_schedule_id::text || '@' || extract(epoch from p_tick)::bigint, 'UTF8')), 1, 4), 'hex'))::bit(32)::bigint
    / 4294967296.0)));
end
$$;

-- The version that a schedule runs: in dev the newest that was registered, elsewhere the one that was promoted.
create or replace function private.scheduled_version(p_project_id uuid, p_env text, p_pipeline text)
returns ops.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found ops.pipelines;
begin
  if p_env = 'dev' then
    select * into v_found from ops.pipelines p
    where p.project_id = p_project_id and p.slug = p_pipeline order by p.version desc limit 1;
  else
    select * into v_found from ops.pipelines p
    where p.project_id = p_project_id and p.slug = p_pipeline
      and p.version = private.promoted_version(p_project_id, p_pipeline, p_env);
  end if;
  if v_found.id is null then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'no version of %s runs in %s; %s', p_pipeline, p_env,
      case p_env when 'dev' then 'register it with `controlroom schedule apply`'
        else 'promote one with `controlroom pipeline promote`' end);
  end if;
  return v_found;
end
$$;

-- The spec's defaults, the schedule's values over them, those of the event over both. "{tick}" is the tick in UTC,
-- "{date}" its date where the schedule is at home.
create or replace function private.scheduled_params(
  p_spec jsonb, p_schedule ops.schedules, p_tick timestamptz, p_given jsonb
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known jsonb := coalesce(p_spec -> 'params', '{}');
  v_given jsonb := p_schedule.params || coalesce(p_given, '{}');
  v_wrong text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(v_given) as k where not v_known ? k;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'pipeline %s has no parameter %s; correct the schedule with `controlroom schedule add`',
      p_schedule.pipeline, v_wrong);
  end if;
  return private.param_defaults(p_spec)
    || coalesce((
      select pg_catalog.jsonb_object_agg(g.key, case g.value #>> '{}'
        when '{tick}' then pg_catalog.to_jsonb(pg_catalog.to_char(p_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        when '{date}' then pg_catalog.to_jsonb(pg_catalog.to_char(p_tick at time zone p_schedule.timezone, 'YYYY-MM-DD'))
        else g.value end)
      from pg_catalog.jsonb_each(v_given) as g), '{}');
end
$$;

-- Queues the run of a tick; the key makes a second one impossible, whoever else might try.
create or replace function private.create_scheduled_run(
  p_schedule ops.schedules, p_key text, p_tick timestamptz, p_data jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline ops.pipelines := private.scheduled_version(p_schedule.project_id, p_schedule.env, p_schedule.pipeline);
begin
  return ops.create_run(
    p_project_id => p_schedule.project_id, p_env => p_schedule.env, p_pipeline => p_schedule.pipeline,
    p_spec => v_pipeline.spec, p_spec_sha256 => v_pipeline.sha256, p_git_sha => v_pipeline.git_sha,
    p_params => private.scheduled_params(v_pipeline.spec, p_schedule, p_tick, p_data -> 'params'),
    p_phases => private.spec_outline(v_pipeline.spec),
    p_idempotency_key => 'schedule:' || p_schedule.id || ':' || p_key,
    p_priority => p_schedule.priority, p_trigger => 'schedule',
    p_max_attempts => coalesce((v_pipeline.spec ->> 'max_attempts')::int, 3),
    p_timeout_seconds => (v_pipeline.spec ->> 'timeout')::float8,
    p_tags => pg_catalog.jsonb_build_object('schedule', p_schedule.slug, 'started_by', p_schedule.kind,
      'tick', pg_catalog.to_char(p_tick at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
end
$$;

-- Why a tick that is otherwise to fire does not; null where it does. May cancel runs, where that is the schedule's way.
create or replace function private.tick_hindrance(p_schedule ops.schedules, p_open uuid[], p_data jsonb) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_score numeric;
  v_run uuid;
begin
  if p_schedule.kind = 'on_dataset' and exists (
    select from ops.runs r where r.id = (p_data ->> 'run_id')::uuid and r.pipeline = p_schedule.pipeline) then
    return 'the pipeline itself changed the dataset';
  end if;
  if p_schedule.min_score is not null then
    v_score := (ops.compute_run_score((p_data ->> 'run_id')::uuid));
    if v_score < p_schedule.min_score then
      return pg_catalog.format('run %s scored %s, less than %s', p_data ->> 'run_id', v_score, p_schedule.min_score);
    end if;
  end if;
  if p_schedule.overlap = 'skip' and p_open <> '{}' then
    return pg_catalog.format('run %s has not ended', p_open[1]);
  end if;
  if p_schedule.overlap = 'cancel_running' then
    -- In the order in which heartbeats lock leases.
    for v_run in select r from unnest(p_open) as r order by r loop
      perform ops.cancel_run(v_run, pg_catalog.format('the next tick of schedule %s', p_schedule.slug));
    end loop;
  end if;
  return null;
end
$$;

-- Those of the schedule's runs that have not ended.
create or replace function private.open_runs(p_schedule ops.schedules) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_schedule.overlap = 'queue' then
    return '{}';
  end if;
  return array(
    select r.id from ops.runs r
    where r.id = any (p_schedule.open_runs) and r.status in ('queued', 'claimed', 'running') order by r.id);
end
$$;

-- Fires one tick, or says why not. A refusal of ours ends in the ledger; it must not keep other ticks from their turn.
create or replace function private.fire_tick(
  p_schedule ops.schedules, p_key text, p_tick timestamptz, p_data jsonb, inout open_runs uuid[],
  out outcome text, out reason text, out run_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  reason := private.tick_hindrance(p_schedule, open_runs, p_data);
  if reason is not null then
    outcome := 'skipped';
    return;
  end if;
  run_id := private.create_scheduled_run(p_schedule, p_key, p_tick, p_data);
  outcome := 'fired';
  reason := '';
  if p_schedule.overlap <> 'queue' then
    open_runs := open_runs || run_id;
  end if;
exception
  when sqlstate 'CR002' or sqlstate 'CR003' or sqlstate 'CR004' or sqlstate 'CR005' or sqlstate 'CR006' or sqlstate 'CR007'
    or data_exception or integrity_constraint_violation then
    outcome := 'failed';
    reason := sqlerrm;
    run_id := null;
end
$$;

-- Sorts ticks that are due at p_now: which fire, and why others are passed over. p_ticks stand in their order; of those,
-- the first that is not yet due ends the list.
create or replace function private.judge_ticks(p_schedule ops.schedules, p_now timestamptz, p_ticks timestamptz[])
returns table (ordinal int, tick timestamptz, verdict text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with due as (
      select t.o::int as o, t.tick as at, t.tick + private.jitter(p_schedule.id, t.tick, p_schedule.jitter_seconds) as due_at
      from pg_catalog.unnest(p_ticks) with ordinality as t (tick, o)
    ), taken as (
      select d.o, d.at, p_now - d.due_at > pg_catalog.make_interval(secs => p_schedule.grace_seconds) as late
      from due d
      where d.o < coalesce((select pg_catalog.min(n.o) from due n where n.due_at > p_now), 2147483647)
    ), ranked as (
      select t.*, pg_catalog.count(*) filter (where t.late) over (order by t.o desc) as late_rank,
        pg_catalog.max(t.o) over () as last
      from taken t
    )
    select r.o, r.at, case
      when not r.late then 'fire'
      when p_schedule.misfire = 'skip' then 'missed'
      when p_schedule.misfire = 'run_once' then case when r.o = r.last then 'fire' else 'missed; a later tick stands for it' end
      when r.late_rank <= p_schedule.catch_up_limit then 'fire'
      else 'missed; more than the catch-up limit of ' || p_schedule.catch_up_limit end
    from ranked r
    order by r.o;
end
$$;

-- functions/12_private_scores.sql
-- The parts of a score, those that cost most first: each with what it could have given, what it gave, and what was seen.
-- p_weights overrides weights by signal: {"retries": 30}, to ask what if.
create or replace function private.score_breakdown(p_run_id uuid, p_weights jsonb default '{}') returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with weighed as (
    select s.signal, s.value, s.data, w.direction, w.half_at, w.free_until,
      coalesce((p_weights ->> s.signal)::float8, w.weight) as weight
    from ops.signals s join ops.signal_weights w on w.signal = s.signal
    where s.run_id = p_run_id
  ), ranked as (
    select *, row_number() over (order by weight desc, signal) as place,
      round((weight / sum(weight) over () * 100)::numeric, 2) as rounded
    from weighed
    where weight > 0
  ), whole as (
    -- What rounding leaves over is the heaviest one's: so all together are 100, and the points add up to the score.
    select *, case place when 1 then 100 - (sum(rounded) over () - rounded) else rounded end as possible from ranked
  ), pointed as (
    select signal, value, data, possible,
      round(possible * case direction
        when 'down' then 1 / (1 + greatest(value - free_until, 0) / half_at)
        else 1 - 1 / (1 + greatest(value - free_until, 0) / half_at)
      end::numeric, 2) as points
    from whole
  )
  select coalesce(jsonb_agg(
    jsonb_build_object('signal', signal, 'value', value, 'points', points, 'possible', possible, 'said', data ->> 'said')
    order by possible - points desc, signal), '[]')
  from pointed
$$;

-- One sentence for a person: what cost at least a point, the worst three.
create or replace function private.score_sentence(p_score numeric, p_breakdown jsonb) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.format('%s of 100: %s', round(p_score), coalesce(string_agg(said, '; ' order by place), 'nothing stood out'))
  from (
    select coalesce(part ->> 'said', pg_catalog.format('%s is %s', part ->> 'signal', part ->> 'value')) as said, place
    from pg_catalog.jsonb_array_elements(p_breakdown) with ordinality as e (part, place)
    where (part ->> 'possible')::numeric - (part ->> 'points')::numeric >= 1
    order by place
    limit 3
  ) as worst
$$;

-- The least score that a run of the pipeline must have to let its version into the environment; null where none is asked.
create or replace function private.min_score(p_project_id uuid, p_pipeline text, p_env text) returns numeric
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select g.min_score
  from ops.score_gates g
  where g.project_id = p_project_id and g.env = p_env and (g.pipeline = p_pipeline or g.pipeline is null)
  order by g.pipeline nulls last
  limit 1
$$;

-- Is the run good enough for what its environment asks of the pipeline? For whatever a run sets off. A run without a score yet
-- gets one now; without a gate everything passes.
create or replace function private.score_gate_open(p_project_id uuid, p_pipeline text, p_env text, p_run_id uuid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_least numeric := private.min_score(p_project_id, p_pipeline, p_env);
begin
  return v_least is null
    or coalesce((select s.score from ops.run_scores s where s.run_id = p_run_id), ops.compute_run_score(p_run_id)) >= v_least;
end
$$;

-- functions/12_private_ticks.sql
-- The two ways to a tick: the clock, whose ticks the steward counts out, and events, which are in the ledger already.

-- Notes skipped ticks of a clock that stand in a row.
create or replace function private.note_skipped(
  p_schedule ops.schedules, p_from timestamptz, p_through timestamptz, p_ticks int, p_reason text, p_now timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.schedule_ticks (
    project_id, env, schedule_id, key, tick, through, ticks, outcome, reason, decided_at)
  values (
    p_schedule.project_id, p_schedule.env, p_schedule.id, extract(epoch from p_from)::bigint::text, p_from,
    case when p_ticks is distinct from 1 then p_through end, p_ticks, 'skipped', p_reason, p_now)
  on conflict (schedule_id, key) do nothing;
end
$$;

-- Decides ticks of a cron schedule. p_ticks are all its ticks from where it stands up to p_now, p_next is the one after them
-- (null: there is none). Prepared from what it was at p_revision and p_expected; if it has moved on since, nothing happens,
-- so that of two stewards one decides, and one that died is simply followed by another.
-- p_before: ticks before p_ticks[1] were too many to be listed; they begin here.
create or replace function private.decide_cron(
  p_schedule_id uuid, p_revision int, p_expected timestamptz, p_ticks timestamptz[], p_next timestamptz, p_now timestamptz,
  p_before timestamptz default null
) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
  v_open uuid[];
  v_one record;
  v_fired record;
  v_from timestamptz;
  v_through timestamptz;
  v_skipped int := 0;
  v_why text := '';
  v_done int := 0;
  v_next timestamptz;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found or v_schedule.paused or v_schedule.kind <> 'cron' or v_schedule.revision <> p_revision
    or v_schedule.next_at is distinct from p_expected then
    return 0;
  end if;
  v_open := private.open_runs(v_schedule);
  if p_before is not null then
    perform private.note_skipped(
      v_schedule, p_before, p_ticks[1], null, 'missed; more than can be listed', p_now);
  end if;
  for v_one in select * from private.judge_ticks(v_schedule, p_now, p_ticks) loop
    v_done := v_one.ordinal;
    if v_skipped > 0 and v_one.verdict <> v_why then
      perform private.note_skipped(v_schedule, v_from, v_through, v_skipped, v_why, p_now);
      v_skipped := 0;
    end if;
    if v_one.verdict = 'fire' then
      v_fired := private.fire_tick(
        v_schedule, extract(epoch from v_one.tick)::bigint::text, v_one.tick, '{}', v_open);
      v_open := v_fired.open_runs;
      insert into ops.schedule_ticks (
        project_id, env, schedule_id, key, tick, outcome, reason, run_id, decided_at)
      values (
        v_schedule.project_id, v_schedule.env, v_schedule.id, extract(epoch from v_one.tick)::bigint::text, v_one.tick,
        v_fired.outcome, v_fired.reason, v_fired.run_id, p_now)
      -- Decided before, when the server's clock was ahead of itself: its run is the same by its key, and the row stands.
      on conflict (schedule_id, key) do nothing;
      continue;
    end if;
    if v_skipped = 0 then
      v_from := v_one.tick;
      v_why := v_one.verdict;
    end if;
    v_through := v_one.tick;
    v_skipped := v_skipped + 1;
  end loop;
  if v_skipped > 0 then
    perform private.note_skipped(v_schedule, v_from, v_through, v_skipped, v_why, p_now);
  end if;
  v_next := coalesce(p_ticks[v_done + 1], p_next);
  update ops.schedules
  set next_at = v_next,
    due_at = coalesce(v_next + private.jitter(id, v_next, jitter_seconds), 'infinity'),
    last_tick = coalesce(p_ticks[v_done], last_tick), open_runs = v_open
  where id = p_schedule_id;
  return v_done;
end
$$;

-- Decides the pending ticks of a schedule that are due, in their order.
create or replace function private.decide_pending(p_schedule_id uuid, p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
  v_ids uuid[];
  v_ticks timestamptz[];
  v_open uuid[];
  v_one record;
  v_tick ops.schedule_ticks;
  v_fired record;
  v_done int := 0;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found then
    update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was removed', decided_at = p_now
    where schedule_id = p_schedule_id and outcome = 'pending';
    return 0;
  end if;
  if v_schedule.paused then
    return 0;
  end if;
  select pg_catalog.array_agg(t.id order by t.tick, t.id), pg_catalog.array_agg(t.tick order by t.tick, t.id)
  into v_ids, v_ticks
  from ops.schedule_ticks t where t.schedule_id = p_schedule_id and t.outcome = 'pending';
  v_open := private.open_runs(v_schedule);
  for v_one in select * from private.judge_ticks(v_schedule, p_now, v_ticks) loop
    select * into strict v_tick from ops.schedule_ticks where id = v_ids[v_one.ordinal];
    if v_one.verdict = 'fire' then
      v_fired := private.fire_tick(v_schedule, v_tick.key, v_tick.tick, v_tick.data, v_open);
      v_open := v_fired.open_runs;
    else
      select 'skipped' as outcome, v_one.verdict as reason, null::uuid as run_id into v_fired;
    end if;
    update ops.schedule_ticks
    set outcome = v_fired.outcome, reason = v_fired.reason, run_id = v_fired.run_id, decided_at = p_now
    where id = v_tick.id;
    v_done := v_done + 1;
  end loop;
  if v_done > 0 then
    update ops.schedules set last_tick = v_tick.tick, open_runs = v_open where id = p_schedule_id;
  end if;
  return v_done;
end
$$;

-- functions/13_private_alerts.sql
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

-- functions/20_people.sql
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

-- functions/21_access_tokens.sql
-- Personal access tokens: hashed, scoped, expiring, revocable. A token can do at most what its owner can do at that moment.

-- Returns the token's text, once. The text holds 244 random bits; its hash needs no salt and no stretching.
create or replace function ops.create_access_token(
  p_name text,
  p_role text default 'viewer',
  p_project_id uuid default null,
  p_envs text[] default '{dev,stage,prod}',
  p_lifetime interval default '30 days',
  p_subject text default null
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subject text := coalesce(p_subject, private.subject());
  v_id uuid := private.new_id();
  v_token text := 'crt_' || pg_catalog.encode(
    pg_catalog.sha256(
      pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())),
    'hex');
begin
  perform private.require(p_name, 'p_name'), private.require(v_subject, 'p_subject'), private.require_envs(p_envs);
  if not private.is_trusted() then
    -- A stolen token must not be able to outlive its revocation as its own child.
    if exists (select from private.presented_token()) then
      raise exception using errcode = 'CR005', message = 'a token cannot make tokens; sign in to make one';
    end if;
    if v_subject is distinct from private.subject() then
      raise exception using errcode = 'CR005', message = 'a token can be made for oneself only';
    end if;
    if p_project_id is not null and p_project_id not in (select private.my_projects()) then
      raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
    end if;
  end if;
  if private.role_rank(p_role) is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'role %s is none; choose viewer, operator, editor or admin', p_role);
  end if;
  if p_lifetime is null or p_lifetime <= interval '0' or p_lifetime > interval '366 days' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_lifetime is %s; give more than nothing and at most 366 days', p_lifetime);
  end if;
  insert into ops.access_tokens (id, subject, name, role, project_id, envs, expires_at)
  values (v_id, v_subject, p_name, p_role, p_project_id, p_envs, pg_catalog.clock_timestamp() + p_lifetime);
  insert into private.access_token_hashes (token_id, sha256)
  values (v_id, pg_catalog.sha256(pg_catalog.convert_to(v_token, 'UTF8')));
  return v_token;
exception
  when unique_violation then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      '%s has a token named %s already; choose another name', v_subject, p_name);
end
$$;

create or replace function ops.revoke_access_token(p_name text, p_subject text default null) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subject text := coalesce(p_subject, private.subject());
begin
  -- A token ends itself and no other.
  if not private.is_trusted() and v_subject is distinct from private.signed_in()
     and not exists (select from private.presented_token() as t where t.subject = v_subject and t.name = p_name) then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no token named %s', p_name);
  end if;
  update ops.access_tokens set revoked_at = coalesce(revoked_at, pg_catalog.clock_timestamp())
  where subject = v_subject and name = p_name;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no token named %s', p_name);
  end if;
end
$$;

-- Who the presented token makes the caller, for a greeting and for `last_used_at`; refused where it is no good.
create or replace function ops.use_access_token() returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_token ops.access_tokens;
begin
  select * into v_token from private.presented_token();
  if not found then
    raise exception using errcode = 'CR005', message =
      'the access token is unknown, expired or revoked; make a new one with `controlroom token create`';
  end if;
  update ops.access_tokens set last_used_at = pg_catalog.clock_timestamp() where id = v_token.id;
  return v_token.subject;
end
$$;

-- functions/22_sharing.sql
-- What one project lets another read, and which secrets a project's runs may resolve.

-- Lets the runs and members of a project read a dataset of another. The reader is named by its id, which its members know
-- and others cannot guess: a name would tell whoever may share which projects there are.
create or replace function ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset record;
begin
  v_dataset := private.my_dataset(p_dataset_id);
  if not exists (select from ops.projects where id = p_reader_id) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if p_reader_id = v_dataset.project_id then
    raise exception using errcode = 'CR007', message = 'the dataset is that project''s own; nothing needs to be shared';
  end if;
  insert into ops.grants (dataset_id, project_id, reader_id)
  values (p_dataset_id, v_dataset.project_id, p_reader_id)
  on conflict (dataset_id, reader_id) do nothing;
end
$$;

create or replace function ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_dataset(p_dataset_id);
  delete from ops.grants where dataset_id = p_dataset_id and reader_id = p_reader_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'the dataset is not shared with that project';
  end if;
end
$$;

-- The dataset, where the caller administers it.
create or replace function private.my_dataset(p_dataset_id uuid) returns ops.datasets
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets;
begin
  select * into v_dataset from ops.datasets where id = p_dataset_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_dataset.project_id, v_dataset.env, 'admin');
  return v_dataset;
end
$$;

-- Whether a run may read another project's table, asked by its owner under the fence: the version that is registered, or
-- NotAllowed. The table is looked for in the run's own environment.
create or replace function ops.shared_dataset(
  p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version bigint;
begin
  perform private.require_lease(p_run_id, p_lease_token);
  select d.version into v_version
  from ops.runs r
  join ops.orgs o on o.slug = p_org
  join ops.projects p on p.org_id = o.id and p.slug = p_project
  join ops.datasets d on d.project_id = p.id and d.env = r.env and d.layer = p_layer and d.name = p_name
  where r.id = p_run_id and d.version is not null
    and (d.project_id = r.project_id
      or exists (select from ops.grants g where g.dataset_id = d.id and g.reader_id = r.project_id));
  if found then
    return v_version;
  end if;
  -- The same words whether the table is missing or not shared.
  raise exception using errcode = 'CR005', message = pg_catalog.format(
    '%s/%s:%s.%s is not shared with this project; ask an admin of %s/%s for `controlroom dataset share`',
    p_org, p_project, p_layer, p_name, p_org, p_project);
end
$$;

-- Secrets belong to the installation: its operator says which project's runs may resolve them.
create or replace function ops.allow_secret(
  p_project_id uuid, p_reference text, p_envs text[] default '{dev,stage,prod}'
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_envs(p_envs);
  insert into ops.secret_grants (project_id, reference, envs) values (p_project_id, p_reference, p_envs)
  on conflict (project_id, reference) do update set envs = excluded.envs
  where secret_grants.envs is distinct from excluded.envs;
exception
  when foreign_key_violation then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  when check_violation then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s is no secret reference; write secret://env/NAME or secret://file/PATH, with * at the end for all that begin so',
      p_reference);
end
$$;

create or replace function ops.disallow_secret(p_project_id uuid, p_reference text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.secret_grants where project_id = p_project_id and reference = p_reference;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      '%s is not allowed to that project; `controlroom secret list` shows what is', p_reference);
  end if;
end
$$;

-- The references that a run may resolve, for its owner.
create or replace function ops.run_secrets(p_run_id uuid, p_lease_token bigint) returns text[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return array(
    select s.reference
    from ops.runs r
    join ops.secret_grants s on s.project_id = r.project_id and r.env = any (s.envs)
    where r.id = p_run_id
    order by s.reference);
end
$$;

-- For an owner's questions, which change nothing and hold nothing.
create or replace function private.require_lease(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from ops.run_leases
    where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp()) then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
end
$$;

-- functions/23_promotions.sql
-- Promotion: which version of a pipeline runs in stage and in prod. Development runs whatever an editor brings.

-- Lets a version run in stage (after it succeeded in dev) or in prod (after stage): that run has all phases of the spec, they
-- succeeded, and no check failed, warned or quarantined in it or in a run that it went on from. Promoting an earlier version again is how one goes back.
create or replace function ops.promote_pipeline(
  p_project_id uuid, p_pipeline text, p_version int, p_env text, p_note text default ''
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_below constant text := case p_env when 'stage' then 'dev' when 'prod' then 'stage' end;
  v_least numeric := private.min_score(p_project_id, p_pipeline, p_env);
  v_evidence uuid;
  v_id uuid := private.new_id();
begin
  if v_below is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; a version is promoted to stage or to prod', p_env);
  end if;
  perform private.require_role(p_project_id, p_env, 'editor');
  if not exists (
    select from ops.pipelines where project_id = p_project_id and slug = p_pipeline and version = p_version) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'pipeline %s has no version %s; `controlroom pipeline versions` shows those that it has', p_pipeline, p_version);
  end if;
  select r.id into v_evidence
  from ops.runs r
  where r.project_id = p_project_id and r.env = v_below and r.pipeline = p_pipeline
    and r.pipeline_version = p_version and r.status = 'succeeded'
    and exists (select from ops.run_phases p where p.run_id = r.id)
    and not exists (select from ops.run_phases p where p.run_id = r.id and p.status not in ('succeeded', 'skipped'))
    and not exists (
      select from pg_catalog.jsonb_array_elements(
        case pg_catalog.jsonb_typeof(r.spec -> 'phases') when 'array' then r.spec -> 'phases' else '[]' end) as e
      where not exists (select from ops.run_phases p where p.run_id = r.id and p.name = e ->> 'name'))
    -- A retry on the newest definition may let stand what an older one made: that is no proof of this one.
    and not exists (
      select from ops.run_phases p join ops.runs o on o.id = p.effect_of
      where p.run_id = r.id and o.pipeline_version <> r.pipeline_version)
    -- A refresh replaces what the spec merges or appends, and shows nobody anything.
    and private.refresh_of(r.id) is null
    and not exists (
      select from ops.runs line join ops.signals s on s.run_id = line.id
      where (line.id in (r.id, r.root_run) or line.root_run = r.root_run)
        and s.signal = 'failed_checks' and s.value > 0)
    and (v_least is null
      or exists (select from ops.run_scores c where c.run_id = r.id and c.score >= v_least))
  order by r.created_at desc, r.id desc
  limit 1;
  if not found then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'version %s of %s has not succeeded in %s with all its checks%s; run it there before it is promoted to %s',
      p_version, p_pipeline, v_below,
      case when v_least is not null then pg_catalog.format(' and a score of at least %s', v_least) else '' end, p_env);
  end if;
  insert into ops.promotions (id, project_id, pipeline, version, env, subject, note, evidence_run)
  values (v_id, p_project_id, p_pipeline, p_version, p_env, private.subject(), coalesce(p_note, ''), v_evidence);
  return v_id;
end
$$;

-- Null where no version was promoted.
create or replace function private.promoted_version(p_project_id uuid, p_pipeline text, p_env text) returns int
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.version from ops.promotions p
  where p.project_id = p_project_id and p.pipeline = p_pipeline and p.env = p_env
  order by p.promoted_at desc, p.id desc
  limit 1
$$;

-- functions/24_schedules.sql
-- Schedules as people have them: who may change what runs (editor), who may say when it runs (operator).

-- The schedule, locked, where the caller has the role in its environment.
create or replace function private.my_schedule(p_schedule_id uuid, p_role text) returns ops.schedules
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_schedule.project_id, v_schedule.env, p_role);
  return v_schedule;
end
$$;

-- What a definition may say, and what is so where it says nothing: an event is something that happened, none of them is
-- passed over; of missed ticks of a clock one is made up for; what is stale already needs no second run at a time.
create or replace function private.schedule_defaults(p_definition jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kind text := p_definition ->> 'kind';
  v_unknown text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_unknown
  from pg_catalog.jsonb_object_keys(p_definition) as k
  where k <> all ('{pipeline,kind,cron,timezone,after_pipeline,dataset,stale_seconds,misfire,grace_seconds,catch_up_limit,overlap,jitter_seconds,params,priority,min_score}');
  if v_unknown is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_definition has no field %s; see docs/schedules.md for those that it has', v_unknown);
  end if;
  perform private.require(v_kind, 'p_definition.kind'), private.require(p_definition ->> 'pipeline', 'p_definition.pipeline');
  return pg_catalog.jsonb_build_object(
    'timezone', 'UTC', 'misfire', case when v_kind in ('cron', 'when_stale') then 'run_once' else 'run_all' end,
    'grace_seconds', 60, 'catch_up_limit', 100, 'overlap', case v_kind when 'when_stale' then 'skip' else 'queue' end,
    'jitter_seconds', 0, 'params', '{}'::jsonb, 'priority', 100) || pg_catalog.jsonb_strip_nulls(p_definition);
end
$$;

-- A chain of pipelines that starts itself never ends.
create or replace function private.refuse_schedule_circle(p_schedule ops.schedules) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_circle text;
begin
  with recursive chain (pipeline, way) as (
    select p_schedule.pipeline, array[p_schedule.after_pipeline, p_schedule.pipeline]
    union all
    select s.pipeline, c.way || s.pipeline
    from chain c
    join ops.schedules s on s.project_id = p_schedule.project_id and s.env = p_schedule.env
      and s.after_pipeline = c.pipeline and s.id <> p_schedule.id
    where s.pipeline <> all (c.way[2:]) and c.pipeline <> p_schedule.after_pipeline
  )
  select pg_catalog.array_to_string(c.way, ' → ') into v_circle
  from chain c where c.pipeline = p_schedule.after_pipeline limit 1;
  if v_circle is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s would start itself for ever; break the circle', v_circle);
  end if;
end
$$;

-- Makes a schedule what the definition says; a repeat of the same changes nothing. Returns its id.
create or replace function ops.put_schedule(p_project_id uuid, p_env text, p_slug text, p_definition jsonb) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new ops.schedules;
  v_old ops.schedules;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_slug, 'p_slug');
  v_new := pg_catalog.jsonb_populate_record(null::ops.schedules, private.schedule_defaults(p_definition));
  if not exists (select from ops.pipelines where project_id = p_project_id and slug = v_new.pipeline) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no pipeline %s in that project; register it with `controlroom schedule apply`', v_new.pipeline);
  end if;
  perform pg_catalog.clock_timestamp() at time zone v_new.timezone;
  -- One at a time in a project: two that go round in a circle together must not pass each other.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_project_id::text || '/schedules', 0));
  select * into v_old from ops.schedules where project_id = p_project_id and env = p_env and slug = p_slug for no key update;
  v_new.id := coalesce(v_old.id, private.new_id());
  v_new.project_id := p_project_id;
  v_new.env := p_env;
  perform private.refuse_schedule_circle(v_new);
  if v_old.id is null then
    insert into ops.schedules (
      id, project_id, env, slug, pipeline, kind, cron, timezone, after_pipeline, dataset, stale_seconds, misfire,
      grace_seconds, catch_up_limit, overlap, jitter_seconds, params, priority, min_score, created_by)
    values (
      v_new.id, p_project_id, p_env, p_slug, v_new.pipeline, v_new.kind, v_new.cron, v_new.timezone, v_new.after_pipeline,
      v_new.dataset, v_new.stale_seconds, v_new.misfire, v_new.grace_seconds, v_new.catch_up_limit, v_new.overlap,
      v_new.jitter_seconds, v_new.params, v_new.priority, v_new.min_score, private.subject());
  else
    perform private.change_schedule(v_old, v_new);
  end if;
  return v_new.id;
end
$$;

-- Another clock begins anew: its ticks are those from now on. Anything else leaves the schedule where it stands.
create or replace function private.change_schedule(p_old ops.schedules, p_new ops.schedules) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_clock boolean := (p_old.kind, p_old.cron, p_old.timezone, p_old.stale_seconds, p_old.dataset)
    is distinct from (p_new.kind, p_new.cron, p_new.timezone, p_new.stale_seconds, p_new.dataset);
begin
  update ops.schedules s
  set pipeline = p_new.pipeline, kind = p_new.kind, cron = p_new.cron, timezone = p_new.timezone,
    after_pipeline = p_new.after_pipeline, dataset = p_new.dataset, stale_seconds = p_new.stale_seconds,
    misfire = p_new.misfire, grace_seconds = p_new.grace_seconds, catch_up_limit = p_new.catch_up_limit,
    overlap = p_new.overlap, jitter_seconds = p_new.jitter_seconds, params = p_new.params, priority = p_new.priority,
    min_score = p_new.min_score, revision = s.revision + 1,
    anchored_at = case when v_clock then pg_catalog.clock_timestamp() else s.anchored_at end,
    next_at = case when v_clock then null else s.next_at end,
    due_at = case when v_clock then null
      when s.next_at is null then s.due_at
      else s.next_at + private.jitter(s.id, s.next_at, p_new.jitter_seconds) end,
    -- Where overlapping was queued until now, nobody has kept the list.
    open_runs = case
      when p_new.overlap = 'queue' then '{}'
      when s.overlap <> 'queue' then s.open_runs
      else array(
        select r.id from ops.schedule_ticks t join ops.runs r on r.id = t.run_id
        where t.schedule_id = s.id and r.status in ('queued', 'claimed', 'running')) end
  where s.id = p_old.id
    and (s.pipeline, s.kind, s.cron, s.timezone, s.after_pipeline, s.dataset, s.stale_seconds, s.misfire, s.grace_seconds,
      s.catch_up_limit, s.overlap, s.jitter_seconds, s.params, s.priority, s.min_score)
    is distinct from (p_new.pipeline, p_new.kind, p_new.cron, p_new.timezone, p_new.after_pipeline, p_new.dataset,
      p_new.stale_seconds, p_new.misfire, p_new.grace_seconds, p_new.catch_up_limit, p_new.overlap, p_new.jitter_seconds,
      p_new.params, p_new.priority, p_new.min_score);
  if v_clock and p_old.kind <> 'cron' then
    update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was changed',
      decided_at = pg_catalog.clock_timestamp()
    where schedule_id = p_old.id and outcome = 'pending';
  end if;
end
$$;

create or replace function ops.pause_schedule(p_schedule_id uuid, p_reason text default '') returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'operator');
  update ops.schedules
  set paused = true, paused_reason = coalesce(p_reason, ''), paused_by = private.subject(),
    paused_at = pg_catalog.clock_timestamp(), revision = revision + 1
  where id = p_schedule_id and not paused;
end
$$;

-- What was due in the pause is passed over and noted, or (p_catch_up) made up for as the schedule's misfire policy says.
create or replace function ops.resume_schedule(p_schedule_id uuid, p_catch_up boolean default false) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'operator');
  perform private.resume(p_schedule_id, p_catch_up, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.resume(p_schedule_id uuid, p_catch_up boolean, p_now timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules;
begin
  select * into v_schedule from ops.schedules where id = p_schedule_id and paused for no key update;
  if not found then
    return;
  end if;
  if not p_catch_up then
    if v_schedule.next_at <= p_now then
      perform private.note_skipped(v_schedule, v_schedule.next_at, p_now, null, 'paused', p_now);
    end if;
    update ops.schedule_ticks set outcome = 'skipped', reason = 'paused', decided_at = p_now
    where schedule_id = p_schedule_id and outcome = 'pending';
  end if;
  update ops.schedules
  set paused = false, paused_reason = '', paused_by = null, paused_at = null, revision = revision + 1,
    anchored_at = case when p_catch_up then anchored_at else p_now end,
    next_at = case when p_catch_up then next_at end, due_at = case when p_catch_up then due_at end
  where id = p_schedule_id;
end
$$;

-- The ledger of its ticks stays.
create or replace function ops.remove_schedule(p_schedule_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_schedule(p_schedule_id, 'editor');
  update ops.schedule_ticks set outcome = 'skipped', reason = 'the schedule was removed',
    decided_at = pg_catalog.clock_timestamp()
  where schedule_id = p_schedule_id and outcome = 'pending';
  delete from ops.schedules where id = p_schedule_id;
end
$$;

-- Starts a run now, as a tick of its own; paused or not. With a key a repeat gives the same run.
create or replace function ops.fire_schedule(p_schedule_id uuid, p_key text default null) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules := private.my_schedule(p_schedule_id, 'operator');
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_key text := 'manual:' || coalesce(p_key, private.new_id()::text);
  v_run uuid;
begin
  select t.run_id into v_run from ops.schedule_ticks t where t.schedule_id = p_schedule_id and t.key = v_key;
  if found then
    return v_run;
  end if;
  v_run := private.create_scheduled_run(v_schedule, v_key, v_now, '{}');
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, reason, run_id, decided_at)
  values (v_schedule.project_id, v_schedule.env, p_schedule_id, v_key, v_now, 'fired', 'by hand', v_run, v_now);
  if v_schedule.overlap <> 'queue' then
    update ops.schedules set open_runs = private.open_runs(v_schedule) || v_run where id = p_schedule_id;
  end if;
  return v_run;
end
$$;

-- functions/25_schedule_events.sql
-- Events that start schedules: each is written into the ledger by the transaction in which it happens, and can therefore
-- not be lost. The steward decides it later.

-- Where nobody waits for a pipeline it costs a run's end one probe of a small index.
create or replace function private.note_success() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- What a refresh has built is nobody's yet.
  if private.refresh_of(new.id) is not null then
    return null;
  end if;
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select s.project_id, s.env, s.id, 'run:' || new.id, new.finished_at, 'pending',
    pg_catalog.jsonb_build_object('run_id', new.id)
  from ops.schedules s
  where s.project_id = new.project_id and s.env = new.env and s.after_pipeline = new.pipeline
    and s.kind = 'after_pipeline'
  on conflict (schedule_id, key) do nothing;
  return null;
end
$$;

-- A past that is computed again is not news: what follows a backfill or a replay is for whoever ordered it to say.
create or replace trigger schedules_after
  after update of status on ops.runs
  for each row when (
    new.status = 'succeeded' and old.status <> 'succeeded' and new.trigger not in ('backfill', 'replay'))
  execute function private.note_success();

create or replace function private.note_release() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select s.project_id, s.env, s.id, 'dataset:' || new.id || '@' || new.version, new.updated_at, 'pending',
    pg_catalog.jsonb_build_object('dataset', s.dataset, 'version', new.version, 'run_id', (
      select v.run_id from ops.dataset_versions v where v.dataset_id = new.id and v.version = new.version))
  from ops.schedules s
  where s.project_id = new.project_id and s.env = new.env and s.dataset = new.layer || '.' || new.name
    and s.kind = 'on_dataset'
  on conflict (schedule_id, key) do nothing;
  return null;
end
$$;

create or replace trigger schedules_on_dataset
  after update of version on ops.datasets
  for each row when (new.version is distinct from old.version)
  execute function private.note_release();

-- A tick for each when_stale schedule whose dataset is too old at p_now, and another for each further span of that length:
-- a run that failed to freshen it is not the last try. Of several spans that nobody watched, the last is noted.
create or replace function private.note_stale(p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_noted int;
begin
  insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, data)
  select a.project_id, a.env, a.id, 'stale:' || extract(epoch from a.at)::text, a.at, 'pending',
    pg_catalog.jsonb_build_object('dataset', a.dataset, 'clock', a.clock)
  from (
    select s.*, c.clock, c.clock + pg_catalog.make_interval(
      secs => pg_catalog.floor(extract(epoch from p_now - c.clock)::float8 / s.stale_seconds) * s.stale_seconds) as at
    from ops.schedules s
    cross join lateral (
      select coalesce(private.dataset_clock(s.project_id, s.env, s.dataset), s.anchored_at) as clock
    ) as c
    where s.kind = 'when_stale' and not s.paused
      and p_now - c.clock >= pg_catalog.make_interval(secs => s.stale_seconds)
  ) as a
  on conflict (schedule_id, key) do nothing;
  get diagnostics v_noted = row_count;
  return v_noted;
end
$$;

-- What the elected steward asks: which clocks are due.
create or replace function ops.due_schedules(p_limit int default 200)
returns table (
  id uuid, revision int, cron text, timezone text, next_at timestamptz, anchored_at timestamptz, asked_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from private.due_schedules(p_limit, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.due_schedules(p_limit int, p_now timestamptz)
returns table (
  id uuid, revision int, cron text, timezone text, next_at timestamptz, anchored_at timestamptz, asked_at timestamptz
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select s.id, s.revision, s.cron, s.timezone, s.next_at, s.anchored_at, p_now
    from ops.schedules s
    where s.kind = 'cron' and not s.paused and (s.due_at is null or s.due_at <= p_now)
    order by s.due_at nulls first, s.id
    limit p_limit;
end
$$;

-- Decisions, each {id, revision, expected, ticks, next, before, asked_at, fault}; see private.decide_cron. Each is about what
-- was so when its clock was asked for. With a fault the clock cannot be read: the schedule is paused with that reason. In the
-- order of their ids, so that two stewards cannot block each other. Returns how many ticks were decided.
create or replace function ops.decide_clocks(p_decisions jsonb) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_done int := 0;
begin
  for v_one in
    select * from pg_catalog.jsonb_to_recordset(p_decisions) as d (
      id uuid, revision int, expected timestamptz, ticks timestamptz[], next timestamptz, before timestamptz,
      asked_at timestamptz, fault text)
    order by d.id
  loop
    if v_one.fault is null then
      v_done := v_done + private.decide_cron(
        v_one.id, v_one.revision, v_one.expected, v_one.ticks, v_one.next, v_one.asked_at, v_one.before);
    else
      update ops.schedules s
      set paused = true, paused_reason = v_one.fault, paused_at = v_one.asked_at, revision = s.revision + 1
      where s.id = v_one.id and s.revision = v_one.revision and not s.paused;
    end if;
  end loop;
  return v_done;
end
$$;

-- Schedules with events that wait for a decision.
create or replace function ops.pending_schedules(p_limit int default 200) returns setof uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.note_stale(pg_catalog.clock_timestamp());
  return query
    select p.schedule_id
    from (select distinct t.schedule_id from ops.schedule_ticks t where t.outcome = 'pending') as p
    left join ops.schedules s on s.id = p.schedule_id
    where not coalesce(s.paused, false)
    order by 1
    limit p_limit;
end
$$;

create or replace function ops.decide_events(p_schedule_id uuid) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.decide_pending(p_schedule_id, pg_catalog.clock_timestamp());
end
$$;

-- Forgets decided ticks that were noted longer than p_keep ago. Ids begin with their moment: the primary key finds them.
create or replace function ops.prune_ticks(p_keep interval) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_gone int;
begin
  if p_keep is null or p_keep < interval '1 day' then
    raise exception using errcode = 'CR007', message = 'p_keep must be one day or more';
  end if;
  delete from ops.schedule_ticks
  where outcome <> 'pending' and id < pg_catalog.rpad(pg_catalog.lpad(pg_catalog.to_hex(
    (extract(epoch from pg_catalog.clock_timestamp() - p_keep) * 1000)::bigint), 12, '0'), 32, '0')::uuid;
  get diagnostics v_gone = row_count;
  return v_gone;
end
$$;

-- functions/26_webhooks.sql
-- Inbound webhooks, signed as the Standard Webhooks specification has it: HMAC-SHA256 over `id.timestamp.body`, so that its
-- libraries, which there are for each language, can send them. Verified here: what stands at the door cannot start a run.

-- RFC 2104 with SHA-256; keys of up to 64 bytes.
create or replace function private.hmac_sha256(p_key bytea, p_message bytea) returns bytea
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_inner bytea := pg_catalog.decode(pg_catalog.repeat('36', 64), 'hex');
  v_outer bytea := pg_catalog.decode(pg_catalog.repeat('5c', 64), 'hex');
begin
  for i in 0 .. pg_catalog.length(p_key) - 1 loop
    v_inner := pg_catalog.set_byte(v_inner, i, 54 # pg_catalog.get_byte(p_key, i));
    v_outer := pg_catalog.set_byte(v_outer, i, 92 # pg_catalog.get_byte(p_key, i));
  end loop;
  return pg_catalog.sha256(v_outer || pg_catalog.sha256(v_inner || p_message));
end
$$;

-- A new secret for the schedule's sender, told this once; the one before ends.
create or replace function ops.create_webhook_secret(p_schedule_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_schedule ops.schedules := private.my_schedule(p_schedule_id, 'editor');
  v_key bytea := pg_catalog.sha256(
    pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
    || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
begin
  if v_schedule.kind <> 'webhook' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'schedule %s is of kind %s; only a webhook has a secret', v_schedule.slug, v_schedule.kind);
  end if;
  insert into private.webhook_keys (schedule_id, key) values (p_schedule_id, v_key)
  on conflict (schedule_id) do update set key = excluded.key, made_at = pg_catalog.clock_timestamp();
  perform private.audit(
    null, v_schedule.project_id, 'schedules.webhook_secret', p_schedule_id::text, null,
    pg_catalog.jsonb_build_object('env', v_schedule.env, 'slug', v_schedule.slug));
  return 'whsec_' || pg_catalog.encode(v_key, 'base64');
end
$$;

-- Takes a signed request and returns the id of its tick; a repeat of the same message is the same tick. Whatever is wrong
-- with it, the answer is one: a stranger must not find out which schedules there are.
create or replace function ops.receive_webhook(
  p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.receive_webhook(
    p_schedule_id, p_message_id, p_timestamp, p_signatures, p_body, pg_catalog.clock_timestamp());
end
$$;

create or replace function private.receive_webhook(
  p_schedule_id uuid, p_message_id text, p_timestamp bigint, p_signatures text, p_body bytea, p_now timestamptz
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key bytea;
  v_expected bytea;
  v_schedule ops.schedules;
  v_tick uuid;
begin
  select k.key into v_key from private.webhook_keys k where k.schedule_id = p_schedule_id;
  -- Unknown ones cost the same work.
  v_expected := private.hmac_sha256(
    coalesce(v_key, '\x00'),
    pg_catalog.convert_to(coalesce(p_message_id, '') || '.' || coalesce(p_timestamp, 0) || '.', 'UTF8') || coalesce(p_body, ''));
  -- Hashes are compared and not the signatures themselves: how long that takes says nothing of how much was right.
  if v_key is null or coalesce(p_message_id, '') = '' or pg_catalog.length(p_message_id) > 200
    or p_timestamp is null or pg_catalog.abs(extract(epoch from p_now) - p_timestamp) > 300
    or pg_catalog.length(p_body) > 65536
    or not exists (
      select from pg_catalog.regexp_split_to_table(coalesce(p_signatures, ''), ' ') as s
      where pg_catalog.sha256(pg_catalog.convert_to(s, 'UTF8'))
        = pg_catalog.sha256(pg_catalog.convert_to('v1,' || pg_catalog.encode(v_expected, 'base64'), 'UTF8')))
  then
    raise exception using errcode = 'CR005', message =
      'no webhook takes this request; check its address, secret, clock (5 min) and size (64 KiB)';
  end if;
  select * into strict v_schedule from ops.schedules where id = p_schedule_id;
  insert into ops.schedule_ticks as t (project_id, env, schedule_id, key, tick, outcome, data)
  values (
    v_schedule.project_id, v_schedule.env, p_schedule_id, 'webhook:' || p_message_id, p_now, 'pending',
    private.webhook_data(p_body))
  on conflict (schedule_id, key) do nothing
  returning t.id into v_tick;
  if v_tick is null then
    select t.id into strict v_tick from ops.schedule_ticks t
    where t.schedule_id = p_schedule_id and t.key = 'webhook:' || p_message_id;
  end if;
  return v_tick;
end
$$;

-- The body, and from it `params`: values for the run's parameters. Of a body that is no JSON only the hash is kept.
create or replace function private.webhook_data(p_body bytea) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_body jsonb;
begin
  if coalesce(p_body, '') = '' then
    return '{}';
  end if;
  v_body := pg_catalog.convert_from(p_body, 'UTF8')::jsonb;
  return pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
    'body', v_body,
    'params', case when pg_catalog.jsonb_typeof(v_body -> 'params') = 'object' then v_body -> 'params' end));
exception
  when data_exception then
    return pg_catalog.jsonb_build_object('body_sha256', pg_catalog.encode(pg_catalog.sha256(p_body), 'hex'));
end
$$;

-- functions/27_freshness.sql
-- How old datasets are by their own clock, and which are too old.

-- When the data that readers get is from: the newest value of its rule's event column where that is known, else the moment
-- of the release. Null: nothing was released.
create or replace function private.dataset_clock(p_project_id uuid, p_env text, p_dataset text) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(v.event_time, d.updated_at)
    from ops.datasets d
    left join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
    where d.project_id = p_project_id and d.env = p_env and d.version is not null
      and d.layer = pg_catalog.split_part(p_dataset, '.', 1) and d.name = pg_catalog.split_part(p_dataset, '.', 2));
end
$$;

create or replace function ops.put_freshness_rule(
  p_project_id uuid, p_env text, p_dataset text, p_warn_seconds float8, p_error_seconds float8,
  p_event_column text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_dataset, 'p_dataset');
  insert into ops.freshness_rules as r (project_id, env, dataset, warn_seconds, error_seconds, event_column)
  values (p_project_id, p_env, p_dataset, p_warn_seconds, p_error_seconds, p_event_column)
  on conflict (project_id, env, dataset) do update
  set warn_seconds = excluded.warn_seconds, error_seconds = excluded.error_seconds, event_column = excluded.event_column
  returning r.id into v_id;
  -- Another column, another clock.
  update ops.dataset_versions v set event_time = null, event_looked_at = null
  from ops.datasets d
  where d.project_id = p_project_id and d.env = p_env and d.layer || '.' || d.name = p_dataset
    and v.dataset_id = d.id and v.version = d.version and v.event_looked_at is not null;
  return v_id;
end
$$;

create or replace function ops.remove_freshness_rule(p_project_id uuid, p_env text, p_dataset text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  update ops.freshness_breaches b set ended_at = pg_catalog.clock_timestamp()
  where b.project_id = p_project_id and b.env = p_env and b.dataset = p_dataset and b.ended_at is null;
  delete from ops.freshness_rules r where r.project_id = p_project_id and r.env = p_env and r.dataset = p_dataset;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no freshness rule for %s in %s; `controlroom freshness list` shows those there are', p_dataset, p_env);
  end if;
end
$$;

-- Released versions whose event column has not been looked at.
create or replace function ops.unread_clocks(p_limit int default 50)
returns table (version_id uuid, org text, project text, env text, dataset text, version bigint, event_column text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select v.id, o.slug, p.slug, r.env, r.dataset, v.version, r.event_column
    from ops.freshness_rules r
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    join ops.datasets d on d.project_id = r.project_id and d.env = r.env
      and d.layer = pg_catalog.split_part(r.dataset, '.', 1) and d.name = pg_catalog.split_part(r.dataset, '.', 2)
    join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version
    where r.event_column is not null and v.event_looked_at is null
    order by v.id
    limit p_limit;
end
$$;

create or replace function ops.record_event_time(p_version_id uuid, p_event_time timestamptz) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.dataset_versions set event_time = p_event_time, event_looked_at = pg_catalog.clock_timestamp()
  where id = p_version_id;
end
$$;

-- Brings ops.freshness in step with the clock, and begins and ends breaches. Returns how many datasets are not ok.
create or replace function private.check_freshness(p_now timestamptz) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_bad int;
begin
  insert into ops.freshness as f (
    rule_id, project_id, env, dataset, dataset_id, clock, clock_kind, lag_seconds, state, since, checked_at)
  select m.id, m.project_id, m.env, m.dataset, m.dataset_id, m.clock, m.clock_kind, m.lag,
    case when m.lag >= m.error_seconds then 'error' when m.lag >= m.warn_seconds then 'warn' else 'ok' end,
    m.clock + pg_catalog.make_interval(secs => case
      when m.lag >= m.error_seconds then m.error_seconds when m.lag >= m.warn_seconds then m.warn_seconds else 0 end),
    p_now
  from (
    select r.*, d.id as dataset_id, c.clock, c.clock_kind,
      greatest(0, extract(epoch from p_now - c.clock))::float8 as lag
    from ops.freshness_rules r
    left join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.version is not null
      and d.layer = pg_catalog.split_part(r.dataset, '.', 1) and d.name = pg_catalog.split_part(r.dataset, '.', 2)
    left join ops.dataset_versions v on v.dataset_id = d.id and v.version = d.version and r.event_column is not null
    left join ops.freshness k on k.rule_id = r.id
    cross join lateral (
      select
        -- Until a new version's own clock is known, the one before counts.
        case when v.id is not null and v.event_looked_at is null and k.clock_kind = 'event' then k.clock
          else coalesce(v.event_time, d.updated_at, r.created_at) end as clock,
        case when v.id is not null and v.event_looked_at is null and k.clock_kind = 'event' then 'event'
          when d.id is null then 'never' when v.event_time is null then 'release' else 'event' end as clock_kind
    ) as c
  ) as m
  order by m.id
  on conflict (rule_id) do update
  set dataset_id = excluded.dataset_id, clock = excluded.clock, clock_kind = excluded.clock_kind,
    lag_seconds = excluded.lag_seconds, state = excluded.state, since = excluded.since, checked_at = excluded.checked_at;
  insert into ops.freshness_breaches (rule_id, project_id, env, dataset, level, clock, began_at, noticed_at)
  select f.rule_id, f.project_id, f.env, f.dataset, l.level, f.clock,
    f.clock + pg_catalog.make_interval(secs => case l.level when 'error' then r.error_seconds else r.warn_seconds end), p_now
  from ops.freshness f
  join ops.freshness_rules r on r.id = f.rule_id
  cross join (values ('warn'), ('error')) as l (level)
  where f.state = 'error' or f.state = l.level
  on conflict (rule_id, level, began_at) do nothing;
  update ops.freshness_breaches b
  set ended_at = p_now
  from ops.freshness f
  where f.rule_id = b.rule_id and b.ended_at is null
    and (f.clock > b.clock or f.state = 'ok' or (f.state = 'warn' and b.level = 'error'));
  select pg_catalog.count(*) into v_bad from ops.freshness where state <> 'ok';
  return v_bad;
end
$$;

create or replace function ops.check_freshness() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.check_freshness(pg_catalog.clock_timestamp());
end
$$;

-- functions/28_scores.sql
-- People and scores: weights, gates, and what a score would have been.

-- The score of a run with other weights: nothing is kept. {"score": …, "breakdown": […], "sentence": …}
create or replace function ops.what_if_score(p_run_id uuid, p_weights jsonb) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_wrong text;
  v_breakdown jsonb;
  v_score numeric;
begin
  select r.project_id, r.env into v_run from ops.runs r where r.id = p_run_id;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  select string_agg(pg_catalog.format('%s: %s', key, case
      when not exists (select from ops.signal_weights w where w.signal = key) then 'no such signal'
      else value || ' is no weight' end), '; ' order by key)
  into v_wrong
  from pg_catalog.jsonb_each_text(coalesce(p_weights, '{}'))
  where value !~ '^[0-9]+(\.[0-9]+)?$' or not exists (select from ops.signal_weights w where w.signal = key);
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = 'p_weights: ' || v_wrong;
  end if;
  v_breakdown := private.score_breakdown(p_run_id, coalesce(p_weights, '{}'));
  v_score := (select sum((part ->> 'points')::numeric) from pg_catalog.jsonb_array_elements(v_breakdown) as part);
  if v_score is null then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'run %s has no signals yet; they are recorded when it has ended', p_run_id);
  end if;
  return pg_catalog.jsonb_build_object(
    'score', v_score, 'breakdown', v_breakdown, 'sentence', private.score_sentence(v_score, v_breakdown));
end
$$;

-- Weights are the installation's: an admin of some whole org changes them. Scores that were given stay.
create or replace function ops.set_signal_weight(
  p_signal text, p_weight float8, p_half_at float8 default null, p_free_until float8 default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_installation_admin();
  if p_weight is null or p_weight < 0 or p_half_at <= 0 or p_free_until < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_weight is %s, p_half_at %s, p_free_until %s; a weight and free_until are 0 or more, half_at is more than 0',
      p_weight, p_half_at, p_free_until);
  end if;
  update ops.signal_weights
  set weight = p_weight, half_at = coalesce(p_half_at, half_at), free_until = coalesce(p_free_until, free_until)
  where signal = p_signal;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no signal %L; known are %s', p_signal, (select string_agg(signal, ', ' order by signal) from ops.signal_weights));
  end if;
end
$$;

-- How good the run must be that earns a version its promotion to p_env; null takes the gate away.
create or replace function ops.set_score_gate(
  p_project_id uuid, p_env text, p_pipeline text, p_min_score numeric
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'admin');
  if p_min_score is null then
    delete from ops.score_gates
    where project_id = p_project_id and env = p_env and pipeline is not distinct from p_pipeline;
    return;
  end if;
  if p_min_score not between 0 and 100 then
    raise exception using errcode = 'CR007', message = pg_catalog.format('p_min_score is %s; give 0 to 100', p_min_score);
  end if;
  insert into ops.score_gates (project_id, env, pipeline, min_score, created_by)
  values (p_project_id, p_env, p_pipeline, p_min_score, private.subject())
  on conflict (project_id, env, pipeline) do update
  set min_score = excluded.min_score, created_by = excluded.created_by, created_at = pg_catalog.clock_timestamp();
end
$$;

-- functions/29_alerts.sql
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

-- functions/30_accounts.sql
-- Local accounts as their administrator has them: the owner, the back end. People never call these.

-- In the log with nobody as its subject: the installation's operator acts here, or somebody who is not somebody yet.
create or replace function private.audit_account(p_subject text, p_action text, p_facts jsonb default '{}') returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.audit(null, null, 'accounts.' || p_action, p_subject, null, p_facts)
$$;

create or replace function ops.add_account(p_subject text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require(p_subject, 'p_subject');
  if p_subject !~ '^[a-z0-9][a-z0-9._@+-]{0,127}$' or p_subject = 'local' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'account name %s is refused; use small letters, digits and . _ @ + -, and not local', p_subject);
  end if;
  insert into private.accounts (subject) values (p_subject);
  perform private.audit_account(p_subject, 'add');
exception
  when unique_violation then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'there is an account %s already; `controlroom account link %s` lets it set a password', p_subject, p_subject);
end
$$;

-- Locks the account and raises where there is none.
create or replace function private.lock_account(p_subject text) returns private.accounts
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account private.accounts;
begin
  select * into v_account from private.accounts where subject = p_subject for update;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no account %s; `controlroom account list` shows those there are', p_subject);
  end if;
  return v_account;
end
$$;

-- Ends what lets somebody in as that subject: sessions and links, whoever holds them.
create or replace function private.end_sign_ins(p_subject text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  update private.sessions set revoked_at = pg_catalog.clock_timestamp() where subject = p_subject and revoked_at is null;
  update private.sign_in_links set used_at = pg_catalog.clock_timestamp() where subject = p_subject and used_at is null;
$$;

create or replace function ops.disable_account(p_subject text, p_disabled boolean default true) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.lock_account(p_subject);
  update private.accounts
  set disabled_at = case when p_disabled then coalesce(disabled_at, pg_catalog.clock_timestamp()) end
  where subject = p_subject;
  perform private.audit_account(p_subject, case when p_disabled then 'disable' else 'enable' end);
  if p_disabled then
    perform private.end_sign_ins(p_subject);
  end if;
end
$$;

-- Keeps the hash of a new link and ends those before it: of several the last is the one that was meant.
create or replace function ops.add_sign_in_link(p_subject text, p_sha256 bytea, p_lifetime interval default '24 hours')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account private.accounts := private.lock_account(p_subject);
begin
  if v_account.disabled_at is not null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'account %s is disabled; `controlroom account enable %s` first', p_subject, p_subject);
  end if;
  update private.sign_in_links set used_at = pg_catalog.clock_timestamp() where subject = p_subject and used_at is null;
  insert into private.sign_in_links (sha256, subject, expires_at)
  values (p_sha256, p_subject, pg_catalog.clock_timestamp() + p_lifetime);
  perform private.audit_account(p_subject, 'link');
end
$$;

-- A new password; whoever was signed in with the old one is signed out.
create or replace function ops.set_password(p_subject text, p_salt bytea, p_cost int[], p_proof bytea) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.lock_account(p_subject);
  update private.accounts set salt = p_salt, cost = p_cost, verifier = pg_catalog.sha256(p_proof)
  where subject = p_subject;
  perform private.audit_account(p_subject, 'password');
  perform private.end_sign_ins(p_subject);
end
$$;

create or replace function ops.list_accounts()
returns table (
  subject text, has_password boolean, created_at timestamptz, disabled_at timestamptz, sessions bigint,
  last_sign_in timestamptz
)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.subject, a.verifier is not null, a.created_at, a.disabled_at,
    (select pg_catalog.count(*) from private.sessions s
     where s.subject = a.subject and s.revoked_at is null and s.expires_at > pg_catalog.clock_timestamp()),
    (select pg_catalog.max(s.created_at) from private.sessions s where s.subject = a.subject)
  from private.accounts a
  order by a.subject
$$;

-- functions/30_alert_desk.sql
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

-- functions/31_accounts_door.sql
-- The door: what controlroom_login asks before it may become somebody. Nobody else may call these. None gives out anything
-- that could be used instead of a password: not a hash, and a salt alike for names that there are and that there are not.

-- Seconds until that name or address may be tried again; 0 where it may now.
create or replace function private.throttled_seconds(p_name_sha256 bytea, p_address text) returns int
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    pg_catalog.ceil(extract(epoch from pg_catalog.max(f.again) - pg_catalog.clock_timestamp()))::int, 0)
  from (
    (select at + interval '15 minutes' as again from private.sign_in_failures
     where name_sha256 = p_name_sha256 and at > pg_catalog.clock_timestamp() - interval '15 minutes'
     order by at desc offset 9 limit 1)
    union all
    (select at + interval '15 minutes' from private.sign_in_failures
     where address = p_address and at > pg_catalog.clock_timestamp() - interval '15 minutes'
     order by at desc offset 49 limit 1)
  ) as f
$$;

create or replace function private.name_sha256(p_subject text) returns bytea
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.lower(p_subject), 'UTF8'))
$$;

-- How to make the proof of a password for that name. p_cost is what new passwords are made with, and unknown names too.
create or replace function ops.sign_in_challenge(
  p_subject text, p_address text, p_cost int[], out salt bytea, out cost int[], out wait_seconds int
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  wait_seconds := private.throttled_seconds(private.name_sha256(p_subject), p_address);
  select a.salt, a.cost into sign_in_challenge.salt, sign_in_challenge.cost
  from private.accounts a where a.subject = pg_catalog.lower(p_subject) and a.verifier is not null;
  if not found then
    select pg_catalog.substr(pg_catalog.sha256(p.bytes || private.name_sha256(p_subject)), 1, 16), p_cost
    into sign_in_challenge.salt, sign_in_challenge.cost from private.sign_in_pepper p;
  end if;
end
$$;

-- Compares, counts, and opens the session. Answers ok, refused or throttled: an exception would take the count back with it.
create or replace function ops.sign_in(
  p_subject text, p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text, p_user_agent text
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name bytea := private.name_sha256(p_subject);
  v_known boolean;
begin
  -- One at a time for a name and for an address, so that any number of attempts at once passes no more than one by one.
  perform pg_catalog.pg_advisory_xact_lock(7, pg_catalog.hashtext(pg_catalog.encode(v_name, 'hex')));
  perform pg_catalog.pg_advisory_xact_lock(8, pg_catalog.hashtext(p_address));
  if private.throttled_seconds(v_name, p_address) > 0 then
    return 'throttled';
  end if;
  select a.verifier = pg_catalog.sha256(p_proof) into v_known
  from private.accounts a where a.subject = pg_catalog.lower(p_subject) and a.disabled_at is null;
  if v_known is not true then
    insert into private.sign_in_failures (name_sha256, address) values (v_name, p_address);
    delete from private.sign_in_failures where at < pg_catalog.clock_timestamp() - interval '1 hour';
    return 'refused';
  end if;
  delete from private.sign_in_failures where name_sha256 = v_name;
  perform private.open_session(p_session_sha256, pg_catalog.lower(p_subject), p_lifetime, p_address, p_user_agent);
  perform private.audit_account(pg_catalog.lower(p_subject), 'sign_in', pg_catalog.jsonb_build_object('address', p_address));
  return 'ok';
end
$$;

create or replace function private.open_session(
  p_sha256 bytea, p_subject text, p_lifetime interval, p_address text, p_user_agent text
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  delete from private.sessions where expires_at < pg_catalog.clock_timestamp() - interval '30 days';
  insert into private.sessions (sha256, subject, expires_at, origin)
  values (
    p_sha256, p_subject, pg_catalog.clock_timestamp() + p_lifetime,
    pg_catalog.jsonb_build_object('address', p_address, 'user_agent', pg_catalog.left(p_user_agent, 200)))
  on conflict do nothing;
$$;

-- Whose link that is; null where it is used, expired or unknown. Looking does not use it up.
create or replace function ops.link_subject(p_sha256 bytea) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select l.subject
  from private.sign_in_links l
  join private.accounts a on a.subject = l.subject and a.disabled_at is null
  where l.sha256 = p_sha256 and l.used_at is null and l.expires_at > pg_catalog.clock_timestamp()
$$;

-- Uses a link: the password is set, older sessions end, one is opened. Null where the link is no good (any more).
create or replace function ops.use_sign_in_link(
  p_sha256 bytea, p_salt bytea, p_cost int[], p_proof bytea, p_session_sha256 bytea, p_lifetime interval, p_address text,
  p_user_agent text
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subject text := ops.link_subject(p_sha256);
begin
  if v_subject is null then
    return null;
  end if;
  -- Of two who use it at once, and of one who uses it while the account is disabled, the second waits here and then finds
  -- the link used.
  perform private.lock_account(v_subject);
  update private.sign_in_links set used_at = pg_catalog.clock_timestamp() where sha256 = p_sha256 and used_at is null;
  if not found then
    return null;
  end if;
  perform ops.set_password(v_subject, p_salt, p_cost, p_proof);
  perform private.audit_account(v_subject, 'sign_in_by_link', pg_catalog.jsonb_build_object('address', p_address));
  perform private.open_session(p_session_sha256, v_subject, p_lifetime, p_address, p_user_agent);
  return v_subject;
end
$$;

-- Who holds that session now; null where it is unknown, expired or revoked, or its account disabled.
create or replace function ops.session_subject(p_sha256 bytea) returns text
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select s.subject
  from private.sessions s
  join private.accounts a on a.subject = s.subject and a.disabled_at is null
  where s.sha256 = p_sha256 and s.revoked_at is null and s.expires_at > pg_catalog.clock_timestamp()
$$;

-- Whether a sign-in that an OIDC issuer vouches for still holds here. Its row is made when it is first seen; it stays until
-- the id token has expired, so that what was ended cannot be presented again.
create or replace function ops.login_holds(
  p_sha256 bytea, p_subject text, p_expires_at timestamptz, p_address text, p_user_agent text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_revoked_at timestamptz;
begin
  if p_expires_at <= pg_catalog.clock_timestamp() then
    return false;
  end if;
  select s.revoked_at into v_revoked_at from private.sessions s where s.sha256 = p_sha256 and s.subject = p_subject;
  if found then
    return v_revoked_at is null;
  end if;
  perform private.open_session(
    p_sha256, p_subject, p_expires_at - pg_catalog.clock_timestamp(), p_address, p_user_agent);
  return exists (
    select from private.sessions s where s.sha256 = p_sha256 and s.subject = p_subject and s.revoked_at is null);
end
$$;

create or replace function ops.sign_out(p_sha256 bytea) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update private.sessions set revoked_at = pg_catalog.clock_timestamp() where sha256 = p_sha256 and revoked_at is null
$$;

-- functions/31_private_backfills.sql
-- A backfill's chunks: how a range or list of partitions is cut, and what becomes of each.

-- Dates that are beginnings of partitions. Refuses the first that is not one.
create or replace function private.partition_starts(p_step text, p_from date, p_to date, p_values jsonb) returns date[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_starts date[];
  v_wrong date;
begin
  if p_values is null then
    if p_from is null or p_to is null or p_from > p_to or p_to - p_from > 366000 then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'the range is %s to %s; give the first partition and the last, or a list of partitions',
        coalesce(p_from::text, 'open'), coalesce(p_to::text, 'open'));
    end if;
    v_starts := array(
      select g::date from pg_catalog.generate_series(p_from::timestamp, p_to::timestamp, ('1 ' || p_step)::interval) as g);
    v_wrong := case when pg_catalog.date_trunc(p_step, p_from::timestamp)::date <> p_from then p_from end;
  else
    v_starts := array(
      select distinct v::date from pg_catalog.jsonb_array_elements_text(p_values) as v order by 1);
    select s into v_wrong from pg_catalog.unnest(v_starts) as s
    where pg_catalog.date_trunc(p_step, s::timestamp)::date <> s limit 1;
  end if;
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s is not the first day of a %s; that one begins %s', v_wrong, p_step,
      pg_catalog.date_trunc(p_step, v_wrong::timestamp)::date);
  end if;
  return v_starts;
end
$$;

-- The chunks of a definition: p_size partitions each, where they follow one another without a gap.
create or replace function private.cut_into_chunks(p_partition jsonb, p_definition jsonb, p_size int)
returns table (chunk int, first text, until text, partitions int)
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_step text := p_partition ->> 'step';
begin
  if v_step is null then
    return query
      select pg_catalog.row_number() over (order by pg_catalog.min(v.ordinal))::int, v.one, null::text, 1
      from pg_catalog.jsonb_array_elements_text(coalesce(p_definition -> 'values', '[]')) with ordinality as v (one, ordinal)
      group by v.one;
    return;
  end if;
  return query
    with starts as (
      select s.at, pg_catalog.row_number() over (order by s.at) as n,
        s.at is distinct from (pg_catalog.lag(s.at) over (order by s.at) + ('1 ' || v_step)::interval)::date as gap
      from pg_catalog.unnest(private.partition_starts(
        v_step, (p_definition ->> 'from')::date, (p_definition ->> 'to')::date, p_definition -> 'values')) as s (at)
    ), islands as (
      select s.at, pg_catalog.count(*) filter (where s.gap) over (order by s.at) as island from starts s
    ), placed as (
      select i.at, i.island, (pg_catalog.row_number() over (partition by i.island order by i.at) - 1) / p_size as piece
      from islands i
    )
    select pg_catalog.row_number() over (order by pg_catalog.min(p.at))::int, pg_catalog.min(p.at)::text,
      (pg_catalog.max(p.at) + ('1 ' || v_step)::interval)::date::text, pg_catalog.count(*)::int
    from placed p
    group by p.island, p.piece;
end
$$;

-- A partition's name as the value of its parameter.
create or replace function private.partition_value(p_param jsonb, p_text text) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_param ->> 'type' = 'integer' then
    return pg_catalog.to_jsonb(p_text::bigint);
  end if;
  if p_param ->> 'type' = 'choice' and not p_param -> 'choices' ? p_text then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'partition %L is none of the choices of its parameter: %s', p_text, (
        select pg_catalog.string_agg(c, ', ') from pg_catalog.jsonb_array_elements_text(p_param -> 'choices') as c));
  end if;
  return pg_catalog.to_jsonb(p_text);
end
$$;

-- The parameters of a chunk's run.
create or replace function private.chunk_params(
  p_spec jsonb, p_partition jsonb, p_params jsonb, p_first text, p_until text
) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select private.param_defaults(p_spec) || p_params
    || pg_catalog.jsonb_build_object(
      p_partition ->> 'param', private.partition_value(p_spec -> 'params' -> (p_partition ->> 'param'), p_first))
    || case when p_partition ? 'until' then pg_catalog.jsonb_build_object(p_partition ->> 'until', p_until) else '{}' end
$$;

-- What a definition may say, and what is so where it says nothing. After the live feed: a schedule's runs have priority 100.
create or replace function private.backfill_defaults(p_definition jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unknown text;
begin
  select pg_catalog.string_agg(k, ', ' order by k) into v_unknown
  from pg_catalog.jsonb_object_keys(p_definition) as k
  where k <> all ('{pipeline,from,to,values,params,chunk_size,max_parallel,max_tries,priority}');
  if v_unknown is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_definition has no field %s; see docs/backfill.md for those that it has', v_unknown);
  end if;
  perform private.require(p_definition ->> 'pipeline', 'p_definition.pipeline');
  return '{"params": {}, "chunk_size": 1, "max_parallel": 4, "max_tries": 3, "priority": 200}'::jsonb
    || pg_catalog.jsonb_strip_nulls(p_definition);
end
$$;

-- Refuses what could not be carried out, before anything is made.
create or replace function private.require_backfillable(p_pipeline ops.pipelines, p_definition jsonb) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_partition jsonb := p_pipeline.spec -> 'partition';
  v_known jsonb := coalesce(p_pipeline.spec -> 'params', '{}');
  v_wrong text;
begin
  if v_partition is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'version %s of %s does not say what its partitions are; write partition: {param: …, step: day} into its spec',
      p_pipeline.version, p_pipeline.slug);
  end if;
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_object_keys(p_definition -> 'params') as k
  where not v_known ? k or k in (v_partition ->> 'param', v_partition ->> 'until');
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'parameter %s is not the backfill''s to give: %s has it not, or its partition gives it', v_wrong, p_pipeline.slug);
  end if;
  select pg_catalog.string_agg(k, ', ' order by k) into v_wrong
  from pg_catalog.jsonb_each(v_known) as p (k, param)
  where p.param -> 'default' is null and not p_definition -> 'params' ? k
    and k is distinct from v_partition ->> 'param' and k is distinct from v_partition ->> 'until';
  if v_wrong is not null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'parameter %s of %s has no default; give it a value', v_wrong, p_pipeline.slug);
  end if;
  if (p_definition ->> 'chunk_size')::int > 1 and not v_partition ? 'until' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a run of %s takes one partition; for chunks of several its spec names a second parameter: partition: {…, until: …}',
      p_pipeline.slug);
  end if;
  if not v_partition ? 'step' and (p_definition -> 'values' is null or p_definition ? 'from' or p_definition ? 'to') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'partitions of %s have no order; list them', p_pipeline.slug);
  end if;
  if v_partition ? 'step' and p_definition ? 'values' and (p_definition ? 'from' or p_definition ? 'to') then
    raise exception using errcode = 'CR007', message = 'give either a range or a list of partitions';
  end if;
  if p_definition ? 'values' and pg_catalog.jsonb_typeof(p_definition -> 'values') <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_definition.values must be a JSON array of partitions';
  end if;
end
$$;

-- What is to be expected, from the last fifty runs of the pipeline in the environment that succeeded: the median of each figure.
-- A run that a backfill made counts for each partition that it had. All null where there is no history.
create or replace function private.backfill_estimate(
  p_project_id uuid, p_env text, p_pipeline text, p_chunks int, p_partitions int, p_parallel int
) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_parallel int;
  v_seen record;
begin
  -- A cap on runs at once says how many there can be, whatever is asked for.
  select greatest(1, least(p_parallel, p_chunks, pg_catalog.floor(pg_catalog.min(c.amount))::int)) into v_parallel
  from private.caps_on(p_project_id, p_pipeline) as c
  where c.unit = 'runs' and c.period = 'concurrent';
  select pg_catalog.count(*) as runs,
    pg_catalog.percentile_cont(0.5) within group (order by h.seconds / h.partitions) as seconds,
    pg_catalog.percentile_cont(0.5) within group (order by h.rows / h.partitions) as rows,
    pg_catalog.percentile_cont(0.5) within group (order by h.bytes / h.partitions) as bytes
  into v_seen
  from (
    select extract(epoch from r.finished_at - r.started_at)::float8 as seconds, coalesce(c.partitions, 1) as partitions,
      f.rows, f.bytes
    from (
      select r.id, r.started_at, r.finished_at
      from ops.runs r
      where r.project_id = p_project_id and r.env = p_env and r.pipeline = p_pipeline and r.status = 'succeeded'
        and r.root_run is null
      order by r.created_at desc, r.id desc limit 50
    ) as r
    left join ops.backfill_chunks c on c.run_id = r.id
    cross join lateral (
      select coalesce(pg_catalog.sum(p.rows_out), 0)::float8 as rows, coalesce(pg_catalog.sum(p.byte_size), 0)::float8 as bytes
      from ops.run_phases p where p.run_id = r.id
    ) as f
  ) as h;
  return pg_catalog.jsonb_build_object(
    'from_runs', v_seen.runs, 'runs', p_chunks, 'parallel', v_parallel,
    'seconds', v_seen.seconds * p_partitions / v_parallel, 'executor_seconds', v_seen.seconds * p_partitions,
    'rows', pg_catalog.round(v_seen.rows * p_partitions), 'bytes', pg_catalog.round(v_seen.bytes * p_partitions));
end
$$;

-- What became of the runs of chunks that have ended. A chunk whose run failed is tried again, as a retry of that run: what it
-- committed is found and not made twice. A run that somebody canceled is not.
create or replace function private.settle_chunks(p_backfill ops.backfills) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settled int;
begin
  update ops.backfill_chunks c
  set state = case
      when r.status = 'succeeded' then 'succeeded'
      when p_backfill.state = 'canceled' then 'canceled'
      when r.status = 'failed' and (c.tries < c.max_tries or r.error_code = 'CAP_EXCEEDED') then 'pending'
      else 'failed' end,
    -- A cap that is used up is nobody's fault: it costs the chunk no try.
    max_tries = c.max_tries + (r.status = 'failed' and r.error_code = 'CAP_EXCEEDED')::int,
    error_code = r.error_code, error_message = r.error_message, settled_at = r.finished_at
  from ops.runs r
  where c.backfill_id = p_backfill.id and c.state = 'queued' and r.id = c.run_id
    and r.status in ('succeeded', 'failed', 'canceled');
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;

-- The run of a chunk's next try. The key names the try, so that there is one run of it whoever asks how often.
create or replace function private.chunk_run(p_backfill ops.backfills, p_pipeline ops.pipelines, p_chunk ops.backfill_chunks)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key text := pg_catalog.format('backfill:%s:%s:%s', p_backfill.id, p_chunk.chunk, p_chunk.tries + 1);
  v_old ops.runs;
begin
  if p_chunk.run_id is not null then
    select * into strict v_old from ops.runs where id = p_chunk.run_id;
    -- Newer data than it had pinned came first: on the same inputs it would be refused again. A fresh run doubles nothing,
    -- unless a phase appends, or is of a kind that is not ours and may.
    if v_old.error_code is distinct from 'CONFLICT' or exists (
      select from ops.run_phases p where p.run_id = v_old.id and (private.appends(v_old.spec, p.name)
        or p.kind not in ('ingest', 'validate', 'transform', 'publish', 'query'))) then
      return private.make_rerun(
        v_old, 'retry', null, 'backfill', v_key,
        pg_catalog.clock_timestamp() + least(600, 2 ^ p_chunk.tries) * interval '1 second');
    end if;
  end if;
  return private.queue_run(
    p_backfill.project_id, p_backfill.env, p_backfill.pipeline, p_pipeline.spec, p_pipeline.sha256, p_pipeline.git_sha,
    private.chunk_params(p_pipeline.spec, p_backfill.partition, p_backfill.params, p_chunk.first, p_chunk.until),
    private.spec_outline(p_pipeline.spec), v_key, p_backfill.priority, 'backfill',
    coalesce((p_pipeline.spec ->> 'max_attempts')::int, 3), (p_pipeline.spec ->> 'timeout')::float8, null, null,
    pg_catalog.jsonb_build_object('backfill', p_backfill.id, 'partition', p_chunk.first), '{}', true);
end
$$;

-- One step of one backfill, whose row the caller holds: what ended is noted, what is free is filled, what is done is ended.
-- Returns how many chunks it moved.
create or replace function private.advance_backfill(p_backfill ops.backfills) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_moved int := private.settle_chunks(p_backfill);
  v_pipeline ops.pipelines;
  v_chunk ops.backfill_chunks;
  v_open int;
  v_failed int;
begin
  if p_backfill.state <> 'active' then
    return v_moved;
  end if;
  -- No phase of it could begin: it waits until the cap's period is over, or the cap is raised.
  if private.is_metered() and private.used_up(p_backfill.project_id, p_backfill.pipeline) is not null
     and exists (select from ops.backfill_chunks c where c.backfill_id = p_backfill.id and c.state = 'pending') then
    return v_moved;
  end if;
  select * into strict v_pipeline from ops.pipelines
  where project_id = p_backfill.project_id and slug = p_backfill.pipeline and version = p_backfill.pipeline_version;
  select pg_catalog.count(*) into v_open from ops.backfill_chunks where backfill_id = p_backfill.id and state = 'queued';
  for v_chunk in
    select * from ops.backfill_chunks where backfill_id = p_backfill.id and state = 'pending'
    order by chunk limit greatest(0, p_backfill.max_parallel - v_open)
  loop
    update ops.backfill_chunks
    set run_id = private.chunk_run(p_backfill, v_pipeline, v_chunk), state = 'queued', tries = tries + 1, settled_at = null
    where backfill_id = v_chunk.backfill_id and chunk = v_chunk.chunk;
    v_moved := v_moved + 1;
    v_open := v_open + 1;
  end loop;
  if v_open = 0 then
    select pg_catalog.count(*) into v_failed from ops.backfill_chunks where backfill_id = p_backfill.id and state <> 'succeeded';
    update ops.backfills
    set state = case v_failed when 0 then 'succeeded' else 'failed' end, ended_at = pg_catalog.clock_timestamp(),
      reason = case v_failed when 0 then '' else pg_catalog.format('%s of %s chunks have not succeeded', v_failed, chunks) end
    where id = p_backfill.id;
  end if;
  return v_moved;
end
$$;

-- functions/32_backfills.sql
-- Backfills as people have them, and the steward's step.

-- The backfill, locked, where the caller is an operator of its environment.
create or replace function private.my_backfill(p_backfill_id uuid) returns ops.backfills
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills;
begin
  select * into v_backfill from ops.backfills where id = p_backfill_id for no key update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_backfill.project_id, v_backfill.env, 'operator');
  return v_backfill;
end
$$;

-- Orders a backfill: of the version that the environment runs now, over a range (from, to: first and last partition) or a list
-- (values) of partitions. p_dry_run: nothing is made. Returns its id (null in a dry run), its chunks and what to expect.
-- The same key gives the same backfill.
create or replace function ops.start_backfill(
  p_project_id uuid, p_env text, p_definition jsonb, p_idempotency_key text default null, p_dry_run boolean default false
) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
  v_new ops.backfills;
  v_known ops.backfills;
  v_definition jsonb;
  v_pipeline ops.pipelines;
  v_chunks jsonb;
begin
  perform private.require_role(p_project_id, p_env, 'operator');
  v_definition := private.backfill_defaults(p_definition);
  v_pipeline := private.scheduled_version(p_project_id, p_env, v_definition ->> 'pipeline');
  perform private.require_backfillable(v_pipeline, v_definition);
  v_new := pg_catalog.jsonb_populate_record(null::ops.backfills, v_definition);
  if v_new.chunk_size not between 1 and 1000 or v_new.max_parallel not between 1 and 100
    or v_new.max_tries not between 1 and 20 or v_new.priority not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'chunk_size is %s, max_parallel %s, max_tries %s, priority %s; give 1 to 1000, 1 to 100, 1 to 20, 1 to 1000',
      v_new.chunk_size, v_new.max_parallel, v_new.max_tries, v_new.priority);
  end if;
  select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c) order by c.chunk), '[]'),
    pg_catalog.count(*), coalesce(pg_catalog.sum(c.partitions), 0)
  into v_chunks, v_new.chunks, v_new.partitions
  from private.cut_into_chunks(v_pipeline.spec -> 'partition', v_definition, v_new.chunk_size) as c;
  if v_new.chunks = 0 or v_new.partitions > 20000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'that is %s partitions; give 1 to 20000', v_new.partitions);
  end if;
  -- A value that is none is refused now and not at its turn.
  perform private.chunk_params(
    v_pipeline.spec, v_pipeline.spec -> 'partition', v_new.params, c ->> 'first', c ->> 'until')
  from pg_catalog.jsonb_array_elements(v_chunks) as c;
  if not p_dry_run then
    if p_idempotency_key is not null then
      perform pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended(p_project_id::text || '/' || p_env || '/backfill#' || p_idempotency_key, 0));
    end if;
    select * into v_known from ops.backfills
    where project_id = p_project_id and env = p_env and idempotency_key = p_idempotency_key;
    if not found then
      v_id := private.make_backfill(p_project_id, p_env, v_new, v_pipeline, v_chunks, p_idempotency_key);
    elsif (v_known.pipeline, v_known.params, v_known.chunks, v_known.partitions)
      is distinct from (v_new.pipeline, v_new.params, v_new.chunks, v_new.partitions)
      or exists (
        select from pg_catalog.jsonb_array_elements(v_chunks) as c
        where not exists (
          select from ops.backfill_chunks k
          where k.backfill_id = v_known.id and k.first = c ->> 'first' and k.until is not distinct from c ->> 'until')) then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'idempotency key %L belongs to backfill %s of other partitions; use a new key', p_idempotency_key, v_known.id);
    else
      v_id := v_known.id;
    end if;
  end if;
  return pg_catalog.jsonb_build_object(
    'id', v_id, 'pipeline', v_pipeline.slug, 'version', v_pipeline.version, 'env', p_env, 'partitions', v_new.partitions,
    'chunks', v_chunks, 'estimate', private.backfill_estimate(
      p_project_id, p_env, v_pipeline.slug, v_new.chunks, v_new.partitions, v_new.max_parallel));
end
$$;

create or replace function private.make_backfill(
  p_project_id uuid, p_env text, p_new ops.backfills, p_pipeline ops.pipelines, p_chunks jsonb, p_idempotency_key text
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := private.new_id();
begin
  insert into ops.backfills (
    id, project_id, env, pipeline, pipeline_version, params, partition, partitions, chunks, chunk_size, max_parallel,
    max_tries, priority, idempotency_key, created_by)
  values (
    v_id, p_project_id, p_env, p_pipeline.slug, p_pipeline.version, p_new.params, p_pipeline.spec -> 'partition',
    p_new.partitions, p_new.chunks, p_new.chunk_size, p_new.max_parallel, p_new.max_tries, p_new.priority,
    p_idempotency_key, private.subject());
  insert into ops.backfill_chunks (backfill_id, chunk, project_id, env, first, until, partitions, max_tries)
  select v_id, c.chunk, p_project_id, p_env, c.first, c.until, c.partitions, p_new.max_tries
  from pg_catalog.jsonb_to_recordset(p_chunks) as c (chunk int, first text, until text, partitions int);
  return v_id;
end
$$;

-- What runs goes on; no further runs are made.
create or replace function ops.pause_backfill(p_backfill_id uuid, p_reason text default '') returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
begin
  if v_backfill.state = 'active' then
    update ops.backfills set state = 'paused', reason = coalesce(p_reason, '') where id = p_backfill_id;
    return 'paused';
  end if;
  return v_backfill.state;
end
$$;

-- Goes on with a paused one; of one that failed, chunks that have failed get as many tries as at first.
create or replace function ops.resume_backfill(p_backfill_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
begin
  if v_backfill.state not in ('paused', 'failed') then
    if v_backfill.state in ('succeeded', 'canceled') then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'backfill %s is %s; start a new one', p_backfill_id, v_backfill.state);
    end if;
    return v_backfill.state;
  end if;
  update ops.backfills set state = 'active', reason = '', ended_at = null where id = p_backfill_id;
  update ops.backfill_chunks c
  set state = 'pending', max_tries = c.tries + v_backfill.max_tries
  where c.backfill_id = p_backfill_id and c.state = 'failed';
  return 'active';
end
$$;

-- No further runs, and those that are open are canceled. Partitions that have succeeded stay.
create or replace function ops.cancel_backfill(p_backfill_id uuid, p_reason text default '') returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills := private.my_backfill(p_backfill_id);
  v_run uuid;
begin
  if v_backfill.state in ('succeeded', 'canceled') then
    return v_backfill.state;
  end if;
  update ops.backfills
  set state = 'canceled', reason = coalesce(p_reason, ''), ended_at = pg_catalog.clock_timestamp()
  where id = p_backfill_id returning * into v_backfill;
  update ops.backfill_chunks set state = 'canceled', settled_at = pg_catalog.clock_timestamp()
  where backfill_id = p_backfill_id and state = 'pending';
  -- In the order in which heartbeats lock leases.
  for v_run in
    select c.run_id from ops.backfill_chunks c where c.backfill_id = p_backfill_id and c.state = 'queued' order by c.run_id
  loop
    perform ops.cancel_run(v_run, pg_catalog.format('backfill %s was canceled', p_backfill_id));
  end loop;
  perform private.settle_chunks(v_backfill);
  return 'canceled';
end
$$;

-- The steward's step: moves each backfill on in which there is something to do. Whatever is done of one is done in this
-- transaction, under its row: a steward that dies has moved it or has not. One that cannot go on is paused with the reason
-- and keeps no other from its turn. Returns how many chunks were moved.
create or replace function ops.advance_backfills(p_limit int default 500) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill ops.backfills;
  v_moved int := 0;
begin
  for v_backfill in
    select b.* from ops.backfills b
    where b.state = 'active'
      or b.id in (select c.backfill_id from ops.backfill_chunks c where c.state = 'queued')
    order by b.created_at, b.id
    for no key update skip locked
    limit p_limit
  loop
    begin
      v_moved := v_moved + private.advance_backfill(v_backfill);
    exception
      when sqlstate 'CR002' or sqlstate 'CR003' or sqlstate 'CR004' or sqlstate 'CR005' or sqlstate 'CR006'
        or sqlstate 'CR007' or data_exception or integrity_constraint_violation then
        update ops.backfills set state = 'paused', reason = sqlerrm where id = v_backfill.id and state = 'active';
    end;
  end loop;
  return v_moved;
end
$$;

-- functions/32_caps.sql
-- Caps, pools and prices, as people set them. An admin of the project sets what is the project's, an admin of the org the rest.

drop function if exists private.lock_limits();
drop function if exists ops.remove_cap(text);

-- Claims share locks while they choose, and not a table's, since heartbeats read those: whoever changes limits waits for the
-- claims under way, so that each is before the change, and then counted by it, or after it. Until the change is committed,
-- claims step over the org's runs (private.share_limits), so that the transaction must not stay open for long.
create or replace function private.lock_limits(p_org_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.limits', 0));
  perform pg_catalog.pg_advisory_xact_lock(private.limits_lock(p_org_id));
  perform private.bound_transaction();
exception
  when lock_not_available then
    raise exception using errcode = 'CR006', message =
      'limits cannot be changed while a claim takes so long; try again';
end
$$;

-- Ends the caller's session where it lets the transaction lie for 5 s, or (from Postgres 17 on) goes on in it for a minute, unless
-- it has asked for less itself. A minute, for a cap with a month of charges is not removed in a moment.
create or replace function private.bound_transaction() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_catalog.set_config(b.name, b.most::text, true)
  from (values ('idle_in_transaction_session_timeout', 5000), ('transaction_timeout', 60000)) as b (name, most)
  join pg_catalog.pg_settings s on s.name = b.name
  where s.setting::int not between 1 and b.most;
end
$$;

-- Ids of the scope that a limit is to have; the caller is an admin there.
create or replace function private.limited_scope(p_org text, p_project text, out org_id uuid, out project_id uuid)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  select f.org_id, f.project_id into org_id, project_id from private.find_project(p_org, p_project) as f;
  perform private.require_admin(org_id, project_id, '{dev,stage,prod}');
end
$$;

-- Makes a cap, or changes how much it allows. Unit, period and scope stay: what was charged would mean something else. Runs that
-- are at work count in a concurrent cap from its first moment.
create or replace function ops.set_cap(
  p_org text, p_project text, p_key text, p_unit text, p_amount numeric, p_period text, p_pipeline text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_old ops.caps;
  v_cap uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  if p_key is null or p_key !~ '^[a-z][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_key is %L; begin with a letter, then a-z, 0-9, _ . - up to 63 characters', p_key);
  end if;
  if p_amount is null or p_amount < 0 or p_amount = 'NaN' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_amount is %s; it must be zero or more', coalesce(p_amount::text, 'missing'));
  end if;
  if p_unit is null or p_unit not in ('runs', 'cpu_seconds', 'rows', 'bytes', 'money')
     or p_period is null or p_period not in ('hour', 'day', 'week', 'month', 'concurrent')
     or (p_period = 'concurrent' and p_unit <> 'runs') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a cap on %L by %L is none; use runs, cpu_seconds, rows, bytes or money by hour, day, week or month, or runs by concurrent',
      p_unit, p_period);
  end if;
  if p_pipeline is not null and v_project is null then
    raise exception using errcode = 'CR007', message = 'p_pipeline needs p_project: a pipeline is a project''s';
  end if;
  perform private.lock_limits(v_org);
  select * into v_old from ops.caps where org_id = v_org and key = p_key;
  if not found then
    insert into ops.caps (key, org_id, project_id, pipeline, unit, amount, period, created_by)
    values (p_key, v_org, v_project, p_pipeline, p_unit, p_amount, p_period, private.subject())
    returning id into v_cap;
    if p_period = 'concurrent' then
      insert into ops.cap_usage (cap_id, project_id, run_id, lease_token, amount)
      select v_cap, l.project_id, l.run_id, l.lease_token, 1
      from ops.run_leases l
      join ops.runs r on r.id = l.run_id
      join ops.projects p on p.id = l.project_id
      where p.org_id = v_org and (v_project is null or p.id = v_project) and (p_pipeline is null or r.pipeline = p_pipeline);
    end if;
  elsif (v_old.unit, v_old.period) <> (p_unit, p_period)
     or v_old.project_id is distinct from v_project or v_old.pipeline is distinct from p_pipeline then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'there is a cap %s with another scope, unit or period; choose another name, or remove it first', p_key);
  else
    update ops.caps set amount = p_amount where id = v_old.id returning id into v_cap;
  end if;
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_cap;
end
$$;

-- Ends a cap, and with it the record of what was charged to it; the audit log keeps the cap.
create or replace function ops.remove_cap(p_org text, p_key text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cap ops.caps;
begin
  -- One answer for what is not there and what the caller may not know of.
  select c.* into v_cap from ops.caps c join ops.orgs o on o.id = c.org_id where o.slug = p_org and c.key = p_key;
  if not found or not private.sees_scope(v_cap.org_id, v_cap.project_id) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no cap %L; `controlroom cap list` shows them', p_key);
  end if;
  perform private.require_admin(v_cap.org_id, v_cap.project_id, '{dev,stage,prod}');
  perform private.lock_limits(v_cap.org_id);
  -- First: heartbeats step over it (private.charge_metered_caps), and over its charges whoever ends a run (private.end_lease).
  perform from ops.caps where id = v_cap.id for update;
  delete from ops.cap_usage where cap_id = v_cap.id;
  delete from ops.caps where id = v_cap.id;
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;

-- May the caller know of what belongs to this org or project?
create or replace function private.sees_scope(p_org_id uuid, p_project_id uuid) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.is_trusted() or (
    exists (select from private.my_orgs() as o where o = p_org_id)
    and (p_project_id is null or exists (select from private.my_projects() as p where p = p_project_id)));
end
$$;

-- Makes a pool or changes its slots. Runs at work that name it hold their slots from its first moment; fewer slots than are in use
-- take nothing away, they are given out when enough have come back.
create or replace function ops.set_pool(p_org text, p_project text, p_name text, p_slots int) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_pool uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  if p_name is null or p_name !~ '^[a-z][a-z0-9_]{0,62}$' or p_slots is null or p_slots < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a pool %L of %s slots is none; the name begins with a letter, then a-z, 0-9, _; slots are zero or more', p_name,
      coalesce(p_slots::text, 'no'));
  end if;
  perform private.lock_limits(v_org);
  update ops.pools set slots = p_slots
  where org_id = v_org and project_id is not distinct from v_project and name = p_name
  returning id into v_pool;
  if not found then
    insert into ops.pools (org_id, project_id, name, slots, created_by)
    values (v_org, v_project, p_name, p_slots, private.subject())
    returning id into v_pool;
    perform private.hold_pools_anew(v_org, p_name);
  end if;
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_pool;
end
$$;

-- After a pool of that name came or went: whoever is at work holds slots of the one that the name now stands for.
create or replace function private.hold_pools_anew(p_org_id uuid, p_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.pool_uses u
  using ops.pools l
  where l.id = u.pool_id and l.org_id = p_org_id and l.name = p_name;
  insert into ops.pool_uses (pool_id, run_id, project_id, lease_token, slots)
  select f.pool_id, l.run_id, l.project_id, l.lease_token, f.needs
  from ops.run_leases l
  join ops.projects p on p.id = l.project_id and p.org_id = p_org_id
  join ops.runs r on r.id = l.run_id and r.pools ? p_name
  cross join lateral private.pools_for(l.project_id, r.pools) as f
  where f.name = p_name;
end
$$;

-- Ends a pool: a name without a pool holds nobody up.
create or replace function ops.remove_pool(p_org text, p_project text, p_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
  v_pool uuid;
begin
  select s.org_id, s.project_id into v_org, v_project from private.limited_scope(p_org, p_project) as s;
  perform private.lock_limits(v_org);
  select id into v_pool from ops.pools
  where org_id = v_org and project_id is not distinct from v_project and name = p_name;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no pool %L; `controlroom pool list` shows them', p_name);
  end if;
  delete from ops.pool_uses where pool_id = v_pool;
  delete from ops.pools where id = v_pool;
  perform private.hold_pools_anew(v_org, p_name);
  perform pg_catalog.pg_notify('ops_runs', '');
end
$$;

-- What a unit costs from p_valid_from on; now, where it is null. Not from a moment that is over: what was charged stays.
create or replace function ops.set_price(
  p_org text, p_unit text, p_price numeric, p_currency text, p_valid_from timestamptz default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_known text;
  v_price uuid;
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  select s.org_id into v_org from private.limited_scope(p_org, null) as s;
  if p_unit is null or p_unit not in ('cpu_second', 'gb_hour', 'gb_read', 'gb_written')
     or p_price is null or p_price < 0 or p_price in ('NaN', 'Infinity') or p_currency is null or p_currency !~ '^[A-Z]{3}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'a price of %s %s for a %L is none; the unit is cpu_second, gb_hour, gb_read or gb_written, the price zero or more, the '
      'currency three capital letters', p_price, p_currency, p_unit);
  end if;
  if p_valid_from < v_now - interval '1 minute' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_valid_from is %s, which is over; what was used then keeps its price', p_valid_from);
  end if;
  -- Two admins at once must not bring two currencies.
  perform from ops.orgs where id = v_org for no key update;
  select currency into v_known from ops.prices where org_id = v_org limit 1;
  if v_known <> p_currency then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'the prices of %s are in %s; give this one in %s too: costs are added up', p_org, v_known, v_known);
  end if;
  insert into ops.prices (org_id, unit, price, currency, valid_from, created_by)
  values (v_org, p_unit, p_price, p_currency, greatest(p_valid_from, v_now), private.subject())
  on conflict (org_id, unit, valid_from) do update set price = excluded.price
  returning id into v_price;
  return v_price;
end
$$;

-- The caps that the caller may know of, what is used of each, and when it is used up if it goes on as since the period began.
create or replace function ops.cap_report() returns table (
  key text, org text, project text, pipeline text, unit text, period text, amount numeric, used numeric,
  resets_at timestamptz, used_up_at timestamptz, cap_id uuid, org_id uuid, project_id uuid, began_at timestamptz,
  asked_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
begin
  return query
    select c.key, o.slug, p.slug, c.pipeline, c.unit, c.period, c.amount, u.used, private.period_end(c.period, v_now),
      case
        when c.period = 'concurrent' then null
        when u.used >= c.amount then v_now
        -- Counted from when the cap was made, where that is later than the period's beginning.
        when u.used > 0 then (
          select f.at from (
            select v_now + (v_now - b.at) * least(((c.amount - u.used) / u.used)::float8, 1e6) as at
            from (select greatest(private.period_start(c.period, v_now), c.created_at) as at) as b) as f
          where f.at < private.period_end(c.period, v_now))
      end,
      c.id, c.org_id, c.project_id, case when c.period <> 'concurrent' then private.period_start(c.period, v_now) end, v_now
    from ops.caps c
    join ops.orgs o on o.id = c.org_id
    left join ops.projects p on p.id = c.project_id
    cross join lateral (select private.cap_used(c, v_now) as used) as u
    where private.sees_scope(c.org_id, c.project_id)
    order by c.key, o.slug;
end
$$;

-- functions/32_refresh.sql
-- A full refresh: a run whose versions stay set aside until somebody, or a tolerance given beforehand, swaps them in.

-- The refresh that a run builds; null where it builds none.
create or replace function private.refresh_of(p_run_id uuid) returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select f.id from ops.runs r join ops.refreshes f on f.run_id = coalesce(r.root_run, r.id) where r.id = p_run_id);
end
$$;

-- The version that a commit to a table builds upon: null for the newest as it stands, -1 for an empty table. Asked in the
-- transaction that holds the run: the dataset's row is locked until it ends, so that no swap comes between the answer and the
-- commit. What is set aside is nobody's to build upon but the refresh's own.
create or replace function ops.build_on(p_run_id uuid, p_lease_token bigint, p_table text) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_root uuid;
  v_dataset uuid;
  v_newest record;
  v_own bigint;
begin
  -- Not private.owned: the lease's row stays free for heartbeats, reports and cancels for as long as the commit takes.
  perform private.require_lease(p_run_id, p_lease_token);
  select d.id, coalesce(r.root_run, r.id) into v_dataset, v_root
  from ops.runs r
  join ops.datasets d on d.project_id = r.project_id and d.env = r.env
    and d.layer = pg_catalog.split_part(p_table, '.', 1) and d.name = pg_catalog.split_part(p_table, '.', 2)
  where r.id = p_run_id
  for share of d;
  if not found then
    return null;
  end if;
  select v.version, v.aside into v_newest
  from ops.dataset_versions v where v.dataset_id = v_dataset order by v.version desc limit 1;
  if exists (select from ops.refreshes where run_id = v_root) then
    select max(v.version) into v_own
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_dataset and v.aside and coalesce(r.root_run, r.id) = v_root;
    if v_own is not null then
      return nullif(v_own, v_newest.version);
    end if;
  end if;
  if v_newest.aside is not true then
    return null;
  end if;
  return (
    select coalesce(max(v.version), -1) from ops.dataset_versions v where v.dataset_id = v_dataset and not v.aside);
end
$$;

-- Queues a run that builds a refresh and returns the refresh. p_phases: those of the spec that only make and check tables, and
-- a phase of kind compare for each table; the executor derives the same from the spec.
create or replace function ops.start_refresh(
  p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb,
  p_phases jsonb, p_max_attempts int default 3, p_timeout_seconds float8 default null, p_tolerance jsonb default null,
  p_note text default ''
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid := private.new_id();
  v_run uuid;
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require_own_word('{}', '[]', 100, p_max_attempts);
  if p_tolerance is not null and (
    pg_catalog.jsonb_typeof(p_tolerance) <> 'object' or p_tolerance - '{rows,sums}'::text[] <> '{}'
    or exists (
      select from pg_catalog.jsonb_each(p_tolerance) as t
      where pg_catalog.jsonb_typeof(t.value) <> 'number' or (t.value #>> '{}')::numeric < 0)
  ) then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_tolerance is %s; give {"rows": share, "sums": share}, each 0 or more, or null', p_tolerance);
  end if;
  if pg_catalog.jsonb_typeof(p_phases) is distinct from 'array'
     or not p_phases @> '[{"kind": "compare"}]'
     or exists (
       select from pg_catalog.jsonb_array_elements(p_phases) as p
       where p ->> 'kind' is distinct from 'compare' and not exists (
         select from pg_catalog.jsonb_array_elements(p_spec -> 'phases') as s
         where s ->> 'name' = p ->> 'name' and s ->> 'kind' = p ->> 'kind'))
  then
    raise exception using errcode = 'CR007', message =
      'p_phases must be phases of p_spec, and one of kind compare for each table that they make';
  end if;
  v_run := private.queue_run(
    p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha, coalesce(p_params, '{}'), p_phases, null, 100,
    'manual', p_max_attempts, p_timeout_seconds, null, null, pg_catalog.jsonb_build_object('refresh', v_id), '{}', false);
  insert into ops.refreshes (id, project_id, env, pipeline, run_id, tolerance, note, started_by)
  values (v_id, p_project_id, p_env, p_pipeline, v_run, p_tolerance, coalesce(p_note, ''), private.subject());
  perform private.audit_refresh(v_id, 'start', p_note, pg_catalog.jsonb_build_object('tolerance', p_tolerance));
  return v_id;
end
$$;

create or replace function private.audit_refresh(p_refresh_id uuid, p_act text, p_note text, p_facts jsonb) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.audit(
    null, f.project_id, 'refreshes.' || p_act, f.id::text, null,
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'env', f.env, 'pipeline', f.pipeline, 'run_id', f.run_id, 'note', nullif(p_note, '')) || p_facts))
  from ops.refreshes f where f.id = p_refresh_id
$$;

-- The refresh, locked, where the caller may decide on it.
create or replace function private.decided_refresh(p_refresh_id uuid) returns ops.refreshes
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
begin
  select * into v_refresh from ops.refreshes where id = p_refresh_id for update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_refresh.project_id, v_refresh.env, 'editor');
  return v_refresh;
end
$$;

-- What a refresh has built, a row a table: its version, and what it was compared with. Evidence in quarantine is not held.
create or replace function private.built_by(p_refresh_id uuid) returns table (
  dataset_id uuid, table_name text, version bigint, comparison jsonb
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with line as (
    select r.id, r.status from ops.refreshes f
    join ops.runs r on r.id = f.run_id or r.root_run = f.run_id
    where f.id = p_refresh_id
  )
  select d.id, d.layer || '.' || d.name, max(v.version), (
    select p.metrics -> 'comparison'
    from line l join ops.run_phases p on p.run_id = l.id
    where l.status = 'succeeded' and p.kind = 'compare'
      and p.metrics -> 'comparison' ->> 'table' = d.layer || '.' || d.name
    limit 1)
  from line
  join ops.dataset_versions v on v.run_id = line.id
  join ops.datasets d on d.id = v.dataset_id and d.layer <> 'quarantine'
  group by d.id
$$;

-- Gives readers what a refresh has built: all its tables at once. A repeat changes nothing.
create or replace function ops.swap_refresh(p_refresh_id uuid, p_note text default '') returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes := private.decided_refresh(p_refresh_id);
begin
  if v_refresh.swapped_at is not null and v_refresh.rolled_back_at is null then
    return;
  end if;
  perform private.swap_in(p_refresh_id, private.subject());
  perform private.audit_refresh(p_refresh_id, 'swap', p_note, (
    select pg_catalog.jsonb_build_object('tables', pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, t.version))
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id where t.refresh_id = p_refresh_id));
end
$$;

create or replace function private.swap_in(p_refresh_id uuid, p_by text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
  v_run uuid;
  v_one record;
  v_other record;
  v_former bigint;
begin
  select * into strict v_refresh from ops.refreshes where id = p_refresh_id;
  if v_refresh.rolled_back_at is not null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s was rolled back; start a new one', p_refresh_id);
  end if;
  select id into v_run from ops.runs
  where (id = v_refresh.run_id or root_run = v_refresh.run_id) and status = 'succeeded';
  if not found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s is not built: its run %s has not succeeded; wait for it, or retry it', p_refresh_id, v_refresh.run_id);
  end if;
  -- Before the tables: who spreads suspicion has it and then asks for those.
  perform private.lock_suspicion(v_refresh.project_id, v_refresh.env);
  -- No run commits to these tables, and none is released, until this transaction ends.
  perform from ops.datasets d
  where d.id in (select b.dataset_id from private.built_by(p_refresh_id) b) order by d.id for update;
  for v_one in select b.*, d.version as standing
    from private.built_by(p_refresh_id) b join ops.datasets d on d.id = b.dataset_id order by b.dataset_id
  loop
    v_former := (v_one.comparison ->> 'former')::bigint;
    if v_one.comparison is null or (v_one.comparison ->> 'version')::bigint is distinct from v_one.version then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s was not compared; start a new refresh', v_one.version, v_one.table_name);
    end if;
    if v_one.standing is distinct from v_former then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        '%s was compared with version %s and readers have %s by now; start a new refresh', v_one.table_name,
        coalesce(v_former::text, 'none'), coalesce(v_one.standing::text, 'none'));
    end if;
    -- Rows that another run has added, or is adding, to what the refresh replaces would be lost.
    select v.version, v.run_id into v_other
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_one.dataset_id and not v.aside and v.version > coalesce(v_former, -1)
      and (v.version > v_one.version or r.status not in ('succeeded', 'failed', 'canceled'))
    order by v.version desc limit 1;
    if found then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'run %s has written version %s of %s, which the refresh does not have; start a new refresh', v_other.run_id,
        v_other.version, v_one.table_name);
    end if;
    insert into ops.refresh_tables (refresh_id, dataset_id, project_id, version, former)
    values (p_refresh_id, v_one.dataset_id, v_refresh.project_id, v_one.version, v_former);
  end loop;
  update ops.dataset_versions v set aside = false
  from ops.runs r
  where r.id = v.run_id and (r.id = v_refresh.run_id or r.root_run = v_refresh.run_id);
  perform private.release_datasets(v_run);
  perform private.spread_suspicion(t.dataset_id)
  from (select dataset_id from ops.refresh_tables where refresh_id = p_refresh_id limit 1) as t;
  update ops.refreshes set swapped_at = pg_catalog.clock_timestamp(), swapped_by = p_by where id = p_refresh_id;
end
$$;

-- Called when a run has succeeded: swaps its refresh in where that was allowed beforehand and everything lies within it. Where
-- readers have something newer by now, or anything else stands against it, it waits for somebody's word.
create or replace function private.swap_within_tolerance(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes;
begin
  select * into v_refresh from ops.refreshes where id = private.refresh_of(p_run_id) for update;
  if not found or v_refresh.tolerance is null or v_refresh.swapped_at is not null then
    return;
  end if;
  if exists (
    select from private.built_by(v_refresh.id) b
    where b.comparison is null or b.comparison -> 'former' = 'null'
      or (b.comparison -> 'differs' ->> 'columns')::bigint > 0
      or (b.comparison -> 'differs' ->> 'rows')::numeric > coalesce((v_refresh.tolerance ->> 'rows')::numeric, 0)
      or (b.comparison -> 'differs' ->> 'sums')::numeric > coalesce((v_refresh.tolerance ->> 'sums')::numeric, 0)
  ) then
    return;
  end if;
  begin
    perform private.swap_in(v_refresh.id, null);
  exception when sqlstate 'CR006' then
    return;
  end;
  perform private.audit_refresh(v_refresh.id, 'swap', '', pg_catalog.jsonb_build_object('within', v_refresh.tolerance));
end
$$;

-- Gives readers back what they had before a swap. Versions that came after it are set aside with it, where p_later says so.
create or replace function ops.roll_back_refresh(p_refresh_id uuid, p_later boolean default false, p_note text default '')
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refresh ops.refreshes := private.decided_refresh(p_refresh_id);
  v_one record;
  v_other record;
begin
  if v_refresh.rolled_back_at is not null then
    return;
  end if;
  if v_refresh.swapped_at is null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'refresh %s was not swapped in: readers have what they had', p_refresh_id);
  end if;
  -- Before the tables: who spreads suspicion has it and then asks for those.
  perform private.lock_suspicion(v_refresh.project_id, v_refresh.env);
  perform from ops.datasets d
  where d.id in (select t.dataset_id from ops.refresh_tables t where t.refresh_id = p_refresh_id) order by d.id for update;
  for v_one in
    select t.*, d.layer || '.' || d.name as table_name
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id
    where t.refresh_id = p_refresh_id order by t.dataset_id
  loop
    select f.id into v_other from ops.refresh_tables t join ops.refreshes f on f.id = t.refresh_id
    where t.dataset_id = v_one.dataset_id and t.version > v_one.version and f.rolled_back_at is null limit 1;
    if found then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'refresh %s of %s was swapped in later; roll that one back first', v_other.id, v_one.table_name);
    end if;
    select v.version, v.run_id into v_other from ops.dataset_versions v
    where v.dataset_id = v_one.dataset_id and v.version > v_one.version and not v.aside order by v.version desc limit 1;
    if found and p_later is not true then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'run %s has written version %s of %s upon the refresh; roll back with what came later (`--discard-later`), or run a '
        'new refresh', v_other.run_id, v_other.version, v_one.table_name);
    end if;
    update ops.dataset_versions v set aside = true
    where v.dataset_id = v_one.dataset_id and (v.version >= v_one.version or exists (
      select from ops.runs r where r.id = v.run_id and (r.id = v_refresh.run_id or r.root_run = v_refresh.run_id)));
    update ops.datasets d
    set version = v_one.former, columns = coalesce(v.columns, '{}'), fingerprint = v.fingerprint, total_rows = v.total_rows,
      updated_at = pg_catalog.clock_timestamp()
    from (select 1) as one left join ops.dataset_versions v
      on v.dataset_id = v_one.dataset_id and v.version = v_one.former
    where d.id = v_one.dataset_id;
  end loop;
  -- What readers get back may be personal data where what goes was none. From any of the tables: it looks at all.
  perform private.spread_suspicion(t.dataset_id)
  from (select dataset_id from ops.refresh_tables where refresh_id = p_refresh_id limit 1) as t;
  update ops.refreshes
  set rolled_back_at = pg_catalog.clock_timestamp(), rolled_back_by = private.subject() where id = p_refresh_id;
  perform private.audit_refresh(p_refresh_id, 'roll_back', p_note, (
    select pg_catalog.jsonb_build_object(
      'later', p_later, 'tables', pg_catalog.jsonb_object_agg(d.layer || '.' || d.name, t.former))
    from ops.refresh_tables t join ops.datasets d on d.id = t.dataset_id where t.refresh_id = p_refresh_id));
end
$$;

-- functions/33_why_waiting.sql
-- What a queued run waits for, in one row; none for a run that is not queued. Asked in the order in which it would have to be
-- cured: until a pause is over nothing else matters, without an executor no limit does.
--   backoff     it may not begin before `until`
--   nobody      no executor is at work
--   capability  no executor at work can do what it needs
--   cap         a cap on runs is full
--   pool        a pool has too few free slots; data.holders are those that the caller may see
--   queue       data.ahead runs go before it (at most 1,000 are counted)
create or replace function ops.why_waiting(p_run_id uuid)
returns table (reason text, said text, until timestamptz, data jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_run ops.runs;
  v_found record;
begin
  select * into v_run from ops.runs r where r.id = p_run_id;
  -- Not private.require_role: that is for who changes something, and refuses a look at one moment, which pages read in.
  if not private.is_trusted() and not exists (
    select from private.my_scopes('viewer') as s where s = v_run.project_id::text || '/' || v_run.env) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status is distinct from 'queued' then
    return;
  end if;
  if v_run.available_at > v_now then
    return query select 'backoff', pg_catalog.format('it waits until %s',
      pg_catalog.to_char(v_run.available_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')), v_run.available_at,
      pg_catalog.jsonb_build_object('attempt', v_run.attempt, 'error_code', v_run.error_code);
    return;
  end if;
  select w.reason, w.said, null::timestamptz as until, w.data into v_found from private.lacks_executor(v_run, v_now) as w;
  if v_found.reason is null then
    select 'cap' as reason, w.said, w.until, w.data into v_found from private.waits_for_cap(v_run, v_now) as w;
  end if;
  if v_found.said is null then
    select 'pool' as reason, w.said, null::timestamptz as until, w.data into v_found from private.waits_for_pool(v_run) as w;
  end if;
  if v_found.said is null then
    select 'queue' as reason, case n.ahead when 0 then 'it is the next' else pg_catalog.format(
      '%s%s before it', case when n.ahead = 1 then '1 run goes' else n.ahead || ' runs' end,
      case when n.ahead = 1 then '' when n.ahead >= 1000 then ' or more go' else ' go' end) end as said,
      null::timestamptz as until, pg_catalog.jsonb_build_object('ahead', n.ahead) as data
    into v_found from private.runs_ahead(v_run, v_now) as n (ahead);
  end if;
  return query select v_found.reason, v_found.said, v_found.until, v_found.data;
end
$$;

create or replace function private.lacks_executor(p_run ops.runs, p_now timestamptz)
returns table (reason text, said text, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when e.alive = 0 then 'nobody' else 'capability' end,
    case when e.alive = 0 then 'no executor is at work; `controlroom up` starts some'
      else pg_catalog.format('no executor at work has the capability %s', (
        select pg_catalog.string_agg(c, ', ' order by c) from pg_catalog.unnest(p_run.capabilities) as c)) end,
    pg_catalog.jsonb_build_object('executors', e.alive, 'capabilities', p_run.capabilities)
  from (
    select pg_catalog.count(*) as alive,
      pg_catalog.count(*) filter (where p_run.capabilities <@ x.capabilities) as able
    from ops.executors x
    -- The steward calls one lost after the same silence; where nobody is steward, nobody calls.
    where x.state = 'active' and x.last_seen > p_now - interval '2 minutes') as e
  where e.able = 0
$$;

create or replace function private.waits_for_cap(p_run ops.runs, p_now timestamptz)
returns table (said text, until timestamptz, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.format('cap %s is full: %s of %s runs (%s)', c.key, pg_catalog.trim_scale(u.used),
      pg_catalog.trim_scale(c.amount), c.period),
    private.period_end(c.period, p_now),
    pg_catalog.jsonb_build_object('cap', c.key, 'used', u.used, 'amount', c.amount, 'period', c.period)
  from private.caps_on(p_run.project_id, p_run.pipeline) as c
  cross join lateral (select private.cap_used(c, p_now) as used) as u
  where c.unit = 'runs' and u.used + 1 > c.amount
  order by c.key
  limit 1
$$;

create or replace function private.waits_for_pool(p_run ops.runs) returns table (said text, data jsonb)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
      when l.needs > l.slots then pg_catalog.format(
        'pool %s has %s slots, the run needs %s: give the pool more', l.name, l.slots, l.needs)
      else pg_catalog.format('pool %s is full: %s of %s slots are in use and the run needs %s%s', l.name, s.used, l.slots, l.needs,
        '; held by ' || nullif(h.said, ''))
    end,
    pg_catalog.jsonb_build_object('pool', l.name, 'slots', l.slots, 'used', s.used, 'needs', l.needs,
      'holders', h.seen, 'hidden_holders', h.hidden)
  from private.pools_for(p_run.project_id, p_run.pools) as l
  cross join lateral (select private.pool_used(l.pool_id) as used) as s
  cross join lateral (
    select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'run_id', u.run_id, 'pipeline', r.pipeline, 'slots', u.slots) order by u.taken_at) filter (where v.seen), '[]') as seen,
      pg_catalog.count(*) filter (where not v.seen) as hidden,
      pg_catalog.concat_ws(' and ',
        pg_catalog.string_agg(pg_catalog.format('%s %s', r.pipeline, u.run_id), ', ' order by u.taken_at) filter (where v.seen),
        case when pg_catalog.count(*) filter (where not v.seen) > 0 then pg_catalog.format(
          '%s that you may not see', pg_catalog.count(*) filter (where not v.seen)) end) as said
    from ops.pool_uses u
    join ops.runs r on r.id = u.run_id
    cross join lateral (select private.is_trusted() or exists (
      select from private.my_scopes() as m where m = r.project_id::text || '/' || r.env) as seen) as v
    where u.pool_id = l.pool_id and private.is_leased(u.run_id, u.lease_token)) as h
  where s.used + l.needs > l.slots
  order by l.name
  limit 1
$$;

-- How many runs that may be claimed stand before it, of whatever project.
create or replace function private.runs_ahead(p_run ops.runs, p_now timestamptz) returns bigint
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.count(*)
  from (
    select from ops.runs r
    where r.status = 'queued' and (r.priority, r.turn, r.id) < (p_run.priority, p_run.turn, p_run.id)
      and r.available_at <= p_now
    order by r.priority, r.turn, r.id
    limit 1000) as n
$$;

-- functions/50_private_column_lineage.sql
-- Stores what a phase said of its columns, once for each distinct answer, and lets suspicion of personal data follow it.
-- Called in the transaction that ends the phase: the lineage of a version that succeeded is never missing.
create or replace function private.record_column_lineage(p_run_id uuid, p_result jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one record;
  v_sha bytea;
  v_map uuid;
begin
  for v_one in
    select t.id as dataset_id, r.project_id, (d.one ->> 'version')::bigint as version,
      p_result -> 'column_lineage' -> (d.one ->> 'table') as said
    from ops.runs r
    cross join lateral pg_catalog.jsonb_array_elements(coalesce(p_result -> 'datasets', '[]')) as d (one)
    join ops.datasets t on t.project_id = r.project_id and t.env = r.env
      and t.layer = pg_catalog.split_part(d.one ->> 'table', '.', 1)
      and t.name = pg_catalog.split_part(d.one ->> 'table', '.', 2)
    where r.id = p_run_id and p_result -> 'column_lineage' ? (d.one ->> 'table')
  loop
    v_sha := pg_catalog.sha256(pg_catalog.convert_to(v_one.said::text, 'UTF8'));
    select id into v_map from ops.column_maps where dataset_id = v_one.dataset_id and sha256 = v_sha;
    if not found then
      v_map := private.add_column_map(v_one.dataset_id, v_one.project_id, v_sha, v_one.said);
    end if;
    update ops.dataset_versions set column_map_id = v_map
    where dataset_id = v_one.dataset_id and version = v_one.version and column_map_id is distinct from v_map;
    -- Also where an answer of before comes back.
    if found and v_map is distinct from (
      select v.column_map_id from ops.dataset_versions v
      where v.dataset_id = v_one.dataset_id and v.version < v_one.version order by v.version desc limit 1) then
      perform private.spread_suspicion(v_one.dataset_id);
    end if;
  end loop;
end
$$;

create or replace function private.add_column_map(
  p_dataset_id uuid, p_project_id uuid, p_sha256 bytea, p_said jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_map uuid;
begin
  insert into ops.column_maps (dataset_id, project_id, sha256, unknown, reason)
  values (
    p_dataset_id, p_project_id, p_sha256,
    array(select pg_catalog.jsonb_array_elements_text(coalesce(p_said -> 'unknown', '[]'))), coalesce(p_said ->> 'reason', ''))
  on conflict (dataset_id, sha256) do nothing
  returning id into v_map;
  if v_map is null then
    -- Another run with the same answer came first.
    select id into strict v_map from ops.column_maps where dataset_id = p_dataset_id and sha256 = p_sha256;
    return v_map;
  end if;
  insert into ops.column_edges (map_id, project_id, output_column, input_table, input_column, kind, subtype)
  select v_map, p_project_id, o.name, s.one ->> 'table', s.one ->> 'column', s.one ->> 'kind', s.one ->> 'subtype'
  from (
    select c.key as name, c.value as sources from pg_catalog.jsonb_each(coalesce(p_said -> 'columns', '{}')) as c
    union all
    select '*', coalesce(p_said -> 'dataset', '[]')
  ) as o
  cross join lateral pg_catalog.jsonb_array_elements(o.sources) as s (one)
  on conflict (map_id, output_column, input_table, input_column, subtype) do nothing;
  return v_map;
end
$$;

-- Two at once could each miss what the other is about to flag.
create or replace function private.lock_suspicion(p_project_id uuid, p_env text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('suspicion ' || p_project_id::text || p_env, 0))
$$;

-- From a dataset whose columns or flags changed, downstream until nothing changes: a column with a direct source that is
-- personal data, or is suspected to be, is suspected itself, unless somebody has said yes or no of it. A suspicion whose
-- cause is gone goes too. Only within a project and environment; of each dataset what readers get counts, and what was written
-- since.
create or replace function private.spread_suspicion(p_dataset_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
  v_project uuid;
  v_changed bigint;
begin
  select project_id, env into strict v_project, v_env from ops.datasets where id = p_dataset_id;
  perform private.lock_suspicion(v_project, v_env);
  delete from ops.dataset_columns c
  using ops.datasets d
  where d.id = c.dataset_id and d.project_id = v_project and d.env = v_env and c.pii = 'suspected'
    and c.description = '' and c.tags = '{}';
  update ops.dataset_columns c
  set pii = null, pii_from = null
  from ops.datasets d
  where d.id = c.dataset_id and d.project_id = v_project and d.env = v_env and c.pii = 'suspected';
  loop
    insert into ops.dataset_columns as c (dataset_id, name, project_id, pii, pii_from)
    select distinct on (m.dataset_id, e.output_column)
      m.dataset_id, e.output_column, v_project, 'suspected', e.input_table || '.' || e.input_column
    from (
      -- Of what readers get, and of whatever was written since: what is not theirs yet must not uncover what is.
      select distinct v.column_map_id as id, v.dataset_id
      from ops.datasets d
      join ops.dataset_versions v on v.dataset_id = d.id and v.column_map_id is not null
        and v.version >= coalesce((
          select max(x.version) from ops.dataset_versions x
          where x.dataset_id = d.id and x.version <= d.version and x.column_map_id is not null), 0)
      where d.project_id = v_project and d.env = v_env
    ) as m
    join ops.column_edges e on e.map_id = m.id and e.kind = 'DIRECT' and e.output_column <> '*'
    join ops.datasets i on i.project_id = v_project and i.env = v_env
      and i.layer = pg_catalog.split_part(e.input_table, '.', 1) and i.name = pg_catalog.split_part(e.input_table, '.', 2)
    join ops.dataset_columns f on f.dataset_id = i.id and f.name = e.input_column and f.pii in ('yes', 'suspected')
    left join ops.dataset_columns k on k.dataset_id = m.dataset_id and k.name = e.output_column
    where k.pii is null
    order by m.dataset_id, e.output_column, e.input_table, e.input_column
    on conflict (dataset_id, name) do update
      set pii = excluded.pii, pii_from = excluded.pii_from where c.pii is null;
    get diagnostics v_changed = row_count;
    exit when v_changed = 0;
  end loop;
end
$$;

-- functions/50_private_traces.sql
-- The traceparent that the caller presents: a setting of its connection, or over HTTP the header of that name. What is none is ignored.
create or replace function private.presented_traceparent() returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text text := coalesce(
    nullif(pg_catalog.current_setting('controlroom.traceparent', true), ''),
    nullif(pg_catalog.current_setting('request.headers', true), '')::jsonb ->> 'traceparent');
begin
  return case when v_text ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' then v_text end;
end
$$;

-- As a default it serves whatever creates runs, and none of it has to know.
alter table ops.runs alter column traceparent set default private.presented_traceparent();

-- Where the owner of a run goes on with its trace; null where nobody began one.
create or replace function ops.run_traceparent(p_run_id uuid, p_lease_token bigint) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (select traceparent from ops.runs where id = p_run_id);
end
$$;

-- functions/51_catalog.sql
-- What people say of tables and columns, and what policies ask.

-- The dataset, where the caller may edit it.
create or replace function private.edited_dataset(p_dataset_id uuid) returns ops.datasets
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets;
begin
  select * into v_dataset from ops.datasets where id = p_dataset_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_dataset.project_id, v_dataset.env, 'editor');
  return v_dataset;
end
$$;

-- Says who owns a table, what it is, how it is tagged; null leaves what is there.
create or replace function ops.note_dataset(
  p_dataset_id uuid, p_description text default null, p_owners text[] default null, p_tags text[] default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets := private.edited_dataset(p_dataset_id);
begin
  insert into ops.dataset_notes as n (dataset_id, project_id, description, owners, tags)
  values (
    p_dataset_id, v_dataset.project_id, coalesce(p_description, ''), coalesce(p_owners, '{}'), coalesce(p_tags, '{}'))
  on conflict (dataset_id) do update
    set description = coalesce(p_description, n.description), owners = coalesce(p_owners, n.owners),
      tags = coalesce(p_tags, n.tags), updated_at = pg_catalog.clock_timestamp();
end
$$;

-- Says what a column is; null leaves what is there. p_pii is yes, no, or unsaid: then its sources decide again.
create or replace function ops.note_column(
  p_dataset_id uuid, p_column text, p_description text default null, p_tags text[] default null, p_pii text default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets := private.edited_dataset(p_dataset_id);
begin
  if p_pii is not null and p_pii not in ('yes', 'no', 'unsaid') then
    raise exception using errcode = 'CR007', message = pg_catalog.format('pii is %L; use yes, no or unsaid', p_pii);
  end if;
  if not coalesce(v_dataset.columns ? p_column, false) and not exists (
    select from ops.dataset_versions v where v.dataset_id = p_dataset_id and v.columns ? p_column
  ) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      '%s.%s has no column %L; `controlroom dataset show` lists them', v_dataset.layer, v_dataset.name, p_column);
  end if;
  insert into ops.dataset_columns as c (dataset_id, name, project_id, description, tags, pii)
  values (
    p_dataset_id, p_column, v_dataset.project_id, coalesce(p_description, ''), coalesce(p_tags, '{}'),
    nullif(p_pii, 'unsaid'))
  on conflict (dataset_id, name) do update
    set description = coalesce(p_description, c.description), tags = coalesce(p_tags, c.tags),
      pii = case p_pii when 'unsaid' then null else coalesce(p_pii, c.pii) end,
      pii_from = case when p_pii is null then c.pii_from end,
      updated_at = pg_catalog.clock_timestamp();
  perform private.audit(
    null, v_dataset.project_id, 'dataset_columns.note', p_dataset_id::text, null,
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'column', p_column, 'description', p_description, 'tags', p_tags, 'pii', p_pii)));
  if p_pii is not null then
    perform private.spread_suspicion(p_dataset_id);
  end if;
end
$$;

-- `layer.name` → columns whose values the caller may not see there: what is or may be personal data, for whoever is not an
-- editor of the project in that environment. For those of p_tables that exist.
create or replace function ops.masked_columns(p_project_id uuid, p_env text, p_tables text[]) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted()
     or exists (select from private.my_scopes('editor') as s where s = p_project_id::text || '/' || p_env) then
    return '{}';
  end if;
  return (
    select coalesce(pg_catalog.jsonb_object_agg(m.table_name, m.names), '{}')
    from (
      select d.layer || '.' || d.name as table_name, pg_catalog.jsonb_agg(c.name order by c.name) as names
      from ops.datasets d
      join ops.dataset_columns c on c.dataset_id = d.id and c.pii in ('yes', 'suspected')
      where d.project_id = p_project_id and d.env = p_env and d.layer || '.' || d.name = any (p_tables)
      group by d.id
    ) as m);
end
$$;

-- functions/51_private_totals.sql
-- Upper bounds of durations, in seconds; what is longer falls into one bucket more.
create or replace function private.duration_bounds() returns float8[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select '{0.1,0.5,1,5,15,60,300,1800,7200}'::float8[] $$;

-- Durations as counts by bucket.
create or replace function private.bucketed(p_seconds float8[]) returns bigint[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select pg_catalog.count(s.seconds)
    from pg_catalog.generate_series(0, pg_catalog.cardinality(private.duration_bounds())) as b (bucket)
    left join unnest(p_seconds) as s (seconds)
      -- The bounds are upper ends that belong to their bucket, and width_bucket's are lower ends.
      on pg_catalog.width_bucket(s.seconds - 1e-9, private.duration_bounds()) = b.bucket
    group by b.bucket
    order by b.bucket)
$$;

create or replace function private.added(p_one bigint[], p_other bigint[]) returns bigint[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select array(select a + b from unnest(p_one, p_other) with ordinality as t (a, b, n) order by n)
$$;

-- Counts what has ended since the last time; returns how many runs. Each run is counted once, whoever ended it when: a row that
-- ended never changes again, so the transaction that wrote it is its own for ever, and only transactions that can no longer
-- commit anything (below the snapshot's xmin) are counted. A clock could not promise that.
create or replace function private.count_ended_runs() returns int
language plpgsql
set search_path = pg_catalog, pg_temp
-- The index of ranges serves as a bitmap or not at all.
set enable_bitmapscan = on
set enable_seqscan = off
as $$
declare
  v_mark record;
  v_horizon bigint;
  v_own bigint;
  v_ids uuid[];
  -- More names than these are counted as one, so that a scrape stays small.
  v_names constant int := 400;
begin
  select horizon, at into v_mark from private.totals_mark for update skip locked;
  if not found then
    return 0;
  end if;
  v_own := pg_catalog.pg_current_xact_id()::text::bigint;
  v_horizon := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint;
  if v_horizon <= v_mark.horizon then
    return 0;
  end if;
  v_ids := array(
    select r.id
    from ops.runs r
    -- Wide enough for any transaction of ours, narrow enough for the index of ranges.
    where r.finished_at >= v_mark.at - interval '10 minutes' and r.status in ('succeeded', 'failed', 'canceled')
      and v_own - pg_catalog.age(r.xmin) between v_mark.horizon and v_horizon - 1);
  if pg_catalog.cardinality(v_ids) > 0 then
    insert into ops.run_totals as t (project_id, pipeline, status, runs, lost_leases, seconds, buckets)
    select e.project_id, n.name, e.status, pg_catalog.count(*), pg_catalog.sum(e.lost_leases), pg_catalog.sum(e.seconds),
      private.bucketed(pg_catalog.array_agg(e.seconds))
    from (
      select project_id, pipeline, status, lost_leases,
        greatest(extract(epoch from finished_at - created_at), 0)::float8 as seconds
      from ops.runs where id = any (v_ids)
    ) e
    cross join lateral (
      select case
        when exists (select from ops.run_totals k where k.project_id = e.project_id and k.pipeline = e.pipeline)
          or (select pg_catalog.count(*) from ops.run_totals) < v_names then e.pipeline
        else '(other)'
      end as name) n
    group by e.project_id, n.name, e.status
    on conflict (project_id, pipeline, status) do update set
      runs = t.runs + excluded.runs, lost_leases = t.lost_leases + excluded.lost_leases,
      seconds = t.seconds + excluded.seconds, buckets = private.added(t.buckets, excluded.buckets);
    insert into ops.phase_totals as t (project_id, kind, status, phases, seconds, buckets)
    select p.project_id, p.kind, p.status, pg_catalog.count(*),
      pg_catalog.sum(extract(epoch from p.finished_at - p.started_at)),
      private.bucketed(pg_catalog.array_agg(extract(epoch from p.finished_at - p.started_at)::float8))
    from ops.run_phases p
    where p.run_id = any (v_ids) and p.started_at is not null and p.finished_at is not null and p.status in ('succeeded', 'failed', 'canceled')
    group by p.project_id, p.kind, p.status
    on conflict (project_id, kind, status) do update set
      phases = t.phases + excluded.phases, seconds = t.seconds + excluded.seconds,
      buckets = private.added(t.buckets, excluded.buckets);
  end if;
  update private.totals_mark set horizon = v_horizon, at = pg_catalog.clock_timestamp();
  return pg_catalog.cardinality(v_ids);
end
$$;

-- The steward's round: it lives, and what has ended is counted.
create or replace function ops.steward_round() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into private.steward_pulse (at) values (pg_catalog.clock_timestamp())
  on conflict (one) do update set at = excluded.at;
  return private.count_ended_runs();
end
$$;

-- functions/52_metrics.sql
-- What a scrape is told, as one JSON object. Its cost does not grow with history: ended runs come from totals, owned ones from
-- their leases, and of the queue at most p_queue rows are looked at (queue.cut says so where there are more).
create or replace function ops.metrics(p_queue int default 20000) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- A plan made on an empty table would read all runs for the queue.
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_bounds float8[] := private.duration_bounds();
begin
  perform private.count_ended_runs();
  return pg_catalog.jsonb_build_object(
    'bounds', v_bounds,
    'queue', (
      with queued as materialized (
        select r.project_id, r.env, r.available_at, r.lost_leases, r.capabilities
        from ops.runs r where r.status = 'queued' order by r.priority, r.turn, r.id limit p_queue
      ), by_project as (
        select q.project_id, q.env, pg_catalog.count(*) as runs,
          greatest(extract(epoch from v_now - pg_catalog.min(q.available_at)), 0)::float8 as oldest
        from queued q group by q.project_id, q.env order by 3 desc limit 200
      )
      select pg_catalog.jsonb_build_object(
        'cut', (select pg_catalog.count(*) from queued) >= p_queue,
        'unservable', (
          select pg_catalog.count(*) from queued q
          where not exists (
            select from ops.executors x
            where x.state = 'active' and x.last_seen > v_now - interval '10 minutes' and q.capabilities <@ x.capabilities)),
        'projects', coalesce((
          select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'project', private.project_slug(b.project_id), 'env', b.env, 'runs', b.runs, 'oldest', b.oldest))
          from by_project b), '[]'))),
    'owned', coalesce((
      select pg_catalog.jsonb_agg(o) from (
        select private.project_slug(l.project_id) as project, r.status, pg_catalog.count(*) as runs
        from ops.run_leases l join ops.runs r on r.id = l.run_id
        group by l.project_id, r.status limit 400) o), '[]'),
    'runs', coalesce((
      select pg_catalog.jsonb_agg(t) from (
        select private.project_slug(project_id) as project, pipeline, status, runs, lost_leases, seconds, buckets
        from ops.run_totals limit 2000) t), '[]'),
    'phases', coalesce((
      select pg_catalog.jsonb_agg(t) from (
        select private.project_slug(project_id) as project, kind, status, phases, seconds, buckets
        from ops.phase_totals limit 2000) t), '[]'),
    'claims', (select case when is_called then last_value else 0 end from ops.lease_tokens),
    'executors', coalesce((
      select pg_catalog.jsonb_agg(x) from (
        select state, pg_catalog.count(*) as executors, pg_catalog.sum(slots) as slots
        from ops.executors where last_seen > v_now - interval '1 day' group by state) x), '[]'),
    'leases', (
      select pg_catalog.jsonb_build_object(
        'expired', pg_catalog.count(*) filter (where expires_at <= v_now),
        'renewed', coalesce(pg_catalog.max(
          extract(epoch from v_now - expires_at) + lease_seconds) filter (where expires_at > v_now), 0))
      from ops.run_leases),
    'caps', coalesce((
      select pg_catalog.jsonb_agg(c) from (
        select o.slug as org, k.key, k.unit, k.period, k.amount::float8 as "limit",
          private.cap_used(k, v_now)::float8 as used
        from ops.caps k join ops.orgs o on o.id = k.org_id order by o.slug, k.key limit 200) c), '[]'),
    'steward', pg_catalog.jsonb_build_object(
      'elected', exists (
        select from pg_catalog.pg_locks
        -- compute.steward.ELECTION
        where locktype = 'advisory' and granted and classid = 0 and objid = 1464162113 and objsubid = 1
          and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())),
      'age', (select extract(epoch from v_now - at) from private.steward_pulse)),
    'database', private.database_health());
end
$$;

create or replace function private.project_slug(p_project_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select o.slug || '/' || p.slug from ops.projects p join ops.orgs o on o.id = p.org_id where p.id = p_project_id);
end
$$;

-- What slows a queue down before anything else shows it: a held snapshot, dead rows, connections.
create or replace function private.database_health() returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_catalog.jsonb_build_object(
    'oldest_xmin', (
      select coalesce(pg_catalog.max(pg_catalog.age(x)), 0) from (
        select backend_xmin as x from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database()
        union all select xmin from pg_catalog.pg_replication_slots
        union all select transaction from pg_catalog.pg_prepared_xacts) held
      where x is not null),
    'dead', coalesce((
      select pg_catalog.jsonb_object_agg(relname, n_dead_tup) from pg_catalog.pg_stat_user_tables
      where schemaname = 'ops' and relname in ('runs', 'run_leases', 'run_phases', 'executors', 'run_totals')), '{}'),
    'connections', coalesce((
      select pg_catalog.jsonb_object_agg(s.state, s.n) from (
        select coalesce(state, 'unknown') as state, pg_catalog.count(*) as n
        from pg_catalog.pg_stat_activity where backend_type = 'client backend' group by 1) s), '{}'),
    'max_connections', pg_catalog.current_setting('max_connections')::int);
end
$$;

-- functions/53_capability_evidence.sql
-- Writes down what a probe of a capability found. A success is evidence; a failure takes the proof away and says why.
create or replace function ops.record_evidence(p_capability text, p_probe text, p_ok boolean, p_evidence jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.capabilities
  set probe = p_probe, probed_at = pg_catalog.clock_timestamp(),
    proven_at = case when p_ok then pg_catalog.clock_timestamp() end,
    evidence = case when p_ok then p_evidence else evidence end,
    failure = case when p_ok then null else coalesce(p_evidence ->> 'said', 'it failed') end
  where capability = p_capability;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no capability %L; `controlroom caps --no-run` lists them', p_capability);
  end if;
end
$$;

-- The last moment at which the clock showed p_hour (UTC), where the probes have not all spoken since; else null.
create or replace function private.probes_due(p_hour int, p_now timestamptz, p_probed text[]) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_due timestamptz := pg_catalog.date_trunc('day', p_now, 'UTC') + p_hour * interval '1 hour';
begin
  if v_due > p_now then
    v_due := v_due - interval '1 day';
  end if;
  if exists (
    select from ops.capabilities where capability = any (p_probed) and probed_at < v_due) then
    return v_due;
  end if;
  return null;
end
$$;

create or replace function ops.probes_due(p_hour int, p_probed text[]) returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return private.probes_due(p_hour, pg_catalog.clock_timestamp(), p_probed);
end
$$;

-- functions/54_lineage_told.sql
-- The ledger of what the receiver of lineage has been told: one row a run, with the number of the last event that it knows of.

-- Notes runs that are to be told: those that are owned, and those that have ended since the last time. Returns how many are new.
-- The first call is the beginning: of what had ended before it nothing is told. People's questions write no table, so no
-- lineage tells of them. None is missed, whoever ended it when; by the
-- same reasoning as in private.count_ended_runs.
create or replace function ops.enroll_lineage() returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_bitmapscan = on
set enable_seqscan = off
as $$
declare
  v_mark record;
  v_own bigint := pg_catalog.pg_current_xact_id()::text::bigint;
  v_horizon bigint := pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint;
  v_owned int;
  v_ended int := 0;
begin
  insert into private.lineage_mark (horizon, at) values (v_horizon, pg_catalog.clock_timestamp())
  on conflict (one) do nothing;
  select horizon, at into v_mark from private.lineage_mark for update skip locked;
  if not found then
    return 0;
  end if;
  insert into ops.lineage_sent (run_id, project_id)
  select l.run_id, l.project_id
  from ops.run_leases l
  join ops.runs r on r.id = l.run_id and r.trigger <> 'query'
  where not exists (select from ops.lineage_sent s where s.run_id = l.run_id)
  on conflict (run_id) do nothing;
  get diagnostics v_owned = row_count;
  if v_horizon > v_mark.horizon then
    insert into ops.lineage_sent (run_id, project_id)
    select r.id, r.project_id
    from ops.runs r
    where r.finished_at >= v_mark.at - interval '10 minutes' and r.status in ('succeeded', 'failed', 'canceled')
      and r.trigger <> 'query'
      and v_own - pg_catalog.age(r.xmin) between v_mark.horizon and v_horizon - 1
    on conflict (run_id) do nothing;
    get diagnostics v_ended = row_count;
    update private.lineage_mark set horizon = v_horizon, at = pg_catalog.clock_timestamp();
  end if;
  return v_owned + v_ended;
end
$$;

-- Runs of which there is more to tell than the receiver knows. What it did not take waits longer each time, up to five minutes,
-- and comes after what it has not yet been asked to take.
create or replace function ops.due_lineage(p_limit int default 100)
returns table (run_id uuid, seq bigint, attempts int)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select s.run_id, s.seq, s.attempts
    from ops.lineage_sent s
    join ops.runs r on r.id = s.run_id
    left join ops.run_leases l on l.run_id = s.run_id
    where not s.done
      -- Of a run that has ended the last word is that it is done: whoever told its last event may have died before saying so.
      and (coalesce(l.event_seq, r.event_seq) > s.seq or r.status in ('succeeded', 'failed', 'canceled'))
      and (s.attempts = 0
        or s.sent_at + least(2 ^ least(s.attempts, 10), 300) * interval '1 second' <= pg_catalog.clock_timestamp())
    order by s.attempts, s.run_id
    limit p_limit;
end
$$;

-- The receiver knows of the run's events up to p_seq; p_done: there will be no more. A number never goes back.
create or replace function ops.lineage_told(p_run_id uuid, p_seq bigint, p_done boolean) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.lineage_sent
  set seq = greatest(seq, p_seq), done = done or p_done, attempts = 0, last_error = null,
    sent_at = pg_catalog.clock_timestamp()
  where run_id = p_run_id
$$;

-- The receiver did not take the run's next event; p_error has nothing secret in it. p_later: because of the event and not of the
-- receiver, so that this run waits and the others do not.
create or replace function ops.lineage_refused(p_run_id uuid, p_error text, p_later boolean) returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.lineage_sent
  set attempts = attempts + p_later::int, last_error = left(p_error, 500), sent_at = pg_catalog.clock_timestamp()
  where run_id = p_run_id and not done
$$;

-- functions/54_superset.sql
-- What was published to Superset, told by whoever published it.

-- Replaces what is recorded of a project's environment by p_objects: what is not among them is gone from Superset. For admins:
-- publishing gives people rights there. An object with the digest and certificate that it had keeps its moment.
create or replace function ops.record_bi_objects(p_project_id uuid, p_env text, p_objects jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'admin');
  if pg_catalog.jsonb_typeof(p_objects) is distinct from 'array' then
    raise exception using errcode = 'CR007', message = 'p_objects is no array; give one object for each thing that stands there';
  end if;
  delete from ops.bi_objects b
  where b.project_id = p_project_id and b.env = p_env and not exists (
    select from pg_catalog.jsonb_array_elements(p_objects) as o
    where o ->> 'kind' = b.kind and o ->> 'name' = b.name);
  insert into ops.bi_objects as b (
    project_id, env, kind, name, superset_uuid, superset_id, digest, dataset_id, run_id, version, fingerprint, certified_at)
  select p_project_id, p_env, o ->> 'kind', o ->> 'name', (o ->> 'superset_uuid')::uuid, (o ->> 'superset_id')::int,
    o ->> 'digest', d.id, r.id, (o ->> 'version')::bigint, case when r.id is not null then o ->> 'fingerprint' end,
    case when r.id is not null then pg_catalog.clock_timestamp() end
  from pg_catalog.jsonb_array_elements(p_objects) as o
  -- Of this project and environment, whatever the caller says.
  left join ops.datasets d
    on d.id = (o ->> 'dataset_id')::uuid and d.project_id = p_project_id and d.env = p_env
  left join ops.runs r on r.id = (o ->> 'run_id')::uuid and r.project_id = p_project_id and r.env = p_env
  on conflict (project_id, env, kind, name) do update
    set superset_uuid = excluded.superset_uuid, superset_id = excluded.superset_id, digest = excluded.digest,
      dataset_id = excluded.dataset_id, run_id = excluded.run_id, version = excluded.version,
      fingerprint = excluded.fingerprint, certified_at = excluded.certified_at, published_at = excluded.published_at
    where (b.superset_uuid, b.superset_id, b.digest, b.dataset_id, b.run_id, b.version, b.fingerprint)
      is distinct from (excluded.superset_uuid, excluded.superset_id, excluded.digest, excluded.dataset_id, excluded.run_id,
        excluded.version, excluded.fingerprint);
end
$$;

-- functions/55_publications.sql
-- What readers' tables hold is known where they are; that a person put earlier rows back is known here.

-- Writes down that rows of a project's environment were rolled back, for whom it is allowed: editors decide what readers get.
create or replace function ops.note_rollback(
  p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_table, 'p_table');
  perform private.audit(null, p_project_id, 'publications.rollback', p_table,
    pg_catalog.jsonb_build_object('env', p_env) || p_before,
    pg_catalog.jsonb_build_object('env', p_env, 'note', nullif(p_note, '')) || p_after);
end
$$;

-- functions/57_parts.sql
-- When the elected steward last went its round; null where none ever did. It tells of the installation and of nobody's rows.
create or replace function ops.steward_seen() returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select at from private.steward_pulse);
end
$$;

-- functions/57_warehouse.sql
-- The SQL warehouse: a person's question as a run of its own, what it may read, and answers that are known already.

-- The phases of a question: one, of which nothing but the text and the engine is the caller's.
create or replace function private.query_spec(p_sql text, p_engine text) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.jsonb_build_object(
    'version', 1, 'pipeline', 'sql', 'owner', 'sql', 'max_attempts', 1,
    'phases', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
      'name', 'query', 'kind', 'query', 'sql', p_sql, 'engine', p_engine)))
$$;

create or replace function private.require_question(p_sql text, p_params jsonb, p_engine text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
begin
  if p_sql is null or pg_catalog.btrim(p_sql) = '' or pg_catalog.length(p_sql) > 100000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_sql has %s characters; give a select of 1 to 100000', coalesce(pg_catalog.length(p_sql), 0));
  end if;
  if p_engine is null or p_engine not in ('embedded', 'postgres', 'trino') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_engine is %L; there are embedded, postgres and trino', p_engine);
  end if;
  if p_params is null or pg_catalog.jsonb_typeof(p_params) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_params must be an object of values by name; {} for none';
  end if;
  select key into v_wrong
  from pg_catalog.jsonb_each(p_params)
  where key !~ '^[a-z_][a-z0-9_]{0,62}$' or pg_catalog.jsonb_typeof(value) in ('object', 'array')
  limit 1;
  if found then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_params: %L must be named with a-z, 0-9 and _ and be a text, a number, a boolean or null', v_wrong);
  end if;
end
$$;

-- Which columns of a server are personal data nobody here knows: only those who may see such data ask one.
create or replace function private.require_server(p_env text, p_engine text, p_sees_personal boolean) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_engine <> 'embedded' and not p_sees_personal then
    raise exception using errcode = 'CR005', message = pg_catalog.format(
      'engine %s is a server of which nobody here knows what is personal data: it takes the role editor in the environment %s; '
      'ask the lake with engine embedded, or an editor', p_engine, p_env);
  end if;
end
$$;

-- Queues a question and returns its run; for viewers, and of engines that are servers for editors. The table `params` has
-- p_params as its one row. With p_idempotency_key a repeat by the same person is the same run; another question under it is a
-- Conflict.
create or replace function ops.submit_query(
  p_org text, p_project text, p_env text, p_sql text, p_params jsonb default '{}', p_engine text default 'embedded',
  p_idempotency_key text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_project uuid;
  v_subject text := private.subject();
  -- A key is its holder's: nobody learns whether another has used it.
  v_key text := 'query:' || coalesce(v_subject, '') || ':' || p_idempotency_key;
  v_spec jsonb := private.query_spec(p_sql, p_engine);
  v_known record;
  v_sees_personal boolean;
  v_run uuid;
begin
  select p.id into v_project
  from ops.projects p join ops.orgs o on o.id = p.org_id
  where o.slug = p_org and p.slug = p_project;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if p_env is null or p_env not in ('dev', 'stage', 'prod') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; use dev, stage or prod', p_env);
  end if;
  perform private.require_role(v_project, p_env, 'viewer');
  perform private.require_question(p_sql, p_params, p_engine);
  v_sees_personal := private.is_trusted() or v_project::text || '/' || p_env in (select private.my_scopes('editor'));
  perform private.require_server(p_env, p_engine, v_sees_personal);
  if v_key is not null then
    perform pg_catalog.pg_advisory_xact_lock(
      pg_catalog.hashtextextended(v_project::text || '/' || p_env || '#' || v_key, 0));
    select id, spec, params into v_known
    from ops.runs where project_id = v_project and env = p_env and idempotency_key = v_key;
    if found then
      if (v_known.spec, v_known.params) is distinct from (v_spec, p_params) then
        raise exception using errcode = 'CR006', message = pg_catalog.format(
          'idempotency key %L belongs to run %s, which asks something else; use a new key', p_idempotency_key, v_known.id);
      end if;
      return v_known.id;
    end if;
  end if;
  perform private.require_patience(v_subject);
  v_run := private.insert_run(
    v_project, p_env, 'sql', 1, v_spec,
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(v_spec::text, 'UTF8')), 'hex'), 'sql', p_params,
    private.spec_outline(v_spec), v_key, 100, 'query', 1, null, null, null, '{}', '{}');
  insert into ops.queries (run_id, project_id, env, sql, params, engine, subject, sees_personal, created_at)
  select v_run, v_project, p_env, p_sql, p_params, p_engine, v_subject, v_sees_personal, r.created_at
  from ops.runs r where r.id = v_run;
  return v_run;
end
$$;

-- Viewers may ask and may not fill the queue.
create or replace function private.require_patience(p_subject text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_most constant int := 20;
begin
  if private.is_trusted() then
    return;
  end if;
  if (
    select pg_catalog.count(*)
    from ops.queries q join ops.runs r on r.id = q.run_id
    where q.subject = p_subject and q.created_at > pg_catalog.clock_timestamp() - interval '1 day'
      and r.status in ('queued', 'claimed', 'running')
  ) >= v_most then
    raise exception using errcode = 'CR003', message = pg_catalog.format(
      '%s of your queries have not ended; wait for one, or cancel it', v_most);
  end if;
end
$$;

create or replace function private.is_own_query(p_run_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.queries q where q.run_id = p_run_id and q.subject = private.subject())
$$;

-- Questions, newest first, after (p_before_at, p_before_id): the last of the page before. p_filter may hold org, project, env,
-- engine, text (words of the SQL; the last may be a beginning), status – a list –, and mine: true.
-- As in ops.find_runs the policy is repeated by hand, for text search under it would have no index.
create or replace function ops.find_queries(
  p_filter jsonb default '{}', p_limit int default 50, p_before_at timestamptz default null, p_before_id uuid default null
) returns table (
  run_id uuid, org text, project text, env text, sql text, params jsonb, engine text, subject text, status text,
  created_at timestamptz, started_at timestamptz, finished_at timestamptz, ms float8, "rows" bigint, cached_from uuid,
  personal boolean, error_code text, error_message text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_found text;
  v_ids uuid[];
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_limit is %s; give 1 to 1000', coalesce(p_limit::text, 'null'));
  end if;
  v_found := pg_catalog.format(
    'select q.run_id, q.created_at from ops.queries q where q.project_id = any ($1) and %s '
    'order by q.created_at desc, q.run_id desc limit %s',
    private.query_conditions(p_filter, p_before_at, p_before_id), p_limit);
  execute pg_catalog.format('select pg_catalog.array_agg(f.run_id) from (%s) as f', v_found)
  into v_ids using private.projects_asked_for(p_filter);
  return query
    select q.run_id, o.slug, p.slug, q.env, q.sql, q.params, q.engine, q.subject, r.status, q.created_at, r.started_at,
      r.finished_at, extract(epoch from r.finished_at - r.started_at)::float8 * 1000, h.rows_out,
      (h.metrics ->> 'cached_from')::uuid, coalesce((h.metrics ->> 'personal')::boolean, false), r.error_code,
      r.error_message
    from ops.queries q
    join ops.runs r on r.id = q.run_id
    join ops.projects p on p.id = q.project_id
    join ops.orgs o on o.id = p.org_id
    left join ops.run_phases h on h.run_id = q.run_id and h.name = 'query'
    where q.run_id = any (v_ids)
    order by q.created_at desc, q.run_id desc;
end
$$;

create or replace function private.query_conditions(
  p_filter jsonb, p_before_at timestamptz, p_before_id uuid
) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_where text;
  v_hidden text[] := case when private.is_trusted() then '{}' else array(select private.my_hidden_envs()) end;
  v_words tsquery;
  v_key text;
begin
  perform private.check_query_filter(p_filter);
  v_where := pg_catalog.format(
    '(q.created_at, q.run_id) < (%L::timestamptz, %L::uuid)', coalesce(p_before_at, 'infinity'),
    coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
  foreach v_key in array '{env,engine}'::text[] loop
    if p_filter ? v_key then
      v_where := v_where || pg_catalog.format(' and q.%I = %L', v_key, p_filter ->> v_key);
    end if;
  end loop;
  if p_filter -> 'mine' = 'true' then
    v_where := v_where || pg_catalog.format(' and q.subject = %L', coalesce(private.subject(), ''));
  end if;
  if p_filter ? 'status' then
    v_where := v_where || pg_catalog.format(
      ' and exists (select from ops.runs r where r.id = q.run_id and r.status = any (%L::text[]))', array(
        select pg_catalog.jsonb_array_elements_text(p_filter -> 'status')));
  end if;
  if p_filter ? 'text' then
    v_words := (nullif(
      pg_catalog.plainto_tsquery('simple', pg_catalog.translate(p_filter ->> 'text', '.', ' '))::text, '') || ':*')::tsquery;
    if v_words is null then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'text: %L holds no word to look for', p_filter ->> 'text');
    end if;
    v_where := v_where || pg_catalog.format(
      ' and to_tsvector(''simple''::regconfig, translate(q.sql, ''.'', '' '')) @@ %L::tsquery', v_words);
  end if;
  if v_hidden <> '{}' then
    v_where := v_where || pg_catalog.format(' and q.project_id::text || ''/'' || q.env <> all (%L::text[])', v_hidden);
  end if;
  return v_where;
end
$$;

create or replace function private.check_query_filter(p_filter jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := '{org,project,env,engine,text,status,mine}';
  v_faults text;
begin
  if p_filter is null or pg_catalog.jsonb_typeof(p_filter) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_filter must be an object; {} asks for everything';
  end if;
  select pg_catalog.string_agg(fault, '; ' order by fault) into v_faults
  from (
    select case
      when key <> all (v_known) then pg_catalog.format('%s is no filter; known are %s', key, pg_catalog.array_to_string(v_known, ', '))
      when key = 'status' and (pg_catalog.jsonb_typeof(value) <> 'array' or value = '[]') then 'status must be a list'
      when key = 'mine' and pg_catalog.jsonb_typeof(value) <> 'boolean' then 'mine must be true or false'
      when key not in ('status', 'mine') and pg_catalog.jsonb_typeof(value) <> 'string' then key || ' must be a text'
    end as fault
    from pg_catalog.jsonb_each(p_filter)
  ) as checked
  where fault is not null;
  if v_faults is not null then
    raise exception using errcode = 'CR007', message = 'p_filter: ' || v_faults;
  end if;
end
$$;

-- functions/57_warehouse_reads.sql
-- What a query's run asks while it is held: which versions its tables' names mean, which columns are personal data, and whether
-- the answer is known.

-- When readers got this version: with the success of the run that wrote it, or of one that let it stand, or with the swap of a
-- refresh. Null: they did not.
create or replace function private.released_at(p_version ops.dataset_versions) returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select greatest(
    (select min(r.finished_at)
     from ops.runs w
     join ops.runs r on r.id = w.id or r.root_run = coalesce(w.root_run, w.id)
     where w.id = p_version.run_id and r.status = 'succeeded'
       and (r.id = w.id or exists (
         select from ops.run_phases p
         join ops.datasets d on d.id = p_version.dataset_id
         where p.run_id = r.id and p.result -> 'datasets' @> pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
           'table', d.layer || '.' || d.name, 'version', p_version.version))))),
    (select max(f.swapped_at)
     from ops.refresh_tables t join ops.refreshes f on f.id = t.refresh_id
     where t.dataset_id = p_version.dataset_id and t.version = p_version.version))
  where not p_version.aside
$$;

-- The version of a dataset that `v12`, a day (its beginning, in UTC) or a moment means; null where readers got none such.
create or replace function private.version_named(p_dataset ops.datasets, p_when text) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_one ops.dataset_versions;
  v_at timestamptz;
begin
  if p_when ~ '^v[0-9]{1,18}$' then
    return (
      select v.version from ops.dataset_versions v
      where v.dataset_id = p_dataset.id and v.version = pg_catalog.substr(p_when, 2)::bigint
        and private.released_at(v) is not null);
  end if;
  if p_when !~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$'
     or not private.is_time(p_when) then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s.%s@%s names no version; write @v12, @2026-11-01 or @"2026-11-01T10:00Z"', p_dataset.layer, p_dataset.name, p_when);
  end if;
  v_at := case when p_when ~ '(Z|[T ].*[+-]\d\d:\d\d)$' then p_when::timestamptz else p_when::timestamp at time zone 'UTC' end;
  for v_one in
    select * from ops.dataset_versions v
    where v.dataset_id = p_dataset.id and v.recorded_at <= v_at and not v.aside
    order by v.version desc
  loop
    if private.released_at(v_one) <= v_at then
      return v_one.version;
    end if;
  end loop;
  return null;
end
$$;

-- `layer.name`, `layer.name@v12`, `layer.name@2026-11-01` → the version that it means, for those of p_names that readers may
-- have. A table that no run wrote is left out, for its owner to find in the lake; a person's question reads no such table.
create or replace function ops.named_versions(p_run_id uuid, p_lease_token bigint, p_names text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_when text;
  v_run record;
  v_dataset ops.datasets;
  v_version bigint;
  v_found jsonb := '{}';
begin
  perform private.require_lease(p_run_id, p_lease_token);
  select r.project_id, r.env, r.trigger into strict v_run from ops.runs r where r.id = p_run_id;
  foreach v_name in array p_names loop
    v_when := nullif(pg_catalog.substr(v_name, pg_catalog.length(pg_catalog.split_part(v_name, '@', 1)) + 2), '');
    select * into v_dataset
    from ops.datasets d
    where d.project_id = v_run.project_id and d.env = v_run.env
      and d.layer || '.' || d.name = pg_catalog.split_part(v_name, '@', 1);
    continue when v_dataset.id is null and v_when is null and v_run.trigger <> 'query';
    v_version := case when v_when is null then v_dataset.version else private.version_named(v_dataset, v_when) end;
    if v_version is null then
      perform private.no_such_version(v_name, v_dataset, v_run.project_id, v_run.env);
    end if;
    v_found := v_found || pg_catalog.jsonb_build_object(v_name, v_version);
  end loop;
  return v_found;
end
$$;

-- Says what there is instead.
create or replace function private.no_such_version(
  p_name text, p_dataset ops.datasets, p_project_id uuid, p_env text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_there text;
begin
  if p_dataset.version is null then
    select pg_catalog.string_agg(t.name, ', ' order by t.name) into v_there
    from (
      select d.layer || '.' || d.name as name from ops.datasets d
      where d.project_id = p_project_id and d.env = p_env and d.version is not null
      order by 1 limit 50) as t;
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no table %s, or no run that wrote it has succeeded; there are %s', p_name, coalesce(v_there, 'none yet'));
  end if;
  select pg_catalog.string_agg(pg_catalog.format('v%s of %s', t.version, pg_catalog.to_char(
    t.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), ', ' order by t.version desc) into v_there
  from (
    select v.version, private.released_at(v) as at from ops.dataset_versions v
    where v.dataset_id = p_dataset.id and private.released_at(v) is not null
    order by v.version desc limit 20) as t;
  raise exception using errcode = 'CR004', message = pg_catalog.format(
    'readers got no version %s; there are %s', p_name, v_there);
end
$$;

-- Of each of p_tables (as in a run's manifest) the columns that are or may be personal data; shown: whether whoever asked may see
-- them. What a pipeline's query does was decided by the editor who wrote it.
create or replace function ops.personal_columns(p_run_id uuid, p_lease_token bigint, p_tables text[]) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select pg_catalog.jsonb_build_object(
      'shown', coalesce((select q.sees_personal from ops.queries q where q.run_id = p_run_id), r.trigger <> 'query'),
      'question', r.trigger = 'query',
      'columns', (
        select coalesce(pg_catalog.jsonb_object_agg(m.table_name, m.names), '{}')
        from (
          select t.name as table_name, pg_catalog.jsonb_agg(c.name order by c.name) as names
          from pg_catalog.unnest(p_tables) as t (name)
          join ops.projects p on case when pg_catalog.strpos(t.name, ':') = 0 then p.id = r.project_id
            else p.slug = pg_catalog.split_part(pg_catalog.split_part(t.name, ':', 1), '/', 2) end
          join ops.orgs o on o.id = p.org_id
            and (pg_catalog.strpos(t.name, ':') = 0 or o.slug = pg_catalog.split_part(t.name, '/', 1))
          join ops.datasets d on d.project_id = p.id and d.env = r.env
            and d.layer || '.' || d.name = pg_catalog.split_part(
              pg_catalog.substr(t.name, pg_catalog.strpos(t.name, ':') + 1), '@', 1)
          join ops.dataset_columns c on c.dataset_id = d.id and c.pii in ('yes', 'suspected')
          group by t.name
        ) as m))
    from ops.runs r where r.id = p_run_id);
end
$$;

-- The answer under a key, as the phase that found it had it; null where there is none.
create or replace function ops.known_answer(p_run_id uuid, p_lease_token bigint, p_key text) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select pg_catalog.jsonb_build_object(
      'run_id', a.run_id, 'rows_in', p.rows_in, 'rows_out', p.rows_out, 'byte_size', p.byte_size,
      'output_fingerprint', p.output_fingerprint,
      'artifacts', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', f.name, 'kind', f.kind, 'sha256', f.sha256, 'byte_size', f.byte_size, 'content_type', f.content_type,
          'uri', f.uri, 'meta', f.meta) order by f.name), '[]')
        from ops.run_artifacts f where f.run_id = a.run_id and f.phase = p.name and f.kind <> 'log'))
    from ops.runs r
    join ops.query_answers a on a.project_id = r.project_id and a.env = r.env and a.key = p_key
    join ops.run_phases p on p.run_id = a.run_id and p.name = 'query' and p.status = 'succeeded'
    where r.id = p_run_id and r.trigger = 'query');
end
$$;

-- Remembers what a question was answered with; an answer that was damaged gives way to a new one.
create or replace function private.keep_answer(p_run_id uuid, p_key text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.query_answers as a (project_id, env, key, run_id)
  select r.project_id, r.env, p_key, r.id from ops.runs r where r.id = p_run_id and r.trigger = 'query'
  on conflict (project_id, env, key) do update set run_id = excluded.run_id, answered_at = excluded.answered_at
$$;

-- functions/58_saved_answers.sql
-- The answer of a question under a name: a further artifact of its run, of the same bytes. For whoever asked, and for operators.
-- What shows personal data is saved by those who may see it. The same name twice is the same artifact.
create or replace function ops.save_answer(p_run_id uuid, p_name text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_answer ops.run_artifacts;
  v_id uuid;
begin
  select r.project_id, r.env, r.status, q.subject into v_run
  from ops.queries q join ops.runs r on r.id = q.run_id where q.run_id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(
    v_run.project_id, v_run.env, case when private.is_own_query(p_run_id) then 'viewer' else 'operator' end);
  if p_name is null or p_name !~ '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_name is %L; begin with a letter or digit, then letters, digits, spaces, _ . - up to 100 characters', p_name);
  end if;
  select * into v_answer from ops.run_artifacts where run_id = p_run_id and phase = 'query' and kind = 'result';
  if not found then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'query %s is %s and has no answer to save', p_run_id, v_run.status);
  end if;
  if v_answer.meta -> 'personal' = 'true' then
    perform private.require_role(v_run.project_id, v_run.env, 'editor');
  end if;
  insert into ops.run_artifacts (run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
  values (
    p_run_id, v_run.project_id, '', p_name || '.parquet', 'saved', v_answer.sha256, v_answer.byte_size,
    v_answer.content_type, v_answer.uri,
    v_answer.meta || pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('saved_by', private.subject())))
  on conflict (run_id, phase, name) do nothing
  returning id into v_id;
  if v_id is null then
    select id into strict v_id from ops.run_artifacts
    where run_id = p_run_id and phase = '' and name = p_name || '.parquet';
    return v_id;
  end if;
  perform private.audit_run(
    v_run.project_id, 'runs.save_answer', p_run_id, pg_catalog.jsonb_build_object('name', p_name));
  return v_id;
end
$$;

-- functions/59_bi_wishes.sql
-- What runs ask of Superset: their phases name it as a target, and whoever follows publishes when the run has ended.

-- Asks for the run's project and environment. Asked again, it is due at once, whatever failed before.
create or replace function private.wish_bi(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.bi_wishes as w (project_id, env, run_id)
  select project_id, env, id from ops.runs where id = p_run_id
  on conflict (project_id, env) do update
    set run_id = excluded.run_id, asked_at = pg_catalog.clock_timestamp(), tries = 0, next_at = pg_catalog.clock_timestamp(),
      error = null;
end
$$;

-- What is to be published now. A run that has not ended has not released its tables: nothing of them could be certified.
create or replace function ops.due_bi_wishes(p_limit int default 20) returns table (
  project_id uuid, org text, project text, env text, run_id uuid, asked_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select w.project_id, o.slug, p.slug, w.env, w.run_id, w.asked_at
    from ops.bi_wishes w
    join ops.runs r on r.id = w.run_id and r.status in ('succeeded', 'failed', 'canceled')
    join ops.projects p on p.id = w.project_id
    join ops.orgs o on o.id = p.org_id
    where w.next_at <= pg_catalog.clock_timestamp()
    order by w.next_at
    limit p_limit;
end
$$;

-- It was published as it was asked for at p_asked_at; what was asked for since stays. Whether that was all.
create or replace function ops.bi_wish_granted(p_project_id uuid, p_env text, p_asked_at timestamptz) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.bi_wishes where project_id = p_project_id and env = p_env and asked_at = p_asked_at;
  return found;
end
$$;

-- It could not be published; the next try is after five seconds, then twice as late each time, and never later than ten minutes.
create or replace function ops.bi_wish_refused(
  p_project_id uuid, p_env text, p_asked_at timestamptz, p_error text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.bi_wishes
  set tries = tries + 1, error = pg_catalog.left(p_error, 1000),
    next_at = pg_catalog.clock_timestamp()
      + least(interval '5 seconds' * pg_catalog.power(2, least(tries, 10)), interval '10 minutes')
  where project_id = p_project_id and env = p_env and asked_at = p_asked_at;
end
$$;

-- functions/append_events.sql
-- Appends a batch of events in their order and returns the last sequence number. An event whose id is known is left out.
create or replace function ops.append_events(p_run_id uuid, p_lease_token bigint, p_events jsonb) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
  v_seq bigint := v_lease.event_seq;
  v_event jsonb;
  v_known uuid[];
begin
  v_known := array(
    select e.event_id from ops.run_events e
    where e.run_id = p_run_id and e.event_id = any (array(
      select (j ->> 'event_id')::uuid from pg_catalog.jsonb_array_elements(p_events) as j)));
  for v_event in select * from pg_catalog.jsonb_array_elements(p_events) loop
    if (v_event ->> 'event_id')::uuid = any (v_known) then
      continue;
    end if;
    -- Owners report what happens inside a phase; a run's own transitions are written by the RPCs that make them.
    if v_event ->> 'type' is distinct from 'PHASE_PROGRESS' and v_event ->> 'type' is distinct from 'LEASE_RENEWED' then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'type is %L; append_events takes PHASE_PROGRESS and LEASE_RENEWED', v_event ->> 'type');
    end if;
    v_seq := private.emit(
      p_run_id, v_event ->> 'type', v_event ->> 'phase', coalesce(v_event ->> 'message', ''),
      coalesce(v_event -> 'data', '{}'), coalesce(v_event ->> 'level', 'info'), (v_event ->> 'event_id')::uuid);
  end loop;
  return v_seq;
end
$$;

-- functions/cancel_run.sql
-- Queued: canceled at once. Owned: flagged; the owner honours it at its next heartbeat, the steward when the lease ends.
-- Ended already: nothing happens. Returns the resulting status or 'cancel_requested'. For operators, and of a question for
-- whoever asked it.
create or replace function ops.cancel_run(p_run_id uuid, p_reason text) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_asked boolean;
begin
  select project_id, env, status into v_run from ops.runs where id = p_run_id;
  if found then
    perform private.require_role(
      v_run.project_id, v_run.env, case when private.is_own_query(p_run_id) then 'viewer' else 'operator' end);
    -- Not FOR UPDATE before this is known: an owned run may be held for seconds, and a cancel request must not wait.
    if v_run.status = 'queued' then
      select status into v_run.status from ops.runs where id = p_run_id for no key update;
    end if;
  else
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status = 'queued' then
    perform private.audit_run(
      v_run.project_id, 'runs.cancel', p_run_id, pg_catalog.jsonb_build_object('reason', p_reason, 'was', v_run.status));
    perform private.emit_unowned(
      p_run_id, 'RUN_CANCELED', coalesce(p_reason, ''),
      pg_catalog.jsonb_build_object('subject', private.subject()), 'warning');
    update ops.runs
    set status = 'canceled', finished_at = pg_catalog.clock_timestamp(), error_code = 'RUN_CANCELED',
      error_message = p_reason
    where id = p_run_id;
    return 'canceled';
  elsif v_run.status not in ('claimed', 'running') then
    return v_run.status;
  end if;
  select cancel_requested into v_asked from ops.run_leases where run_id = p_run_id for update;
  if not found then
    -- It ended or was requeued between the two looks.
    return ops.cancel_run(p_run_id, p_reason);
  end if;
  if not v_asked then
    perform private.audit_run(
      v_run.project_id, 'runs.cancel', p_run_id, pg_catalog.jsonb_build_object('reason', p_reason, 'was', v_run.status));
    update ops.run_leases set cancel_requested = true where run_id = p_run_id;
    perform private.emit(
      p_run_id, 'CANCEL_REQUESTED', null, coalesce(p_reason, ''),
      pg_catalog.jsonb_build_object('subject', private.subject()), 'warning');
    perform pg_catalog.pg_notify('ops_control', '');
  end if;
  return 'cancel_requested';
end
$$;

-- functions/cap_allow.sql
-- Charges the cap if the amount still fits, and says whether it did. The cap's row, then the count of its period is the lock:
-- callers take turns, with each other and with what is charged to runs at work. Only for
-- caps of a period: what is charged on a concurrent one must be given back, and here is no run whose end would do that.
-- p_org: whose cap; null where only one org has one of that name.
drop function if exists ops.cap_allow(text, numeric);
create or replace function ops.cap_allow(p_cap_key text, p_amount numeric, p_org text default null) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cap ops.caps;
  v_now timestamptz;
  v_used numeric;
begin
  if p_amount is null or p_amount < 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_amount is %s; it must be zero or more', coalesce(p_amount::text, 'missing'));
  end if;
  if p_org is null and (select pg_catalog.count(*) from ops.caps where key = p_cap_key) > 1 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'several orgs have a cap %L; give p_org', p_cap_key);
  end if;
  select c.* into v_cap
  from ops.caps c join ops.orgs o on o.id = c.org_id
  where c.key = p_cap_key and (p_org is null or o.slug = p_org)
  for no key update of c;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('there is no cap %L', p_cap_key);
  end if;
  if v_cap.period = 'concurrent' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_cap_key is %L, a concurrent cap; claim_run reserves those for the runs that it hands out', p_cap_key);
  end if;
  v_now := pg_catalog.clock_timestamp();
  insert into private.cap_windows as w (cap_id, starts_at, used)
  values (v_cap.id, private.period_start(v_cap.period, v_now), 0)
  on conflict (cap_id, starts_at) do update set used = w.used
  returning used into v_used;
  if v_used + p_amount > v_cap.amount then
    return false;
  end if;
  insert into ops.cap_usage (cap_id, project_id, amount, used_at) values (v_cap.id, v_cap.project_id, p_amount, v_now);
  return true;
end
$$;

-- functions/check_results.sql
-- What came of each rule of a run, a row a rule in the order of the spec: of its validate phases, and of its transforms. What
-- the last try at a phase said counts, also one that failed by it. Who sees the run sees this.
create or replace function ops.check_results(p_run_id uuid) returns table (
  phase text, rule text, on_fail text, ok boolean, expected text, observed text, checked bigint, failed bigint,
  dropped bigint, quarantined bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select project_id, env into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  return query
  select p.name, coalesce(c.one ->> 'rule', c.one ->> 'check'), c.one ->> 'on_fail', (c.one ->> 'ok')::boolean,
    c.one ->> 'expected', c.one ->> 'observed', (c.one ->> 'checked')::bigint,
    -- As runs of earlier versions wrote it down.
    coalesce(c.one ->> 'failed', c.one ->> 'bad_rows', '0')::bigint,
    coalesce(c.one ->> 'dropped', '0')::bigint, coalesce(c.one ->> 'quarantined', '0')::bigint
  from ops.run_phases p
  cross join lateral pg_catalog.jsonb_array_elements(
    case
      when pg_catalog.jsonb_typeof(p.metrics -> 'checks') = 'array' then p.metrics -> 'checks'
      when pg_catalog.jsonb_typeof(p.error_data -> 'checks') = 'array' then p.error_data -> 'checks'
      else '[]'
    end) with ordinality as c (one, number)
  where p.run_id = p_run_id
  order by p.ordinal, c.number;
end
$$;

-- functions/claim_run.sql
-- Takes up to p_max_runs runs, each under a new lease token. Ordered by priority, then turn (see private.next_turn), then
-- age. Returns no row where there is nothing to do, or nothing for an executor that was asked to drain. A run is taken only by who has all the capabilities that it needs; a
-- dedicated executor leaves alone what needs none, because it can do nothing else than its own.
--
-- `id = any (array(… for no key update skip locked limit n))` is on purpose: as a join with a CTE, a parameter in LIMIT made the
-- generic plan walk the whole queue (tests/migrations/test_plans.py). As it is one plan serves every call; left to choose,
-- Postgres plans anew each time because it takes v_ids for ten elements, and planning takes longer than claiming. That one
-- plan may date from an empty table, where a bitmap and a sort look cheap: without bitmaps only the walk remains.
drop function if exists ops.claim_run(uuid, text[], float8, int);
create or replace function ops.claim_run(
  p_executor_id uuid,
  p_capabilities text[] default '{}',
  p_lease_seconds float8 default 30,
  p_max_runs int default 1,
  p_dedicated boolean default false
) returns table (
  run_id uuid, lease_token bigint, expires_at timestamptz, org text, project text, env text, pipeline text,
  pipeline_version int, spec jsonb, spec_sha256 text, git_sha text, params jsonb, input_manifest jsonb, attempt int,
  max_attempts int, timeout_seconds float8, elapsed_seconds float8, root_run uuid, phases jsonb
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_ids uuid[];
  v_limited boolean;
  v_open uuid[];
begin
  if p_lease_seconds is null or p_lease_seconds <= 0 or p_max_runs is null or p_max_runs < 1 then
    raise exception using errcode = 'CR007', message = 'p_lease_seconds and p_max_runs must be positive';
  end if;
  if exists (select from ops.executors x where x.id = p_executor_id and x.drain_asked_at is not null) then
    return;
  end if;
  v_open := private.share_limits();
  v_limited := v_open is not null or exists (select from ops.caps c where c.unit = 'runs') or exists (select from ops.pools);
  if v_limited then
    v_ids := private.claim_under_limits(p_capabilities, p_max_runs, p_dedicated, v_now, v_open);
  else
    v_ids := array(
      select r.id
      from ops.runs r
      where r.status = 'queued' and r.available_at <= v_now and r.capabilities <@ p_capabilities
        and (r.capabilities <> '{}' or not p_dedicated)
      order by r.priority, r.turn, r.id
      for no key update skip locked
      limit p_max_runs);
  end if;
  if pg_catalog.cardinality(v_ids) = 0 then
    return;
  end if;
  return query
    with owned as (
      update ops.runs r
      set status = 'claimed', attempt = r.attempt + 1, claimed_at = v_now, executor_id = p_executor_id,
        lease_token = pg_catalog.nextval('ops.lease_tokens'), error_code = null, error_message = null, error_data = null
      where r.id = any (v_ids)
      returning r.*
    ), leased as (
      insert into ops.run_leases (
        run_id, project_id, executor_id, lease_token, lease_seconds, expires_at, event_seq, event_hash)
      select o.id, o.project_id, p_executor_id, o.lease_token, p_lease_seconds,
        v_now + p_lease_seconds * interval '1 second', o.event_seq + 1,
        private.event_hash(
          o.event_hash, o.id, o.event_seq + 1, v_now, 'RUN_CLAIMED', null, 'info', '',
          pg_catalog.jsonb_build_object('executor', p_executor_id, 'attempt', o.attempt), o.lease_token, null)
      from owned o
      returning ops.run_leases.run_id, ops.run_leases.event_hash
    ), told as (
      insert into ops.run_events (run_id, seq, ts, project_id, type, data, lease_token, hash)
      select o.id, o.event_seq + 1, v_now, o.project_id, 'RUN_CLAIMED',
        pg_catalog.jsonb_build_object('executor', p_executor_id, 'attempt', o.attempt), o.lease_token, l.event_hash
      from owned o join leased l on l.run_id = o.id
    )
    select o.id, o.lease_token, v_now + p_lease_seconds * interval '1 second', g.slug, p.slug, o.env, o.pipeline,
      o.pipeline_version, o.spec, o.spec_sha256, o.git_sha, o.params, o.input_manifest, o.attempt, o.max_attempts,
      o.timeout_seconds, extract(epoch from v_now - o.started_at)::float8, coalesce(o.root_run, o.id),
      private.phases_json(o.id)
    from owned o
    join ops.projects p on p.id = o.project_id
    join ops.orgs g on g.id = p.org_id
    order by o.priority, o.turn, o.id;
  if v_limited then
    -- What was reserved for the run is its lease's now, and given back with it.
    update ops.cap_usage u set lease_token = r.lease_token
    from ops.runs r
    where r.id = any (v_ids) and u.run_id = r.id and u.lease_token is null and u.released_at is null;
    update ops.pool_uses u set lease_token = r.lease_token
    from ops.runs r
    where r.id = any (v_ids) and u.run_id = r.id and u.lease_token is null;
  end if;
end
$$;

-- functions/complete_run.sql
-- running → succeeded, once every phase has succeeded or was skipped.
create or replace function ops.complete_run(p_run_id uuid, p_lease_token bigint, p_output_manifest jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_open text;
  v_status text;
  v_retold record;
begin
  if not private.take_run(p_run_id, p_lease_token, '{succeeded}') then
    return;
  end if;
  select status into v_status from ops.runs where id = p_run_id;
  if v_status <> 'running' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s, not running; start it before you complete it', p_run_id, v_status);
  end if;
  select pg_catalog.string_agg(name || ' is ' || status, ', ' order by ordinal) into v_open
  from ops.run_phases where run_id = p_run_id and status not in ('succeeded', 'skipped');
  if v_open is not null then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s cannot be completed: %s; finish those phases or fail the run', p_run_id, v_open);
  end if;
  -- Readers get what says something else of its columns: a suspicion may lose its cause. The lock comes before the tables'.
  select d.id, d.project_id, d.env into v_retold
  from ops.dataset_versions v
  join ops.datasets d on d.id = v.dataset_id
  join ops.dataset_versions o on o.dataset_id = d.id and o.version = d.version
  where v.run_id = p_run_id and not v.aside and v.column_map_id is distinct from o.column_map_id
  limit 1;
  if v_retold.id is not null then
    perform private.lock_suspicion(v_retold.project_id, v_retold.env);
  end if;
  perform private.hold_outputs(p_run_id);
  -- Also what a retry let stand: its result names the version.
  select pg_catalog.string_agg(distinct d.layer || '.' || d.name, ', ') into v_open
  from ops.runs r
  join ops.run_phases p on p.run_id = r.id and pg_catalog.jsonb_typeof(p.result -> 'datasets') = 'array'
  cross join lateral pg_catalog.jsonb_array_elements(p.result -> 'datasets') as o (one)
  join ops.datasets d on d.project_id = r.project_id and d.env = r.env and d.layer || '.' || d.name = o.one ->> 'table'
  join ops.dataset_versions v on v.dataset_id = d.id and v.version = (o.one ->> 'version')::bigint and v.aside
  where r.id = p_run_id and private.refresh_of(p_run_id) is null;
  if v_open is not null then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'what run %s wrote to %s was set aside by a rollback meanwhile; submit a new run', p_run_id, v_open);
  end if;
  perform private.release_datasets(p_run_id);
  if v_retold.id is not null then
    perform private.spread_suspicion(v_retold.id);
  end if;
  perform private.end_run(
    p_run_id, 'succeeded', 'RUN_SUCCEEDED', '', '{}', 'info', p_output_manifest => coalesce(p_output_manifest, '{}'));
  perform private.swap_within_tolerance(p_run_id);
end
$$;

-- functions/compute_run_score.sql
-- The score of an ended run: 0–100, the sum of its signals' points. A signal with weight w has w / Σw × 100 points to give,
-- rounded so that all together have exactly 100. It gives all of them up to `free_until`, half where its value is `half_at`
-- beyond that, and follows 1 / (1 + (value - free_until) / half_at) (down) or its complement (up). Signals that the run's own
-- row and its history tell are recorded here; handlers record theirs with ops.record_signal.
create or replace function ops.compute_run_score(p_run_id uuid) returns numeric
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_breakdown jsonb;
  v_score numeric;
  v_new boolean;
begin
  select id, project_id, status, trigger, attempt, lost_leases, error_code, error_message into v_run
  from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if v_run.status not in ('succeeded', 'failed', 'canceled') then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; a score is given when it has ended', p_run_id, v_run.status);
  end if;
  if v_run.trigger = 'query' then
    return null;
  end if;
  insert into ops.signals (run_id, signal, project_id, value, data)
  values
    (p_run_id, 'outcome', v_run.project_id, case v_run.status when 'succeeded' then 0 else 1e9 end,
      pg_catalog.jsonb_build_object('said', case v_run.status
        when 'failed' then pg_catalog.format('the run failed with %s: %s', v_run.error_code, left(v_run.error_message, 200))
        when 'succeeded' then 'the run succeeded'
        else 'the run was ' || v_run.status end)),
    (p_run_id, 'retries', v_run.project_id, greatest(v_run.attempt - 1, 0),
      pg_catalog.jsonb_build_object('said', case when v_run.attempt > 1
        then pg_catalog.format('it took %s attempts', v_run.attempt) else 'it took one attempt' end)),
    (p_run_id, 'lost_leases', v_run.project_id, v_run.lost_leases,
      pg_catalog.jsonb_build_object('said', case v_run.lost_leases
        when 0 then 'no executor was lost' when 1 then 'an executor was lost on the way'
        else pg_catalog.format('%s executors were lost on the way', v_run.lost_leases) end))
  on conflict (run_id, signal) do nothing;
  if v_run.status = 'succeeded' then
    perform private.record_data_signals(p_run_id);
    perform private.record_cost_signal(p_run_id);
  end if;
  if v_run.status <> 'canceled' then
    perform private.record_pipeline_signals(p_run_id);
  end if;
  select private.score_breakdown(p_run_id) into v_breakdown;
  v_score := (select pg_catalog.sum((part ->> 'points')::numeric) from pg_catalog.jsonb_array_elements(v_breakdown) as part);
  if v_score is null then
    return null;
  end if;
  insert into ops.run_scores (run_id, project_id, score, breakdown, sentence)
  values (p_run_id, v_run.project_id, v_score, v_breakdown, private.score_sentence(v_score, v_breakdown))
  on conflict (run_id) do update
  set score = excluded.score, breakdown = excluded.breakdown, sentence = excluded.sentence,
    computed_at = pg_catalog.clock_timestamp()
  returning xmax = 0 into v_new;
  -- Once a run, in the transaction of its first score: no rule misses it, whoever is killed.
  if v_new then
    perform private.judge_run(p_run_id);
  end if;
  return v_score;
end
$$;

-- functions/create_run.sql
-- Queues a run. Idempotent on (project, environment, idempotency key): the same content gives the same id, other content is a
-- Conflict.
create or replace function ops.create_run(
  p_project_id uuid,
  p_env text,
  p_pipeline text,
  p_spec jsonb,
  p_spec_sha256 text,
  p_git_sha text,
  p_params jsonb default '{}',
  p_phases jsonb default '[]',
  p_idempotency_key text default null,
  p_priority int default 100,
  p_trigger text default 'manual',
  p_max_attempts int default 3,
  p_timeout_seconds float8 default null,
  p_available_at timestamptz default null,
  p_parent_run uuid default null,
  p_tags jsonb default '{}',
  p_input_manifest jsonb default '{}'
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_own_word(p_spec, p_phases, p_priority, p_max_attempts);
  return private.queue_run(
    p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha, p_params, p_phases, p_idempotency_key, p_priority,
    p_trigger, p_max_attempts, p_timeout_seconds, p_available_at, p_parent_run, p_tags, p_input_manifest, false);
end
$$;

-- What a person may say of a run: the phases are those of the spec – a promotion believes them –, nobody goes before everybody
-- else, and no password stands where every reader sees it.
create or replace function private.require_own_word(p_spec jsonb, p_phases jsonb, p_priority int, p_max_attempts int)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted() then
    return;
  end if;
  if p_priority not between 1 and 1000 or p_max_attempts not between 1 and 100 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_priority is %s and p_max_attempts %s; give 1 to 1000 and 1 to 100', p_priority, p_max_attempts);
  end if;
  if pg_catalog.jsonb_typeof(p_spec -> 'phases') = 'array' and pg_catalog.jsonb_typeof(p_phases) = 'array'
     and private.outline(p_spec -> 'phases') is distinct from private.outline(p_phases) then
    raise exception using errcode = 'CR007', message = 'p_phases must be the name, kind and depends_on of each phase of p_spec';
  end if;
end
$$;

-- Names, kinds and dependencies of phases, in a form that can be compared.
create or replace function private.outline(p_phases jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_array(
      p ->> 'name', p ->> 'kind',
      (select coalesce(pg_catalog.jsonb_agg(d order by d), '[]')
       from pg_catalog.jsonb_array_elements_text(coalesce(p -> 'depends_on', '[]')) as d))
    order by p ->> 'name'), '[]')
  from pg_catalog.jsonb_array_elements(p_phases) as p
$$;

-- ops.create_run without its distrust, for functions that have made sure themselves. p_repeat: a repeat of p_parent_run, which
-- runs what that one ran, also where another version is promoted by now.
create or replace function private.queue_run(
  p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb,
  p_phases jsonb, p_idempotency_key text, p_priority int, p_trigger text, p_max_attempts int, p_timeout_seconds float8,
  p_available_at timestamptz, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb, p_repeat boolean
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known record;
  v_version int;
begin
  perform private.require_role(p_project_id, p_env, 'operator');
  if not exists (select from ops.projects where id = p_project_id) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no project %s; create it with ops.ensure_project', p_project_id);
  end if;
  perform private.require(p_pipeline, 'p_pipeline'), private.require(p_git_sha, 'p_git_sha'),
    private.require(p_spec_sha256, 'p_spec_sha256');
  if p_env is null or p_env not in ('dev', 'stage', 'prod') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; use dev, stage or prod', p_env);
  end if;
  -- Such runs are judged by nobody and stand in no list of runs.
  if p_trigger = 'query' then
    raise exception using errcode = 'CR007', message = 'a run of trigger query is made by ops.submit_query';
  end if;
  if pg_catalog.jsonb_typeof(p_phases) is distinct from 'array' then
    raise exception using errcode = 'CR007', message = 'p_phases must be a JSON array of {name, kind, depends_on}';
  end if;
  if coalesce(pg_catalog.jsonb_typeof(p_spec -> 'capabilities'), 'array') <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_spec.capabilities must be a JSON array of names';
  end if;
  if p_idempotency_key is not null then
    -- Two callers with one key: the second waits here and then finds what the first made.
    perform pg_catalog.pg_advisory_xact_lock(
      pg_catalog.hashtextextended(p_project_id::text || '/' || p_env || '#' || p_idempotency_key, 0));
    select id, pipeline, spec_sha256, params into v_known
    from ops.runs where project_id = p_project_id and env = p_env and idempotency_key = p_idempotency_key;
    if found then
      if (v_known.pipeline, v_known.spec_sha256, v_known.params)
         is distinct from (p_pipeline, p_spec_sha256, p_params) then
        raise exception using errcode = 'CR006', message = pg_catalog.format(
          'idempotency key %L belongs to run %s with another definition; use a new key', p_idempotency_key, v_known.id);
      end if;
      return v_known.id;
    end if;
  end if;
  if p_parent_run is not null
     and not exists (select from ops.runs where id = p_parent_run and project_id = p_project_id) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  v_version := private.pipeline_version(p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha);
  if not p_repeat then
    perform private.require_promoted(p_project_id, p_env, p_pipeline, v_version);
  end if;
  return private.insert_run(
    p_project_id, p_env, p_pipeline, v_version, p_spec, p_spec_sha256, p_git_sha, p_params, p_phases, p_idempotency_key,
    p_priority, p_trigger, p_max_attempts, p_timeout_seconds, p_available_at, p_parent_run, p_tags, p_input_manifest);
end
$$;

-- The rows of a new run. Whoever calls has made sure of everything.
create or replace function private.insert_run(
  p_project_id uuid, p_env text, p_pipeline text, p_version int, p_spec jsonb, p_spec_sha256 text, p_git_sha text,
  p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority int, p_trigger text, p_max_attempts int,
  p_timeout_seconds float8, p_available_at timestamptz, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run uuid := private.new_id();
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_data jsonb;
begin
  v_data := pg_catalog.jsonb_build_object(
    'pipeline', p_pipeline, 'version', p_version, 'git_sha', p_git_sha, 'trigger', p_trigger,
    'subject', private.subject());
  insert into ops.runs (
    id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, params, input_manifest, priority, turn,
    available_at, capabilities, pools, max_attempts, timeout_seconds, idempotency_key, trigger, parent_run, tags, created_at,
    event_seq, event_hash)
  values (
    v_run, p_project_id, p_env, p_pipeline, p_version, p_spec, p_spec_sha256, p_git_sha, p_params, p_input_manifest,
    p_priority, private.next_turn(p_project_id, p_priority), coalesce(p_available_at, v_now),
    private.needed_capabilities(p_spec), private.needed_pools(p_spec), p_max_attempts,
    p_timeout_seconds, p_idempotency_key, p_trigger, p_parent_run, p_tags, v_now, 1,
    private.event_hash('\x', v_run, 1, v_now, 'RUN_CREATED', null, 'info', '', v_data, null, null));
  insert into ops.run_phases (run_id, ordinal, project_id, name, kind, depends_on)
  select v_run, p.ordinal, p_project_id, p.phase ->> 'name', p.phase ->> 'kind',
    coalesce((select pg_catalog.array_agg(d) from pg_catalog.jsonb_array_elements_text(p.phase -> 'depends_on') as d), '{}')
  from pg_catalog.jsonb_array_elements(p_phases) with ordinality as p (phase, ordinal);
  insert into ops.run_events (run_id, seq, ts, project_id, type, data, hash)
  select id, 1, v_now, project_id, 'RUN_CREATED', v_data, event_hash from ops.runs where id = v_run;
  perform private.audit_run(p_project_id, 'runs.create', v_run, v_data || pg_catalog.jsonb_build_object(
    'env', p_env, 'params', p_params, 'parent_run', p_parent_run));
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_run;
end
$$;

-- What an executor must be able to do to be given a run of this spec: its `capabilities`, a list of names.
create or replace function private.needed_capabilities(p_spec jsonb) returns text[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_spec -> 'capabilities' is null then
    return '{}';
  end if;
  if pg_catalog.jsonb_typeof(p_spec -> 'capabilities') <> 'array' then
    raise exception using errcode = 'CR007', message = 'capabilities of p_spec must be a list of capabilities';
  end if;
  return array(select distinct n from pg_catalog.jsonb_array_elements_text(p_spec -> 'capabilities') as n order by n);
end
$$;

-- register_pipeline without the editor's right: whoever may start a run may have its definition recorded.
drop function if exists private.pipeline_version(uuid, text, jsonb, text, text);
create or replace function private.pipeline_version(
  p_project_id uuid, p_env text, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text
) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version int;
  v_spec jsonb;
begin
  select version, spec into v_version, v_spec
  from ops.pipelines
  where project_id = p_project_id and slug = p_slug and sha256 = p_sha256 and git_sha = p_git_sha;
  if not found then
    -- What a spec says is done with the project's data: running what is there is an operator's, bringing new is an editor's.
    perform private.require_role(p_project_id, p_env, 'editor');
    if p_spec::text ~ '://[^/\s:@"]*:[^/\s@"]+@' then
      raise exception using errcode = 'CR007', message =
        'p_spec has an address with a password, and whoever may see the pipeline would read it; write secret://file/NAME or '
        'secret://env/NAME';
    end if;
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_project_id::text || '/' || p_slug, 0));
    insert into ops.pipelines (project_id, slug, version, spec, sha256, git_sha)
    select p_project_id, p_slug, coalesce(max(version), 0) + 1, p_spec, p_sha256, p_git_sha
    from ops.pipelines where project_id = p_project_id and slug = p_slug
    on conflict (project_id, slug, sha256, git_sha) do nothing;
    select version, spec into strict v_version, v_spec
    from ops.pipelines
    where project_id = p_project_id and slug = p_slug and sha256 = p_sha256 and git_sha = p_git_sha;
  end if;
  -- The caller names the hash; under a known one another spec must not slip in.
  if v_spec <> p_spec then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'spec_sha256 %s of pipeline %s belongs to another spec; compute it from the spec that you send', p_sha256, p_slug);
  end if;
  return v_version;
end
$$;

-- Stage and prod run what was promoted to them.
drop function if exists private.require_promoted(uuid, text, text, int, uuid);
create or replace function private.require_promoted(
  p_project_id uuid, p_env text, p_pipeline text, p_version int
) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_promoted int;
begin
  if p_env = 'dev' then
    return;
  end if;
  v_promoted := private.promoted_version(p_project_id, p_pipeline, p_env);
  if v_promoted is distinct from p_version then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'this is version %s of %s and %s runs %s; promote it with `controlroom pipeline promote`', p_version, p_pipeline,
      p_env, coalesce('version ' || v_promoted, 'none yet'));
  end if;
end
$$;

-- functions/drain_executor.sql
-- Executors are taken out of work by people. They work for all orgs alike, so that they are the installation's.

-- From here on the executor is given no run (ops.claim_run), but for a claim that is under way. One of ours ends the phases that it
-- is in, gives back the rest and ends; any other finds out by ops.is_draining. Returns false where that was asked before. It is not
-- taken back: an executor that is to work again is started again, under a new id.
create or replace function ops.drain_executor(p_executor_id uuid) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_executor ops.executors;
begin
  perform private.require_installation_admin();
  select * into v_executor from ops.executors where id = p_executor_id for update;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such executor; check the id';
  elsif v_executor.state = 'lost' then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'executor %s is lost and takes no run; there is nothing to drain', v_executor.name);
  elsif v_executor.drain_asked_at is not null then
    return false;
  end if;
  update ops.executors
  set state = 'draining', drain_asked_at = pg_catalog.clock_timestamp()
  where id = p_executor_id;
  perform private.audit(o.id, null, 'executors.drain', p_executor_id::text, null,
    pg_catalog.jsonb_build_object('name', v_executor.name, 'host', v_executor.host))
  from ops.orgs o;
  perform pg_catalog.pg_notify('ops_control', '');
  return true;
end
$$;

-- Whether an executor is to take no further run and to end.
create or replace function ops.is_draining(p_executor_id uuid) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.executors x where x.id = p_executor_id and x.drain_asked_at is not null)
$$;

-- functions/ensure_event_partitions.sql
-- Creates the monthly partitions of ops.run_events from last month to two months ahead. There is no default partition: an
-- event that fits none must fail loudly, not land where pruning never looks.
create or replace function ops.ensure_event_partitions() returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_month date;
  v_name text;
begin
  for v_month in
    select m::date from pg_catalog.generate_series(
      pg_catalog.date_trunc('month', pg_catalog.clock_timestamp() at time zone 'UTC') - interval '1 month',
      pg_catalog.date_trunc('month', pg_catalog.clock_timestamp() at time zone 'UTC') + interval '2 months',
      interval '1 month') as m
  loop
    v_name := 'run_events_' || pg_catalog.to_char(v_month, 'YYYY_MM');
    if pg_catalog.to_regclass('ops.' || v_name) is null then
      execute pg_catalog.format(
        'create table ops.%I partition of ops.run_events for values from (%L) to (%L)',
        v_name, v_month::text || ' 00:00:00+00', (v_month + interval '1 month')::date::text || ' 00:00:00+00');
      perform private.protect_table(v_name);
      perform private.make_append_only(v_name);
    end if;
  end loop;
end
$$;

-- functions/ensure_project.sql
-- The project's id; org and project are created where they are missing.
create or replace function ops.ensure_project(p_org text, p_project text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
begin
  select p.id into v_project
  from ops.projects p join ops.orgs o on o.id = p.org_id
  where o.slug = p_org and p.slug = p_project;
  if found then
    return v_project;
  end if;
  insert into ops.orgs (slug) values (p_org) on conflict (slug) do nothing;
  select id into strict v_org from ops.orgs where slug = p_org;
  insert into ops.projects (org_id, slug) values (v_org, p_project) on conflict (org_id, slug) do nothing;
  select id into strict v_project from ops.projects where org_id = v_org and slug = p_project;
  return v_project;
end
$$;

-- functions/executor_seen.sql
-- Says that the executor lives, and in which state: active, draining or lost. One that was asked to drain is not active again.
create or replace function ops.executor_seen(p_executor_id uuid, p_state text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.executors
  set last_seen = pg_catalog.clock_timestamp(),
    state = case when p_state = 'active' and drain_asked_at is not null then 'draining' else p_state end
  where id = p_executor_id;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no executor %s; register it first', p_executor_id);
  end if;
end
$$;

-- functions/fail_run.sql
-- The owner gives up on this attempt. Retryable and attempts left: back into the queue after 2^attempt seconds, at most ten
-- minutes, half of it by chance, so that runs that failed together do not come back together. Else terminal. Returns the
-- resulting status.
create or replace function ops.fail_run(
  p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb default '{}',
  p_retryable boolean default false
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_backoff float8;
  v_data jsonb := pg_catalog.jsonb_build_object('error_code', p_error_code);
begin
  perform private.require(p_error_code, 'p_error_code');
  select status, lease_token, attempt, max_attempts into v_run from ops.runs where id = p_run_id for no key update;
  if not private.take_run(p_run_id, p_lease_token, '{failed,queued}') then
    return v_run.status;
  end if;
  if p_retryable and v_run.attempt < v_run.max_attempts then
    v_backoff := least(600, 2 ^ v_run.attempt) * (0.5 + pg_catalog.random() / 2);
    perform private.requeue_run(
      p_run_id, p_error_message, v_data || pg_catalog.jsonb_build_object('backoff_seconds', v_backoff),
      pg_catalog.clock_timestamp() + v_backoff * interval '1 second', 0, 0, p_error_code, p_error_message, p_error_data);
    return 'queued';
  end if;
  perform private.end_run(
    p_run_id, 'failed', 'RUN_FAILED', p_error_message, v_data, 'error', p_error_code, p_error_message,
    coalesce(p_error_data, '{}'));
  return 'failed';
end
$$;

-- functions/find_runs.sql
-- Lines of runs, newest first, after (p_before_at, p_before_id) where those are given: the last of the page before. p_filter may
-- hold: org, project, env, pipeline, executor (its id), root_run, text (words of pipeline, error and tags; the last may be a
-- beginning), since and until (of created_at) – each one value –, status and trigger – each a list –, and tags: an object that
-- the run's tags contain.
--
-- The policy of ops.runs is repeated here by hand (tests/migrations/test_find_runs.py compares the two): a policy's condition
-- goes first, and the operators of text search and of jsonb are not leakproof, so that under it no index could serve them.
-- The statement holds only the conditions that were asked for, as literals: the partial indexes serve it, and no plan is kept
-- that was made for another question.
drop function if exists ops.search_runs(text, int);
create or replace function ops.find_runs(
  p_filter jsonb default '{}', p_limit int default 50, p_before_at timestamptz default null, p_before_id uuid default null
) returns table (
  run_id uuid, org text, project text, env text, pipeline text, pipeline_version int, status text, phase text, priority int,
  attempt int, max_attempts int, trigger text, git_sha text, tags jsonb, created_at timestamptz, started_at timestamptz,
  finished_at timestamptz, error_code text, error_message text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
-- The second statement is one for every call: only the first is made anew.
set plan_cache_mode = 'force_generic_plan'
as $$
#variable_conflict use_column
declare
  v_projects uuid[] := private.projects_asked_for(p_filter);
  v_where text;
  v_branches text[];
  v_found text;
  v_ids uuid[];
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_limit is %s; give 1 to 1000', coalesce(p_limit::text, 'null'));
  end if;
  v_where := private.run_conditions(p_filter, p_before_at, p_before_id);
  if p_filter ?| '{text,tags}' then
    v_found := pg_catalog.format(
      'select r.id, r.created_at from ops.runs r where r.project_id = any ($1) and %s and (%s) '
      'order by r.created_at desc, r.id desc limit %s',
      v_where, pg_catalog.array_to_string(private.run_status_conditions(p_filter), ' or '), p_limit);
  else
    -- One short index scan per project and status, then a merge: one scan over all would walk past everything else.
    select pg_catalog.array_agg(pg_catalog.format(
      '(select r.id, r.created_at from ops.runs r where r.project_id = p.id and %s and (%s) '
      'order by r.created_at desc, r.id desc limit %s)', v_where, condition, p_limit))
    into v_branches
    from pg_catalog.unnest(private.run_status_conditions(p_filter)) as condition;
    v_found := pg_catalog.format(
      'select r.id, r.created_at from pg_catalog.unnest($1) as p (id) cross join lateral (%s) as r '
      'order by r.created_at desc, r.id desc limit %s', pg_catalog.array_to_string(v_branches, ' union all '), p_limit);
  end if;
  execute pg_catalog.format('select pg_catalog.array_agg(f.id) from (%s) as f', v_found) into v_ids using v_projects;
  return query
    select r.id, o.slug, p.slug, r.env, r.pipeline, r.pipeline_version, r.status, coalesce(l.phase, r.phase), r.priority,
      r.attempt, r.max_attempts, r.trigger, r.git_sha, r.tags, r.created_at, r.started_at, r.finished_at, r.error_code,
      r.error_message
    from ops.runs r
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    left join ops.run_leases l on l.run_id = r.id
    where r.id = any (v_ids)
    order by r.created_at desc, r.id desc;
end
$$;

-- functions/finish_phase.sql
-- Ends a try at a phase: succeeded, failed, skipped or canceled. A repeat with the same outcome changes nothing.
create or replace function ops.finish_phase(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_status text, p_result jsonb
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_phase record;
  v_usage jsonb := coalesce(p_result -> 'usage', '{}');
begin
  perform private.owned(p_run_id, p_lease_token);
  if p_status is null or p_status not in ('succeeded', 'failed', 'skipped', 'canceled') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_status is %L; use succeeded, failed, skipped or canceled', p_status);
  end if;
  select status, output_fingerprint, attempt into v_phase
  from ops.run_phases where run_id = p_run_id and name = p_phase;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format('run %s has no phase %L', p_run_id, p_phase);
  end if;
  -- A skipped phase keeps the fingerprint of the success that it stands on; whoever skips it names none.
  if v_phase.status = p_status
     and (p_status = 'skipped' or v_phase.output_fingerprint is not distinct from p_result ->> 'output_fingerprint') then
    return;
  end if;
  if p_status = 'skipped' then
    if v_phase.status <> 'succeeded' then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'phase %L of run %s is %s; only one that succeeded before can be skipped, carry it out', p_phase, p_run_id,
        v_phase.status);
    end if;
    update ops.run_phases set status = 'skipped' where run_id = p_run_id and name = p_phase;
    perform private.take_over_artifacts(p_run_id, p_phase);
  else
    if v_phase.status <> 'running' then
      raise exception using errcode = 'CR002', message = pg_catalog.format(
        'phase %L of run %s is %s, not running; start it first', p_phase, p_run_id, v_phase.status);
    end if;
    update ops.run_phases
    set status = p_status, finished_at = pg_catalog.clock_timestamp(),
      rows_in = (p_result ->> 'rows_in')::bigint, rows_out = (p_result ->> 'rows_out')::bigint,
      byte_size = (p_result ->> 'byte_size')::bigint,
      input_fingerprint = coalesce(p_result ->> 'input_fingerprint', input_fingerprint),
      output_fingerprint = p_result ->> 'output_fingerprint',
      metrics = coalesce(p_result -> 'metrics', '{}') || private.measured(v_usage),
      error_code = p_result ->> 'error_code', error_message = p_result ->> 'error_message',
      error_data = p_result -> 'error_data', result = p_result - 'column_lineage'
    where run_id = p_run_id and name = p_phase;
  end if;
  if p_result ? 'column_lineage' then
    perform private.record_column_lineage(p_run_id, p_result);
  end if;
  if p_status = 'succeeded' and p_result -> 'metrics' ? 'answer_key' then
    perform private.keep_answer(p_run_id, p_result -> 'metrics' ->> 'answer_key');
  end if;
  if p_status = 'succeeded' and p_result -> 'metrics' ? 'superset' then
    perform private.wish_bi(p_run_id);
  end if;
  perform private.emit(
    p_run_id,
    case p_status
      when 'succeeded' then 'PHASE_SUCCEEDED' when 'skipped' then 'PHASE_SKIPPED' else 'PHASE_FAILED'
    end,
    p_phase,
    coalesce(p_result ->> 'error_message', ''),
    pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
      'attempt', v_phase.attempt, 'rows_in', p_result -> 'rows_in', 'rows_out', p_result -> 'rows_out',
      'byte_size', p_result -> 'byte_size', 'output_fingerprint', p_result -> 'output_fingerprint',
      'error_code', p_result -> 'error_code')),
    case when p_status in ('failed', 'canceled') then 'error' else 'info' end);
  -- Last: what is locked by charging is locked for as short as can be.
  if p_status = 'succeeded' then
    v_usage := v_usage || private.moved(p_result);
  end if;
  if v_usage <> '{}' and p_status <> 'skipped' then
    perform private.charge_usage(pg_catalog.jsonb_build_array(v_usage || pg_catalog.jsonb_build_object(
      'run_id', p_run_id, 'lease_token', p_lease_token, 'phase', p_phase, 'attempt', v_phase.attempt)));
  end if;
end
$$;

-- Of what the owner reports of a try, what belongs to the phase's metrics.
create or replace function private.measured(p_usage jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(pg_catalog.jsonb_object_agg(key, value), '{}')
    from pg_catalog.jsonb_each(p_usage)
    where key in ('cpu_seconds', 'peak_memory_bytes', 'read_bytes', 'written_bytes'));
end
$$;

-- What a phase that succeeded has moved, without the commits of a former owner that it adopted: those were charged when they were
-- recorded, if by this try, as its own.
create or replace function private.moved(p_result jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case when p_result ->> 'rows_out' is null and p_result ->> 'byte_size' is null then '{}'
      else pg_catalog.jsonb_build_object(
        'rows_moved', (p_result ->> 'rows_out')::numeric - a.rows, 'bytes_moved', (p_result ->> 'byte_size')::numeric - a.bytes)
      end
    from (
      select coalesce(pg_catalog.sum((d ->> 'rows')::numeric), 0) as rows,
        coalesce(pg_catalog.sum((d ->> 'byte_size')::numeric), 0) as bytes
      from pg_catalog.jsonb_array_elements(
        case pg_catalog.jsonb_typeof(p_result -> 'datasets') when 'array' then p_result -> 'datasets' else '[]' end) as d
      where (d ->> 'adopted')::boolean) as a);
end
$$;

-- A run that skips a phase has its artifacts too: those of the nearest run before it that carried the phase out. Only now, and
-- not when the run is made: a phase that is done again after all registers its own. Without a try, only what a retry or replay
-- took over is skipped; a parent that somebody named in ops.create_run gives nothing.
create or replace function private.take_over_artifacts(p_run_id uuid, p_phase text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select id, project_id, parent_run into v_run from ops.runs where id = p_run_id;
  while v_run.parent_run is not null and exists (
    select from ops.run_phases where run_id = v_run.id and name = p_phase and attempt = 0)
  loop
    select id, project_id, parent_run into v_run from ops.runs where id = v_run.parent_run;
  end loop;
  if v_run.id <> p_run_id then
    insert into ops.run_artifacts (
      run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
    select p_run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta
    from ops.run_artifacts
    where run_id = v_run.id and phase = p_phase
    on conflict (run_id, phase, name) do nothing;
  end if;
end
$$;

-- functions/heartbeat_run.sql
-- Renews one lease for as long as it was claimed for. Raises where it is gone. p_usage: what the tries at work have used so far,
-- as ops.heartbeat_runs takes it.
drop function if exists ops.heartbeat_run(uuid, bigint, text, jsonb);
create or replace function ops.heartbeat_run(
  p_run_id uuid, p_lease_token bigint, p_phase text default null, p_progress jsonb default null, p_usage jsonb default null
) returns table (expires_at timestamptz, cancel_requested boolean, cap_exceeded text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update ops.run_leases l
  set expires_at = pg_catalog.clock_timestamp() + l.lease_seconds * interval '1 second',
    phase = coalesce(p_phase, l.phase), progress = coalesce(p_progress, l.progress)
  where l.run_id = p_run_id and l.lease_token = p_lease_token and l.expires_at > pg_catalog.clock_timestamp()
  returning l.expires_at, l.cancel_requested into expires_at, cancel_requested;
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
  perform private.charge_leases(array[p_run_id], array[p_lease_token], p_usage);
  cap_exceeded := private.stopped_by_cap(p_run_id);
  return next;
end
$$;

-- functions/heartbeat_runs.sql
-- Renews all leases of one executor in one statement; a lost one is answered with held = false. p_usage is what each try at work has
-- used so far: [{run_id, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes}]; it is charged here.
-- cap_exceeded names the cap that is used up: the owner stops the work by force and fails the run.
drop function if exists ops.heartbeat_runs(uuid, uuid[], bigint[], float8);
create or replace function ops.heartbeat_runs(
  p_executor_id uuid, p_run_ids uuid[], p_lease_tokens bigint[], p_lease_seconds float8, p_usage jsonb default null
) returns table (run_id uuid, held boolean, expires_at timestamptz, cancel_requested boolean, cap_exceeded text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_answers jsonb;
begin
  -- Whoever renews is not lost, whatever the steward thought.
  update ops.executors
  set last_seen = pg_catalog.clock_timestamp(),
    state = case when state <> 'lost' then state when drain_asked_at is null then 'active' else 'draining' end
  where id = p_executor_id;
  -- Whoever locks leases of several runs does it in the order of the runs' ids, so that no two wait for each other in a circle.
  perform from ops.run_leases l
  join unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token) on a.run_id = l.run_id and a.lease_token = l.lease_token
  order by l.run_id
  for no key update of l;
  with asked as (
    -- Unqualified: only the grammar's own unnest takes several arrays.
    select * from unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token)
  ), renewed as (
    update ops.run_leases l
    set expires_at = pg_catalog.clock_timestamp() + p_lease_seconds * interval '1 second'
    from asked a
    where l.run_id = a.run_id and l.lease_token = a.lease_token and l.expires_at > pg_catalog.clock_timestamp()
    returning l.run_id, l.lease_token, l.expires_at, l.cancel_requested
  )
  select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'run_id', a.run_id, 'lease_token', r.lease_token, 'expires_at', r.expires_at,
    'cancel_requested', coalesce(r.cancel_requested, false)))
  into v_answers
  from asked a left join renewed r on r.run_id = a.run_id and r.lease_token = a.lease_token;
  perform private.charge_leases(p_run_ids, p_lease_tokens, p_usage);
  return query
    select a.run_id, a.lease_token is not null, a.expires_at, a.cancel_requested,
      case when a.lease_token is not null then private.stopped_by_cap(a.run_id) end
    from pg_catalog.jsonb_to_recordset(v_answers) as a (
      run_id uuid, lease_token bigint, expires_at timestamptz, cancel_requested boolean);
end
$$;

-- Charges what is reported of runs whose leases are held; the caller has just renewed those, and so locked their rows.
create or replace function private.charge_leases(p_run_ids uuid[], p_lease_tokens bigint[], p_usage jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_usage is null or p_usage = '[]' then
    return;
  end if;
  if pg_catalog.jsonb_typeof(p_usage) <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_usage must be a JSON array of what each try has used';
  end if;
  perform private.charge_usage(pg_catalog.jsonb_agg(
    u.report || pg_catalog.jsonb_build_object('lease_token', l.lease_token, 'rows_moved', null, 'bytes_moved', null)))
  from pg_catalog.jsonb_array_elements(p_usage) as u (report)
  join ops.run_leases l on l.run_id = (u.report ->> 'run_id')::uuid and l.expires_at > pg_catalog.clock_timestamp()
  join unnest(p_run_ids, p_lease_tokens) as a (run_id, lease_token)
    on a.run_id = l.run_id and a.lease_token = l.lease_token
  having pg_catalog.count(*) > 0;
end
$$;

-- Why the owner of a run must stop it, in words; null where no cap is used up.
create or replace function private.stopped_by_cap(p_run_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not private.is_metered() then
    return null;
  end if;
  return (select private.used_up(r.project_id, r.pipeline) from ops.runs r where r.id = p_run_id);
end
$$;

-- functions/hold_run.sql
-- The fence held open: the run row is locked FOR SHARE until the caller's transaction ends, so that nobody can requeue,
-- claim or end the run meanwhile. Several phases of the run may hold it at once, and heartbeats never touch that row.
--
-- The lock comes first and the check after it: the other way round a requeue could slip between them.
create or replace function ops.hold_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from ops.runs where id = p_run_id for share;
  perform from ops.run_leases
  where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp();
  if not found then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
end
$$;

-- functions/mark_lost_executors.sql
-- Calls executors lost that were not heard of for p_stale_seconds; returns how many. One that comes back says so itself.
create or replace function ops.mark_lost_executors(p_stale_seconds float8) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  if p_stale_seconds is null or p_stale_seconds <= 0 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_stale_seconds is %s; it must be more than zero', coalesce(p_stale_seconds::text, 'missing'));
  end if;
  update ops.executors
  set state = 'lost'
  where state <> 'lost' and last_seen < pg_catalog.clock_timestamp() - p_stale_seconds * interval '1 second';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- functions/pin_inputs.sql
-- Pins what the run reads, once: an earlier owner's manifest is returned unchanged.
create or replace function ops.pin_inputs(p_run_id uuid, p_lease_token bigint, p_manifest jsonb) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_manifest jsonb;
begin
  perform private.take_run(p_run_id, p_lease_token, '{}');
  update ops.runs set input_manifest = p_manifest where id = p_run_id and input_manifest = '{}';
  select input_manifest into v_manifest from ops.runs where id = p_run_id;
  return v_manifest;
end
$$;

-- functions/prune.sql
-- Forgets events older than p_keep, whole months at once. Runs and artifacts stay: they are the record. Of each run that
-- loses events the last one's number and hash are kept, so that the rest of its chain can still be verified. A month with
-- events of a run that has not ended stays until it has.
create or replace function ops.prune(p_keep interval) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_needed boolean;
  v_oldest text := 'run_events_' || pg_catalog.to_char(
    (pg_catalog.clock_timestamp() - p_keep) at time zone 'UTC', 'YYYY_MM');
begin
  if p_keep is null or p_keep < interval '1 day' then
    raise exception using errcode = 'CR007', message = 'p_keep must be one day or more';
  end if;
  for v_name in
    select c.relname
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'ops.run_events'::regclass and c.relname < v_oldest
    order by c.relname
  loop
    execute pg_catalog.format(
      'select exists (
         select from ops.runs r
         where r.status in (''queued'', ''claimed'', ''running'') and exists (select from ops.%I e where e.run_id = r.id))',
      v_name) into v_needed;
    continue when v_needed;
    execute pg_catalog.format(
      'insert into private.pruned_events as p (run_id, seq, hash)
       select distinct on (e.run_id) e.run_id, e.seq, e.hash from ops.%I e order by e.run_id, e.seq desc
       on conflict (run_id) do update set seq = excluded.seq, hash = excluded.hash where p.seq < excluded.seq', v_name);
    execute pg_catalog.format('drop table ops.%I', v_name);
  end loop;
end
$$;

-- functions/record_dataset.sql
-- Registers a Delta commit: the dataset, its version and the edges to what it was made from. Readers get the version when the
-- run succeeds (private.release_datasets). Idempotent on
-- (dataset, version): the same commit of the same run gives the same id.
create or replace function ops.record_dataset(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_dataset jsonb
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_known record;
  v_dataset uuid;
  v_version uuid;
  v_number bigint := (p_dataset ->> 'version')::bigint;
  v_layer text := pg_catalog.split_part(p_dataset ->> 'table', '.', 1);
  v_name text := pg_catalog.split_part(p_dataset ->> 'table', '.', 2);
begin
  perform private.owned(p_run_id, p_lease_token);
  if v_layer = '' or v_name = '' then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'table is %L; write it as layer.name', p_dataset ->> 'table');
  end if;
  select project_id, env, coalesce(root_run, id) as root into strict v_run from ops.runs where id = p_run_id;
  select id into v_dataset from ops.datasets
  where project_id = v_run.project_id and env = v_run.env and layer = v_layer and name = v_name;
  if not found then
    -- Without a version: readers get it when the run has succeeded.
    insert into ops.datasets (project_id, env, layer, name) values (v_run.project_id, v_run.env, v_layer, v_name)
    on conflict (project_id, env, layer, name) do nothing;
    select id into strict v_dataset from ops.datasets
    where project_id = v_run.project_id and env = v_run.env and layer = v_layer and name = v_name;
  end if;
  insert into ops.dataset_versions (
    dataset_id, project_id, version, run_id, phase, lease_token, mode, rows, total_rows, byte_size, fingerprint, columns,
    adopted, stats, aside)
  values (
    v_dataset, v_run.project_id, v_number, p_run_id, p_phase, p_lease_token, p_dataset ->> 'mode',
    (p_dataset ->> 'rows')::bigint, (p_dataset ->> 'total_rows')::bigint, (p_dataset ->> 'byte_size')::bigint,
    p_dataset ->> 'fingerprint', coalesce(p_dataset -> 'schema', '{}'),
    coalesce((p_dataset ->> 'adopted')::boolean, false), coalesce(p_dataset -> 'stats', '{}'),
    -- Nobody builds upon what a refresh makes before it is swapped in; evidence in quarantine is nobody's base.
    v_layer <> 'quarantine' and exists (select from ops.refreshes f where f.run_id = v_run.root))
  on conflict (dataset_id, version) do nothing
  returning id into v_version;
  if v_version is null then
    select v.id, v.run_id, v.fingerprint, v.aside, coalesce(r.root_run, r.id) as root into strict v_known
    from ops.dataset_versions v join ops.runs r on r.id = v.run_id
    where v.dataset_id = v_dataset and v.version = v_number;
    -- A repeat, or a retry that found what the run before it had committed. Anything else is another commit under a number
    -- that is taken: the table was removed or restored behind our back.
    if v_known.fingerprint is distinct from p_dataset ->> 'fingerprint' or v_known.root is distinct from v_run.root then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s is recorded of run %s; the table was removed or restored by hand: let it begin under a new name',
        v_number, p_dataset ->> 'table', v_known.run_id);
    end if;
    if v_known.aside and not exists (select from ops.refreshes f where f.run_id = v_run.root) then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'version %s of %s was set aside by a rollback, and with it what this run had written; submit a new run', v_number,
        p_dataset ->> 'table');
    end if;
    return v_known.id;
  end if;
  perform private.know_event_time(v_version);
  insert into ops.lineage_edges (output_id, project_id, input_table, input_version, input_fingerprint)
  select v_version, v_run.project_id, i ->> 'table', (i ->> 'version')::bigint, i ->> 'fingerprint'
  from pg_catalog.jsonb_array_elements(coalesce(p_dataset -> 'inputs', '[]')) as i
  on conflict (output_id, input_table, input_version) do nothing;
  if private.is_metered() then
    -- At once, and not when the phase has succeeded: it may make many commits.
    perform private.charge_usage(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
      'run_id', p_run_id, 'lease_token', p_lease_token, 'phase', p_phase, 'attempt', ph.attempt,
      'rows_moved', coalesce(u.rows_moved, 0) + (p_dataset ->> 'rows')::numeric,
      'bytes_moved', coalesce(u.bytes_moved, 0) + (p_dataset ->> 'byte_size')::numeric)))
    from ops.run_phases ph
    left join ops.phase_usage u on u.run_id = ph.run_id and u.phase = ph.name and u.attempt = ph.attempt
      and u.lease_token = p_lease_token
    where ph.run_id = p_run_id and ph.name = p_phase;
  end if;
  return v_version;
end
$$;

-- functions/record_signal.sql
-- Records one number that the run says about itself; the last one counts.
create or replace function ops.record_signal(
  p_run_id uuid, p_lease_token bigint, p_key text, p_value float8, p_data jsonb default '{}'
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
begin
  perform private.require(p_key, 'p_key');
  insert into ops.signals (run_id, signal, project_id, value, data)
  values (p_run_id, p_key, v_lease.project_id, p_value, coalesce(p_data, '{}'))
  on conflict (run_id, signal) do update
  set value = excluded.value, data = excluded.data, recorded_at = pg_catalog.clock_timestamp()
  where (signals.value, signals.data) is distinct from (excluded.value, excluded.data);
end
$$;

-- functions/register_artifact.sql
-- Registers stored bytes. The same artifact of the same phase gives the same id; other bytes under its name are a Conflict.
create or replace function ops.register_artifact(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_name text, p_kind text, p_sha256 text, p_byte_size bigint,
  p_content_type text, p_uri text, p_meta jsonb
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lease ops.run_leases := private.owned(p_run_id, p_lease_token);
  v_known record;
  v_id uuid;
begin
  perform private.require(p_name, 'p_name'), private.require(p_sha256, 'p_sha256'), private.require(p_uri, 'p_uri');
  insert into ops.run_artifacts (
    run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta)
  values (
    p_run_id, v_lease.project_id, coalesce(p_phase, ''), p_name, p_kind, p_sha256, p_byte_size, p_content_type, p_uri,
    coalesce(p_meta, '{}'))
  on conflict (run_id, phase, name) do nothing
  returning id into v_id;
  if v_id is null then
    select id, sha256 into strict v_known
    from ops.run_artifacts where run_id = p_run_id and phase = coalesce(p_phase, '') and name = p_name;
    if v_known.sha256 <> p_sha256 then
      raise exception using errcode = 'CR006', message = pg_catalog.format(
        'artifact %L of run %s is registered with other bytes; artifacts never change, use another name',
        p_name, p_run_id);
    end if;
    v_id := v_known.id;
  end if;
  return v_id;
end
$$;

-- functions/register_executor.sql
-- Announces an executor. Its id is new at every boot: a reused name would hide an orphan.
create or replace function ops.register_executor(
  p_executor_id uuid, p_name text, p_capabilities text[], p_labels jsonb, p_slots int, p_host text, p_version text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.executors (id, name, capabilities, labels, slots, host, version)
  values (p_executor_id, p_name, p_capabilities, p_labels, p_slots, p_host, p_version)
  on conflict (id) do update
  set name = excluded.name, capabilities = excluded.capabilities, labels = excluded.labels, slots = excluded.slots,
    host = excluded.host, version = excluded.version, last_seen = pg_catalog.clock_timestamp(),
    state = case when ops.executors.drain_asked_at is null then 'active' else 'draining' end;
end
$$;

-- functions/register_pipeline.sql
-- Registers a spec and returns its version; the same content from the same git sha is the same version.
create or replace function ops.register_pipeline(
  p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text
) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, 'dev', 'editor');
  perform private.require(p_slug, 'p_slug'), private.require(p_sha256, 'p_sha256'),
    private.require(p_git_sha, 'p_git_sha');
  return private.pipeline_version(p_project_id, 'dev', p_slug, p_spec, p_sha256, p_git_sha);
end
$$;

-- functions/release_canceled_run.sql
-- The owner honours a cancel request.
create or replace function ops.release_canceled_run(p_run_id uuid, p_lease_token bigint, p_reason text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.take_run(p_run_id, p_lease_token, '{canceled}') then
    perform private.end_run(
      p_run_id, 'canceled', 'RUN_CANCELED', coalesce(p_reason, ''), '{}', 'warning', 'RUN_CANCELED', p_reason);
  end if;
end
$$;

-- functions/release_run.sql
-- A drain: back to queued at once, and the attempt is given back.
create or replace function ops.release_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.take_run(p_run_id, p_lease_token, '{queued}') then
    perform private.requeue_run(
      p_run_id, 'released by a draining executor', '{}', pg_catalog.clock_timestamp(), 1, 0);
  end if;
end
$$;

-- functions/requeue_stale_runs.sql
-- Puts runs whose lease ended p_stale_minutes ago or earlier back into the queue, at most 500 at a time, and returns how
-- many it dealt with. A lost lease is not a handler's failure: the attempt is given back and counted apart; after
-- max_lost_leases the run fails. A cancel that the lost owner never honoured is honoured here.
--
-- A row that someone holds (ops.hold_run) or is just ending is stepped over: SKIP LOCKED.
create or replace function ops.requeue_stale_runs(p_stale_minutes float8 default 0) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_deadline timestamptz := pg_catalog.clock_timestamp() - coalesce(p_stale_minutes, 0) * interval '1 minute';
  v_run record;
  v_lease record;
  v_count int := 0;
begin
  for v_run in
    select r.id, r.lost_leases, r.max_lost_leases
    from ops.runs r
    where r.id = any (array(select run_id from ops.run_leases where expires_at <= v_deadline limit 500))
    for no key update skip locked
  loop
    select * into v_lease
    from ops.run_leases where run_id = v_run.id and expires_at <= v_deadline for update skip locked;
    if not found then
      continue;
    end if;
    perform private.emit(
      v_run.id, 'LEASE_EXPIRED', v_lease.phase, '',
      pg_catalog.jsonb_build_object('executor', v_lease.executor_id, 'expired_at', v_lease.expires_at), 'warning');
    if v_lease.cancel_requested then
      perform private.end_run(
        v_run.id, 'canceled', 'RUN_CANCELED', 'canceled after its lease ended', '{}', 'warning', 'RUN_CANCELED',
        'canceled after its lease ended');
    elsif v_run.lost_leases + 1 > v_run.max_lost_leases then
      perform private.end_run(
        v_run.id, 'failed', 'RUN_FAILED', 'its executors were lost too often', '{}', 'error', 'LEASE_LOST',
        pg_catalog.format('the lease was lost %s times; look at the executors'' logs, then retry',
          v_run.lost_leases + 1), '{}');
    else
      perform private.requeue_run(
        v_run.id, 'its lease ended without an answer', '{}', pg_catalog.clock_timestamp(), 1, 1);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- functions/retry_run.sql
-- A new run of one that ended: the same definition and pinned inputs; phases that succeeded stay done and are skipped. What
-- such a run commits is known by the first run of the line (root_run): a commit that the old run made, and did not live to
-- write down, is adopted and not made again.
--
-- p_from_phase: that phase and all that depend on it are carried out again, also where they succeeded; the others stand.
-- p_latest: on the definition that the environment runs now and on inputs of now; without p_from_phase all phases.
drop function if exists ops.retry_run(uuid);
create or replace function ops.retry_run(p_run_id uuid, p_from_phase text default null, p_latest boolean default false)
returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old ops.runs := private.ended_run(p_run_id);
  v_way text := case when p_latest then 'latest' else 'retry' end;
begin
  -- Said before anything is made, and not from within.
  perform private.planned_rerun(v_old, v_way, p_from_phase);
  -- A past that is computed again stays one, see private.note_success.
  return private.make_rerun(
    v_old, v_way, p_from_phase, case when v_old.trigger in ('backfill', 'replay') then v_old.trigger else 'retry' end);
end
$$;

-- A new run of the same definition on the same pinned inputs, all phases: what it commits is its own. What an ingest landed
-- is among the inputs and stands.
create or replace function ops.replay_run(p_run_id uuid) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old ops.runs := private.ended_run(p_run_id);
begin
  perform private.planned_rerun(v_old, 'replay', null);
  return private.make_rerun(v_old, 'replay', null, 'replay');
end
$$;

-- What a retry (p_way retry or latest) or a replay would carry out and what would stand, by what makes them. Makes nothing.
create or replace function ops.preview_rerun(p_run_id uuid, p_way text default 'retry', p_from_phase text default null)
returns table (ordinal int, name text, kind text, again boolean, reason text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_way is null or p_way not in ('retry', 'latest', 'replay') then
    raise exception using errcode = 'CR007', message = pg_catalog.format('p_way is %L; use retry, latest or replay', p_way);
  end if;
  return query
    select p.ordinal, p.name, p.kind, p.again, p.reason
    from private.planned_rerun(private.ended_run(p_run_id), p_way, p_from_phase) as p
    order by p.ordinal;
end
$$;

-- The run, where the caller may make one of it.
create or replace function private.ended_run(p_run_id uuid) returns ops.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run ops.runs;
begin
  select * into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'operator');
  -- What it may show depends on who asked.
  if v_run.trigger = 'query' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is a question that somebody asked; ask it again', p_run_id);
  end if;
  return v_run;
end
$$;

-- functions/revoke_lease.sql
-- Takes an owned run away from its executor: its lease ends now and the run is requeued as a lost one, or canceled where that was
-- asked for. For an executor that renews and does nothing; one that works finds out at its next call. Returns the resulting
-- status. Waits while the run is held, so that a commit under way is either whole or refused.
create or replace function ops.revoke_lease(p_run_id uuid) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select project_id, env into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'operator');
  perform from ops.runs where id = p_run_id for no key update;
  update ops.run_leases set expires_at = pg_catalog.clock_timestamp() where run_id = p_run_id;
  if found then
    perform private.audit_run(v_run.project_id, 'runs.revoke_lease', p_run_id, '{}');
    perform ops.requeue_stale_runs(0);
  end if;
  return (select status from ops.runs where id = p_run_id);
end
$$;

-- functions/score_ended_runs.sql
-- Scores runs that ended without one, the oldest p_limit of them in their order (alert rules look at the last of a group); the
-- steward calls it, so that a score costs the executor nothing. Looks back p_within: a steward that has just come looks back a day, one that is there minutes.
drop function if exists ops.score_ended_runs(int);
create or replace function ops.score_ended_runs(p_limit int default 200, p_within interval default '1 day') returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A variable, not the expression itself: clock_timestamp() is volatile, and no index serves a volatile condition.
  v_since timestamptz := pg_catalog.clock_timestamp() - p_within;
  v_run uuid;
  v_count int := 0;
begin
  for v_run in
    select r.id
    from ops.runs r
    -- A person's question is no work that goes well or ill: nothing is judged by it.
    where r.finished_at > v_since and r.trigger <> 'query'
      and not exists (select from ops.run_scores s where s.run_id = r.id)
    order by r.finished_at, r.id
    limit p_limit
  loop
    perform ops.compute_run_score(v_run);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- functions/start_phase.sql
-- Begins a try at a phase and returns its number, from 1. A repeat is known by its event id.
create or replace function ops.start_phase(
  p_run_id uuid, p_lease_token bigint, p_phase text, p_input_fingerprint text, p_event_id uuid default null
) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_attempt int;
begin
  perform private.owned(p_run_id, p_lease_token);
  if p_event_id is not null
     and exists (select from ops.run_events where run_id = p_run_id and event_id = p_event_id) then
    select attempt into v_attempt from ops.run_phases where run_id = p_run_id and name = p_phase;
    return v_attempt;
  end if;
  perform private.require_metered_caps(p_run_id);
  update ops.run_phases
  set status = 'running', attempt = attempt + 1, started_at = pg_catalog.clock_timestamp(), finished_at = null,
    input_fingerprint = p_input_fingerprint, output_fingerprint = null, error_code = null, error_message = null,
    error_data = null
  where run_id = p_run_id and name = p_phase
  returning attempt into v_attempt;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'run %s has no phase %L; its phases are fixed when it is created', p_run_id, p_phase);
  end if;
  update ops.run_leases set phase = p_phase, progress = null where run_id = p_run_id;
  perform private.emit(
    p_run_id, 'PHASE_STARTED', p_phase, '', pg_catalog.jsonb_build_object('attempt', v_attempt), 'info', p_event_id);
  return v_attempt;
end
$$;

-- functions/start_run.sql
-- claimed → running.
create or replace function ops.start_run(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_status text;
begin
  if not private.take_run(p_run_id, p_lease_token, '{}') then
    return;
  end if;
  select status into v_status from ops.runs where id = p_run_id;
  if v_status = 'running' then
    return;
  end if;
  update ops.runs
  set status = 'running', started_at = coalesce(started_at, pg_catalog.clock_timestamp())
  where id = p_run_id;
  perform private.emit(p_run_id, 'RUN_STARTED');
end
$$;

-- functions/verify_event_chain.sql
-- Recomputes the run's hash chain, its gapless numbering and its head. Where ops.prune has forgotten the beginning, from the
-- last forgotten event on; `events` counts those that are still there.
create or replace function ops.verify_event_chain(p_run_id uuid)
returns table (ok boolean, events bigint, first_bad_seq bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_run record;
  v_lease record;
  v_event ops.run_events;
  v_seq bigint;
  v_hash bytea;
begin
  select project_id, env, event_seq, event_hash into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  select event_seq, event_hash into v_lease from ops.run_leases where run_id = p_run_id;
  if found then
    v_run.event_seq := v_lease.event_seq;
    v_run.event_hash := v_lease.event_hash;
  end if;
  select seq, hash into v_seq, v_hash from private.pruned_events where run_id = p_run_id;
  v_seq := coalesce(v_seq, 0);
  v_hash := coalesce(v_hash, '\x');
  events := 0;
  for v_event in select * from ops.run_events where run_id = p_run_id and seq > v_seq order by seq loop
    v_hash := private.event_hash(
      v_hash, v_event.run_id, v_event.seq, v_event.ts, v_event.type, v_event.phase, v_event.level, v_event.message,
      v_event.data, v_event.lease_token, v_event.event_id);
    if v_event.seq <> v_seq + 1 or v_event.hash <> v_hash then
      ok := false;
      first_bad_seq := v_seq + 1;
      return next;
      return;
    end if;
    v_seq := v_event.seq;
    events := events + 1;
  end loop;
  ok := v_seq = v_run.event_seq and v_hash = v_run.event_hash;
  if not ok then
    first_bad_seq := v_seq + 1;
  end if;
  return next;
end
$$;

-- policies/tables/00_foundation.sql
-- Who sees what. Each condition is one InitPlan: a helper called per row took 18 s where this takes 0.2 s.

do $$
declare
  v_table text;
  v_project constant text := 'project_id = any (array(select private.my_projects()))';
  -- Facts about the installation: for whoever belongs to some org of it.
  v_anyone constant text := '(select exists (select from private.my_orgs()))';
  v_env constant text := ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  -- The parent comes before its partitions: a partition inherits the parent's row trigger and must not get a second.
  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p')
    order by c.relispartition, c.relname
  loop
    perform private.protect_table(v_table);
  end loop;

  grant select, insert, update, delete on all tables in schema ops to service_role;

  perform
    private.let_people_read('orgs', 'id = any (array(select private.my_orgs()))'),
    private.let_people_read('projects', 'id = any (array(select private.my_projects()))'),
    private.let_people_read('memberships',
      '(subject = (select private.subject()) and org_id = any (array(select private.my_orgs()))) or project_id = any (array(select private.my_projects(''admin''))) '
      'or org_id = any (array(select private.my_orgs(''admin'')))'),
    -- What was done is for those to see who answer for it.
    private.let_people_read('audit_log',
      '((subject = (select private.signed_in()) and (org_id is null or org_id = any (array(select private.my_orgs())))) '
      'or project_id = any (array(select private.my_projects(''admin''))) '
      'or org_id = any (array(select private.my_orgs(''admin'')))) '
      'and (env is null or project_id::text || ''/'' || env not in (select private.my_hidden_envs()))'),
    private.let_people_read('access_tokens',
      'subject = (select private.signed_in()) or id = (select t.id from private.presented_token() as t)'),
    private.let_people_read('grants',
      '(project_id = any (array(select private.my_projects())) '
      'or reader_id = any (array(select private.my_projects()))) '
      'and ((select not exists (select from private.my_hidden_envs())) '
      'or exists (select from ops.datasets d where d.id = dataset_id))'),
    private.let_people_read('secret_grants', 'project_id = any (array(select private.my_projects(''editor'')))'),
    private.let_people_read('promotions', v_project || v_env),
    private.let_people_read('pipelines', v_project),
    private.let_people_read('executors', v_anyone),
    private.let_people_read('runs', v_project || v_env),
    private.let_people_read('queue_turns', v_project),
    private.let_people_read('caps',
      'org_id = any (array(select private.my_orgs())) '
      'and (project_id is null or project_id = any (array(select private.my_projects())))'),
    private.let_people_read('capabilities', v_anyone),
    private.let_people_read('routing_matrix', v_anyone),
    private.let_people_read('signal_weights', v_anyone),
    private.let_people_read('schedules', v_project || v_env),
    private.let_people_read('datasets',
      '(' || v_project || v_env || ') or id = any (array(select private.my_shared_datasets()))');

  -- What hangs on a run or dataset version carries the project but not the environment. The project's array serves the
  -- index; the second half is asked only where the caller's membership hides an environment at all.
  foreach v_table in array array['run_leases', 'run_phases', 'run_events', 'signals', 'run_scores'] loop
    perform private.let_people_read(v_table, v_project ||
      ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))');
  end loop;
  -- What was made with personal data, and says so, is for those who may see that.
  perform private.let_people_read('run_artifacts', v_project ||
    ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))'
    ' and (meta -> ''personal'' is distinct from ''true'' or exists (select from ops.runs r where r.id = run_id'
    ' and r.project_id::text || ''/'' || r.env in (select private.my_scopes(''editor''))))');
  foreach v_table in array array['cap_usage', 'notifications'] loop
    perform private.let_people_read(v_table, v_project ||
      ' and (run_id is null or (select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.runs r where r.id = run_id))');
  end loop;
  perform
    private.let_people_read('dataset_versions', '(' || v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.datasets d where d.id = dataset_id)))'
      ' or dataset_id = any (array(select private.my_shared_datasets()))'),
    private.let_people_read('lineage_edges', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.dataset_versions v where v.id = output_id))');

  -- Partitions are reached through their parent only.
  for v_table in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'ops'::regnamespace and c.relispartition and c.relkind = 'r'
  loop
    execute pg_catalog.format('revoke all on ops.%I from service_role, authenticated, anon', v_table);
  end loop;
end
$$;

do $$
declare
  v_table text;
begin
  perform private.make_append_only('run_events'), private.make_append_only('run_artifacts'),
    private.make_append_only('audit_log'), private.make_append_only('promotions');

  foreach v_table in array array[
    'orgs', 'projects', 'memberships', 'access_tokens', 'grants', 'secret_grants', 'promotions', 'caps', 'routing_matrix',
    'schedules', 'signal_weights'
  ] loop
    perform private.audit_table(v_table);
  end loop;
  perform private.audit_table('pipelines', 'spec');
end
$$;

-- Nobody reads the hashes but the definer functions of their owner.
do $$
begin
  alter table private.access_token_hashes enable row level security;
  alter table private.access_token_hashes force row level security;
  drop policy if exists owner_all on private.access_token_hashes;
  execute pg_catalog.format(
    'create policy owner_all on private.access_token_hashes for all to %I using (true) with check (true)', current_user);
end
$$;

create or replace trigger terminal_runs_never_change
  before update on ops.runs
  for each row when (old.status in ('succeeded', 'failed', 'canceled'))
  execute function private.refuse_terminal_change();

select ops.ensure_event_partitions();

-- policies/tables/10_caps.sql
-- Limits are seen by whoever they hold back; what runs hold and use, by whoever sees the run.

do $$
declare
  v_table text;
  v_scope constant text := 'org_id = any (array(select private.my_orgs())) '
    'and (project_id is null or project_id = any (array(select private.my_projects())))';
  v_run constant text := 'project_id = any (array(select private.my_projects()))'
    ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))';
begin
  perform
    private.let_people_read('pools', v_scope),
    private.let_people_read('prices', 'org_id = any (array(select private.my_orgs()))'),
    private.let_people_read('pool_uses', v_run),
    private.let_people_read('phase_usage', v_run),
    private.audit_table('pools'), private.audit_table('prices');

  -- Nobody reads these but the definer functions of their owner.
  foreach v_table in array array['cap_windows', 'projects_served'] loop
    execute pg_catalog.format('alter table private.%I enable row level security', v_table);
    execute pg_catalog.format('alter table private.%I force row level security', v_table);
    execute pg_catalog.format('drop policy if exists owner_all on private.%I', v_table);
    execute pg_catalog.format(
      'create policy owner_all on private.%I for all to %I using (true) with check (true)', v_table, current_user);
  end loop;
end
$$;

create or replace trigger count_usage
  after insert or delete or update of cap_id, amount, used_at on ops.cap_usage
  for each row execute function private.count_cap_usage();

-- policies/tables/10_schedules.sql
-- Ledger and freshness are seen by whoever sees the environment. What the steward moves on in a schedule is no change of it.

do $$
declare
  v_table text;
  v_scope constant text := 'project_id = any (array(select private.my_projects()))'
    ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  foreach v_table in array array['schedule_ticks', 'freshness_rules', 'freshness', 'freshness_breaches'] loop
    perform private.let_people_read(v_table, v_scope);
  end loop;
  perform private.audit_table('schedules', 'next_at', 'due_at', 'last_tick', 'open_runs', 'anchored_at', 'revision'),
    private.audit_table('freshness_rules');

  alter table private.webhook_keys enable row level security;
  alter table private.webhook_keys force row level security;
  drop policy if exists owner_all on private.webhook_keys;
  execute pg_catalog.format(
    'create policy owner_all on private.webhook_keys for all to %I using (true) with check (true)', current_user);
end
$$;

-- policies/tables/11_signals.sql
do $$
begin
  perform private.let_people_read('score_gates',
    'project_id = any (array(select private.my_projects())) '
    'and project_id::text || ''/'' || env not in (select private.my_hidden_envs())'),
    private.audit_table('score_gates');
end
$$;

-- policies/tables/12_alerts.sql
do $$
declare
  v_env constant text := ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
  v_any_env constant text := ' and (env is null or ('
    'project_id::text || ''/'' || env not in (select private.my_hidden_envs())))';
begin
  perform
    private.let_people_read('alerts', 'project_id = any (array(select private.my_projects()))' || v_env),
    private.let_people_read('silences', 'project_id = any (array(select private.my_projects()))' || v_any_env),
    private.let_people_read('alert_rules', 'project_id = any (array(select private.my_projects()))' || v_any_env),
    private.let_people_read('channels', '(select exists (select from private.my_orgs()))'),
    private.let_people_read('notifications',
      'project_id = any (array(select private.my_projects()))'
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or (run_id is null and alert_id is null)'
      ' or exists (select from ops.runs r where r.id = run_id)'
      ' or exists (select from ops.alerts a where a.id = alert_id))'),
    private.audit_table('silences'), private.audit_table('channels');
end
$$;

create or replace trigger watch_new_project
  after insert on ops.projects
  for each row execute function private.watch_new_project();

-- What every project begins with is nobody's act.
create or replace trigger audit
  after update or delete on ops.alert_rules
  for each row execute function private.audit_change();
create or replace trigger audit_made
  after insert on ops.alert_rules
  for each row when (not new.built_in)
  execute function private.audit_change();

-- policies/tables/13_backfills.sql
-- A backfill is seen by whoever sees its environment. Chunks are the steward's to move; what people do is done to the backfill.
do $$
declare
  v_table text;
  v_scope constant text := 'project_id = any (array(select private.my_projects()))'
    ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  foreach v_table in array array['backfills', 'backfill_chunks'] loop
    perform private.let_people_read(v_table, v_scope);
  end loop;
  perform private.audit_table('backfills');
end
$$;

-- policies/tables/50_catalog.sql
do $$
declare
  v_table text;
  v_project constant text := 'project_id = any (array(select private.my_projects()))';
  v_dataset constant text := ' and ((select not exists (select from private.my_hidden_envs()))'
    ' or exists (select from ops.datasets d where d.id = dataset_id))';
begin
  foreach v_table in array array['column_maps', 'dataset_notes', 'dataset_columns'] loop
    perform private.let_people_read(v_table, v_project || v_dataset);
  end loop;
  perform
    private.let_people_read('column_edges', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.column_maps m where m.id = map_id))'),
    private.let_people_read('lineage_sent', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))');
  -- What is said of columns is audited where it is said: suspicions come and go by themselves.
  perform private.audit_table('dataset_notes');
end
$$;

-- policies/tables/50_watching.sql
-- Totals of a project are read by its members. They are of all environments together: who may not see one of them sees none.
do $$
begin
  perform
    private.let_people_read('run_totals',
      'project_id = any (array(select private.my_projects())) and (select not exists (select from private.my_hidden_envs()))'),
    private.let_people_read('phase_totals',
      'project_id = any (array(select private.my_projects())) and (select not exists (select from private.my_hidden_envs()))');
end
$$;

-- policies/tables/54_superset.sql
-- What stands in Superset is seen by whoever sees the environment.
do $$
begin
  perform
    private.let_people_read('bi_objects',
      '(project_id || ''/'' || env) = any (array(select private.my_scopes()))'),
    private.audit_table('bi_objects');
end
$$;

-- policies/tables/56_refresh.sql
-- Refreshes are seen by whoever sees their environment; each act on one is audited where it is done.
do $$
begin
  perform
    private.let_people_read('refreshes',
      'project_id = any (array(select private.my_projects()))'
      ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())'),
    private.let_people_read('refresh_tables',
      'project_id = any (array(select private.my_projects()))'
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.refreshes f where f.id = refresh_id))');
end
$$;

-- policies/tables/57_warehouse.sql
-- Questions and answers are seen by whoever sees their environment; what an answer holds is an artifact's to keep.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['queries', 'query_answers'] loop
    perform private.let_people_read(v_table,
      'project_id = any (array(select private.my_projects()))'
      ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())');
  end loop;
  perform private.make_append_only('queries');
end
$$;

-- policies/tables/59_bi_wishes.sql
-- What waits for Superset is seen by whoever sees the environment.
do $$
begin
  perform private.let_people_read('bi_wishes', '(project_id || ''/'' || env) = any (array(select private.my_scopes()))');
end
$$;

-- policies/permissions/00_foundation.sql
-- Who may call what, role by role. Postgres lets PUBLIC execute every new function, and default privileges of a schema
-- cannot take that back: it is taken here, whole, before anything is given.

do $$
declare
  v_schema text;
begin
  -- Nobody needs temporary tables, types or functions here; see functions/00_private_search_path.sql.
  execute pg_catalog.format('revoke temporary on database %I from public', pg_catalog.current_database());
  foreach v_schema in array array['ops', 'private', 'api'] loop
    execute pg_catalog.format(
      'revoke execute on all functions in schema %I from public, anon, authenticated, service_role, controlroom_executor, '
      'controlroom_bi, controlroom_login, controlroom_token', v_schema);
  end loop;
end
$$;

-- What one session can do to others, or see of them: locks that our functions take by number, ends of sessions, their queries. Where
-- the server is somebody else's (Supabase) these are not ours to take; docs/security.md says what that leaves open.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure
    from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace
      and (p.proname ~ '^pg_(try_)?advisory_'
        or p.proname in ('pg_terminate_backend', 'pg_cancel_backend', 'pg_stat_get_activity', 'pg_stat_get_backend_activity'))
      and (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user)
  loop
    execute pg_catalog.format('revoke execute on function %s from public', v_function);
  end loop;
end
$$;

grant execute on function
  private.subject(), private.my_projects(text), private.my_scopes(text), private.my_hidden_envs(),
  private.role_rank(text), private.my_orgs(text), private.is_installation_admin(), private.my_shared_datasets(), private.my_memberships(),
  private.presented_token(), private.signed_in()
to authenticated, service_role;

-- The functions of schema api run as their callers and say errors in HTTP's words.
grant usage on schema private to controlroom_executor;
grant execute on function private.raise_http(text, text, text, text)
to authenticated, service_role, controlroom_executor;

-- The default of ids, for the back end's own inserts.
grant execute on function private.new_id() to service_role;

-- An executor speaks these and nothing else.
grant execute on function
  ops.register_executor(uuid, text, text[], jsonb, int, text, text),
  ops.executor_seen(uuid, text),
  ops.claim_run(uuid, text[], float8, int, boolean),
  ops.start_run(uuid, bigint),
  ops.heartbeat_run(uuid, bigint, text, jsonb, jsonb),
  ops.heartbeat_runs(uuid, uuid[], bigint[], float8, jsonb),
  ops.pin_inputs(uuid, bigint, jsonb),
  ops.start_phase(uuid, bigint, text, text, uuid),
  ops.finish_phase(uuid, bigint, text, text, jsonb),
  ops.append_events(uuid, bigint, jsonb),
  ops.register_artifact(uuid, bigint, text, text, text, text, bigint, text, text, jsonb),
  ops.hold_run(uuid, bigint),
  ops.record_dataset(uuid, bigint, text, jsonb),
  ops.record_signal(uuid, bigint, text, float8, jsonb),
  ops.complete_run(uuid, bigint, jsonb),
  ops.fail_run(uuid, bigint, text, text, jsonb, boolean),
  ops.release_run(uuid, bigint),
  ops.release_canceled_run(uuid, bigint, text),
  ops.compute_run_score(uuid),
  ops.cap_allow(text, numeric, text),
  ops.shared_dataset(uuid, bigint, text, text, text, text),
  ops.run_secrets(uuid, bigint),
  ops.released_versions(uuid, bigint, text[]),
  ops.is_draining(uuid)
to controlroom_executor, service_role;

-- The back end and the steward.
grant execute on function
  ops.ensure_project(text, text), ops.create_org(text), ops.requeue_stale_runs(float8),
  ops.mark_lost_executors(float8), ops.score_ended_runs(int, interval), ops.ensure_event_partitions(), ops.prune(interval),
  ops.allow_secret(uuid, text, text[]), ops.disallow_secret(uuid, text)
to service_role;

-- People: each checks the caller's membership itself.
grant execute on function
  ops.register_pipeline(uuid, text, jsonb, text, text),
  ops.create_run(
    uuid, text, text, jsonb, text, text, jsonb, jsonb, text, int, text, int, float8, timestamptz, uuid, jsonb, jsonb),
  ops.cancel_run(uuid, text),
  ops.retry_run(uuid, text, boolean),
  ops.revoke_lease(uuid),
  ops.drain_executor(uuid),
  ops.verify_event_chain(uuid),
  ops.create_project(text, text),
  ops.set_member(text, text, text, text, text[]),
  ops.remove_member(text, text, text),
  ops.create_access_token(text, text, uuid, text[], interval, text),
  ops.revoke_access_token(text, text),
  ops.use_access_token(),
  ops.share_dataset(uuid, uuid),
  ops.unshare_dataset(uuid, uuid),
  ops.promote_pipeline(uuid, text, int, text, text),
  ops.find_runs(jsonb, int, timestamptz, uuid)
to authenticated, service_role;

-- Accounts, as their administrator has them.
grant execute on function
  ops.add_account(text), ops.disable_account(text, boolean), ops.add_sign_in_link(text, bytea, interval),
  ops.set_password(text, bytea, int[], bytea), ops.list_accounts()
to service_role;

-- The door to them: asked before anybody is somebody, and by nobody who already is.
grant execute on function
  ops.sign_in_challenge(text, text, int[]), ops.sign_in(text, bytea, bytea, interval, text, text),
  ops.link_subject(bytea), ops.use_sign_in_link(bytea, bytea, int[], bytea, bytea, interval, text, text),
  ops.session_subject(bytea), ops.login_holds(bytea, text, timestamptz, text, text), ops.sign_out(bytea)
to controlroom_login;

-- policies/permissions/10_caps.sql
-- People: each checks the caller's membership itself.
grant execute on function
  ops.set_cap(text, text, text, text, numeric, text, text), ops.remove_cap(text, text), ops.cap_report(),
  ops.set_pool(text, text, text, int), ops.remove_pool(text, text, text),
  ops.set_price(text, text, numeric, text, timestamptz),
  ops.why_waiting(uuid)
to authenticated, service_role;

-- policies/permissions/10_schedules.sql
grant execute on function
  ops.put_schedule(uuid, text, text, jsonb),
  ops.pause_schedule(uuid, text),
  ops.resume_schedule(uuid, boolean),
  ops.remove_schedule(uuid),
  ops.fire_schedule(uuid, text),
  ops.create_webhook_secret(uuid),
  ops.put_freshness_rule(uuid, text, text, float8, float8, text),
  ops.remove_freshness_rule(uuid, text, text)
to authenticated, service_role;

grant execute on function
  ops.due_schedules(int), ops.decide_clocks(jsonb), ops.pending_schedules(int), ops.decide_events(uuid),
  ops.prune_ticks(interval), ops.unread_clocks(int), ops.record_event_time(uuid, timestamptz), ops.check_freshness()
to service_role;

-- The door: a signature stands for whoever sends it.
grant execute on function ops.receive_webhook(uuid, text, bigint, text, bytea) to controlroom_login;

-- policies/permissions/11_signals.sql
grant execute on function
  ops.what_if_score(uuid, jsonb),
  ops.set_signal_weight(text, float8, float8, float8),
  ops.set_score_gate(uuid, text, text, numeric)
to authenticated, service_role;

-- policies/permissions/12_alerts.sql
grant execute on function
  ops.acknowledge_alert(uuid),
  ops.silence_alerts(uuid, text, timestamptz, text, timestamptz, text, text, text),
  ops.end_silence(uuid),
  ops.put_alert_rule(uuid, text, jsonb),
  ops.remove_alert_rule(uuid, text),
  ops.put_channel(text, text, text, text),
  ops.remove_channel(text),
  ops.test_channel(uuid, text),
  ops.put_route(text, jsonb)
to authenticated, service_role;

grant execute on function
  ops.judge_standing(), ops.escalate_alerts(), ops.claim_messages(float8), ops.message_delivered(uuid),
  ops.message_refused(uuid, int, text)
to service_role;

-- policies/permissions/13_backfills.sql
-- People: each checks the caller's membership itself.
grant execute on function
  ops.start_backfill(uuid, text, jsonb, text, boolean),
  ops.pause_backfill(uuid, text),
  ops.resume_backfill(uuid),
  ops.cancel_backfill(uuid, text),
  ops.replay_run(uuid),
  ops.preview_rerun(uuid, text, text)
to authenticated, service_role;

grant execute on function ops.advance_backfills(int) to service_role;

-- policies/permissions/50_catalog.sql
-- People: each checks the caller's membership itself.
grant execute on function
  ops.note_dataset(uuid, text, text[], text[]), ops.note_column(uuid, text, text, text[], text),
  ops.masked_columns(uuid, text, text[])
to authenticated, service_role;

-- The steward's: it tells of every run of the installation.
grant execute on function
  ops.enroll_lineage(), ops.due_lineage(int), ops.lineage_told(uuid, bigint, boolean), 
  ops.lineage_refused(uuid, text, boolean)
to service_role;

-- policies/permissions/50_watching.sql
-- Who may watch: the totals are read by scrapes of the back end, a run's trace by its owner.
grant execute on function private.presented_traceparent() to service_role;

grant execute on function ops.run_traceparent(uuid, bigint) to controlroom_executor, service_role;

grant execute on function
  ops.metrics(int), ops.steward_round(), ops.record_evidence(text, text, boolean, jsonb), ops.probes_due(int, text[])
to service_role;

-- policies/permissions/54_superset.sql
-- People: each checks the caller's membership itself.
grant execute on function ops.record_bi_objects(uuid, text, jsonb) to authenticated, service_role;

-- policies/permissions/55_check_results.sql
-- People: it checks the caller's membership itself.
grant execute on function ops.check_results(uuid) to authenticated, service_role;

-- policies/permissions/55_publications.sql
-- People: it checks the caller's membership itself.
grant execute on function ops.note_rollback(uuid, text, text, jsonb, jsonb, text) to authenticated, service_role;

-- policies/permissions/56_refresh.sql
-- What an executor asks while it holds a run.
grant execute on function ops.build_on(uuid, bigint, text) to controlroom_executor, service_role;

-- People: each checks the caller's membership itself.
grant execute on function
  ops.start_refresh(uuid, text, text, jsonb, text, text, jsonb, jsonb, int, float8, jsonb, text),
  ops.swap_refresh(uuid, text),
  ops.roll_back_refresh(uuid, boolean, text)
to authenticated, service_role;

-- policies/permissions/57_parts.sql
-- People: whether a steward is at work is everybody's to know who waits for a run.
grant execute on function ops.steward_seen() to authenticated, service_role;

-- policies/permissions/57_warehouse.sql
-- People: each checks the caller's membership itself.
grant execute on function
  ops.submit_query(text, text, text, text, jsonb, text, text),
  ops.find_queries(jsonb, int, timestamptz, uuid)
to authenticated, service_role;

-- What an executor asks while it holds a run.
grant execute on function
  ops.named_versions(uuid, bigint, text[]),
  ops.personal_columns(uuid, bigint, text[]),
  ops.known_answer(uuid, bigint, text)
to controlroom_executor, service_role;

-- policies/permissions/58_saved_answers.sql
-- People: it checks the caller's membership itself.
grant execute on function ops.save_answer(uuid, text) to authenticated, service_role;

-- policies/permissions/59_bi_wishes.sql
-- Whoever publishes for everybody.
grant execute on function
  ops.due_bi_wishes(int), ops.bi_wish_granted(uuid, text, timestamptz),
  ops.bi_wish_refused(uuid, text, timestamptz, text)
to service_role;

-- api/10_clear.sql
-- Schema api is what PostgREST shows: the RPCs of ops under their own names and arguments, for the same callers, and views.

-- From nothing each time: an argument that ops no longer takes must not live on as an overload.
do $$
declare
  v_function record;
begin
  for v_function in
    select p.oid::regprocedure as signature
    from pg_catalog.pg_proc p
    where p.pronamespace = 'api'::regnamespace
      -- What others have put there through an extension is theirs.
      and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
  loop
    execute pg_catalog.format('drop function %s', v_function.signature);
  end loop;
end
$$;

-- api/20_functions.sql
-- What may be called over HTTP, with the words of the OpenAPI document. Left out is what means nothing there: ops.hold_run
-- holds a lock for as long as its transaction, and over HTTP each call is one. The steward's work stays where the steward is.

-- An executor's life.
select
  private.expose('register_executor',
    'Announces an executor: a new id at every boot, its name, capabilities and slots. A repeat replaces what was said.'),
  private.expose('executor_seen', 'Says that an executor lives, and whether it is active, draining or lost.'),
  private.expose('is_draining',
    'Whether an executor was asked to drain: it is given no further run, ends what it is at and gives back the rest.'),
  private.expose('claim_run',
    'Takes up to p_max_runs runs, each under a new lease token. No row: nothing to do, or asked to drain; ask again. A run is given only to who has '
    'all capabilities that it needs; p_dedicated leaves alone runs that need none. A claim whose answer was lost is not '
    'repeated: its lease ends by itself.'),
  private.expose('start_run', 'claimed → running. A repeat changes nothing.'),
  private.expose('heartbeat_run',
    'Renews one lease for as long as it was claimed for. cancel_requested asks the owner to stop and to call '
    'release_canceled_run. LEASE_LOST: stop at once, write nothing. p_usage says what each try at work has used so far: '
    '[{run_id, phase, attempt, seconds, cpu_seconds, peak_memory_bytes, read_bytes, written_bytes}]. cap_exceeded: stop the work by '
    'force, finish_phase as failed and fail_run with CAP_EXCEEDED.'),
  private.expose('heartbeat_runs',
    'Renews all leases of an executor. held = false: that lease is lost, stop that run at once. p_usage and cap_exceeded '
    'as for heartbeat_run.'),
  private.expose('pin_inputs', 'Pins what the run reads, once; returns what is pinned, which may be an earlier owner''s.'),
  private.expose('start_phase',
    'Begins a try at a phase and returns its number, from 1. With p_event_id a repeat of the call is the same try.'),
  private.expose('append_events',
    'Appends PHASE_PROGRESS events [{type, phase, message, data, level, event_id}]; a known event_id is left out.'),
  private.expose('register_artifact',
    'Registers stored bytes by their sha256. The same bytes under the same name are the same artifact, others a CONFLICT.'),
  private.expose('record_dataset', 'Registers a commit to a table of the lake, with what it was made from.'),
  private.expose('record_signal', 'Records one number that the run says about itself; the last one counts.'),
  private.expose('finish_phase',
    'Ends a try at a phase: succeeded, failed, skipped or canceled. p_result may name rows_in, rows_out, byte_size, '
    'output_fingerprint, metrics, error_code, error_message, error_data, and as usage what the try has used in all.'),
  private.expose('complete_run', 'running → succeeded, once every phase has succeeded or was skipped. A repeat changes nothing.'),
  private.expose('fail_run',
    'Gives up on this attempt. p_retryable and attempts left: queued again after a pause, else failed. Returns the status.'),
  private.expose('release_run', 'Gives the run back at once, and the attempt with it: what an executor does that is told to end.'),
  private.expose('release_canceled_run', 'Honours a cancel request: the run ends as canceled.'),
  private.expose('compute_run_score', 'The score of an ended run, 0 to 100.'),
  private.expose('cap_allow',
    'Charges a cap if the amount still fits, and says whether it did. p_org may be left out where only one org has a cap of that name.'),
  private.expose('run_secrets', 'The secret references that the run may resolve.'),
  private.expose('shared_dataset', 'The version of another project''s table, where it was shared with the run''s; else NOT_ALLOWED.'),
  private.expose('released_versions', 'The version that readers get of each of these tables, null where none is released yet.');

-- People's.
select
  private.expose('register_pipeline', 'Registers a spec and returns its version; the same content is the same version.'),
  private.expose('create_run',
    'Queues a run and returns its id. The same p_idempotency_key with the same content is the same run, other content a CONFLICT.'),
  private.expose('cancel_run',
    'Queued: canceled at once. Owned: the owner is asked to stop at its next heartbeat. Returns the status or cancel_requested.'),
  private.expose('retry_run',
    'A new run of an ended one: same definition, same inputs; phases that succeeded stay done, but not p_from_phase and what '
    'depends on it. p_latest: the definition and the inputs of now.'),
  private.expose('replay_run', 'A new run of the same definition on the same inputs, all phases.'),
  private.expose('preview_rerun', 'What a retry (p_way retry or latest) or replay would carry out, phase by phase.'),
  private.expose('start_backfill',
    'Orders a backfill of a range or list of partitions; p_dry_run only says what it would be. Returns id, chunks and estimate.'),
  private.expose('pause_backfill', 'Makes no further runs of a backfill until it is resumed. Returns its state.'),
  private.expose('resume_backfill', 'Goes on with a paused backfill; of one that failed, tries failed chunks again. Returns its state.'),
  private.expose('cancel_backfill', 'Ends a backfill and cancels its open runs. Returns its state.'),
  private.expose('drain_executor',
    'Asks an executor to take no further run and to end. It is the installation''s: for admins of every org. False: that was asked '
    'before.'),
  private.expose('revoke_lease', 'Takes an owned run away from its executor and queues it again. Returns the status.'),
  private.expose('why_waiting', 'What a queued run waits for, in one row: the reason, in words, until when, and facts.'),
  private.expose('cap_report', 'The caps that you may know of: what is used, when it begins anew, when it is used up if it goes on so.'),
  private.expose('submit_query',
    'Queues a question in SQL as a run of its own and returns its id. A repeat of the caller''s p_idempotency_key is the same run.'),
  private.expose('find_queries', 'The questions that a filter leaves, newest first.'),
  private.expose('find_runs', 'Ids of the runs that a filter leaves, newest first.'),
  private.expose('verify_event_chain', 'Recomputes the hash chain of a run''s events.');

-- PostgREST keeps the schema in mind until it is told.
notify pgrst, 'reload schema';

-- api/30_views.sql
-- What people read over HTTP. Each view asks as its caller, so that the policies of the tables below decide; columns are named,
-- so that a column of a table is shown because someone meant it. Dropped first: a view's columns cannot be replaced by fewer.

drop view if exists api.projects, api.executors, api.runs, api.run_leases, api.run_phases, api.run_events, api.run_artifacts,
  api.run_scores, api.signals, api.datasets, api.dataset_versions, api.lineage_edges, api.pipelines;

create view api.projects with (security_invoker = true) as
  select p.id, o.slug as org, p.slug as project, p.created_at
  from ops.projects p join ops.orgs o on o.id = p.org_id;

create view api.executors with (security_invoker = true) as
  select id, name, capabilities, labels, slots, version, state, registered_at, last_seen, drain_asked_at from ops.executors;

create view api.pipelines with (security_invoker = true) as
  select id, project_id, slug, version, spec, sha256, git_sha, created_at from ops.pipelines;

create view api.runs with (security_invoker = true) as
  select id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, params, input_manifest,
    output_manifest, status, phase, priority, available_at, capabilities, attempt, max_attempts, lost_leases,
    max_lost_leases, timeout_seconds, idempotency_key, trigger, parent_run, error_code, error_message, error_data, tags,
    executor_id, created_at, claimed_at, started_at, finished_at
  from ops.runs;

-- Without the token: who reads a run must not be able to speak for its owner.
create view api.run_leases with (security_invoker = true) as
  select run_id, project_id, executor_id, lease_seconds, expires_at, cancel_requested, phase, progress
  from ops.run_leases;

create view api.run_phases with (security_invoker = true) as
  select run_id, ordinal, project_id, name, kind, depends_on, status, attempt, started_at, finished_at, rows_in, rows_out,
    byte_size, input_fingerprint, output_fingerprint, metrics, error_code, error_message, error_data
  from ops.run_phases;

create view api.run_events with (security_invoker = true) as
  select run_id, seq, ts, project_id, type, phase, level, message, data, event_id from ops.run_events;

create view api.run_artifacts with (security_invoker = true) as
  select id, run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri, meta, created_at
  from ops.run_artifacts;

create view api.run_scores with (security_invoker = true) as
  select run_id, project_id, score, breakdown, computed_at from ops.run_scores;

create view api.signals with (security_invoker = true) as
  select run_id, signal, project_id, value, data, recorded_at from ops.signals;

create view api.datasets with (security_invoker = true) as
  select id, project_id, env, layer, name, version, columns, fingerprint, total_rows, updated_at from ops.datasets;

create view api.dataset_versions with (security_invoker = true) as
  select id, dataset_id, project_id, version, run_id, phase, mode, rows, total_rows, byte_size, fingerprint, columns, adopted,
    recorded_at
  from ops.dataset_versions;

create view api.lineage_edges with (security_invoker = true) as
  select output_id, project_id, input_table, input_version, input_fingerprint from ops.lineage_edges;

-- To read, and no more: most of these views could be written through.
grant select on all tables in schema api to authenticated;

notify pgrst, 'reload schema';

-- api/40_door.sql
-- Who stands at the door. PostgREST logs in as a role of its own and becomes what a verified token says: a person, or an
-- executor. It is not the dashboard's login: that one serves people only, and whoever takes it over must not become an executor
-- and claim every project's runs. Neither may become service_role.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'controlroom_http') then
    -- Without a password nobody logs in; whoever runs PostgREST sets one.
    create role controlroom_http login noinherit;
  end if;
exception
  -- Roles belong to the whole server: another database's installer may have been a moment earlier with this one.
  when duplicate_object or unique_violation then null;
end
$$;

do $$
declare
  v_role text;
  v_missing text;
begin
  -- On Supabase the door has another name and is there already, and may become people; what it has is not asked for again.
  for v_role, v_missing in
    select d.rolname, r.rolname
    from pg_catalog.pg_roles d cross join pg_catalog.pg_roles r
    where d.rolname in ('controlroom_http', 'authenticator') and r.rolname in ('anon', 'authenticated', 'controlroom_executor')
      and not exists (select from pg_catalog.pg_auth_members m where m.member = d.oid and m.roleid = r.oid)
  loop
    begin
      execute pg_catalog.format('grant %I to %I', v_missing, v_role);
    exception
      -- Another database's installer gives the same at this moment ("tuple concurrently updated" has no code of its own).
      when unique_violation or internal_error then null;
    end;
  end loop;
end
$$;

-- A stranger finds nothing to call here, and not what there is either.
revoke all on schema api from anon;

-- policies/seed/00_foundation.sql
-- Rows that the schema ships: kept true on every migrate, without overwriting what a team has changed.

select ops.ensure_project('default', 'demo');

insert into ops.signal_weights (signal, weight, direction, half_at, description) values
  ('outcome', 60, 'down', 1, 'The run ended otherwise than succeeded.'),
  ('retries', 15, 'down', 2, 'Attempts beyond the first.'),
  ('lost_leases', 10, 'down', 2, 'Executors lost on the way.'),
  ('failed_checks', 15, 'down', 1, 'Expectations that did not hold but only warned or quarantined.')
on conflict (signal) do nothing;

-- Section B of the backlog: who is asked first, who second, where the work happens.
insert into ops.routing_matrix (area, match, primary_owner, secondary_owner, surface, priority) values
  ('Spec + PRD', '{"area": "spec"}', '@spec-owners', '@platform-owners', 'GitHub PR + Spec Kit gate', 10),
  ('Ops schema + RLS', '{"area": "schema"}', '@data-owners', '@security-owners', 'Supabase migrations + CI', 20),
  ('Executor runtime', '{"area": "executor"}', '@platform-owners', '@data-owners', 'Edge Functions + DO workers', 30),
  ('Pipelines/Medallion', '{"area": "pipelines"}', '@data-owners', '@platform-owners', 'Executor phases', 40),
  ('BI publishing', '{"area": "bi"}', '@product-owners', '@data-owners', 'Superset + views', 50),
  ('Odoo ingestion', '{"area": "odoo"}', '@data-owners', '@platform-owners', 'CDC/ingest phase', 60),
  ('Security + secrets', '{"area": "security"}', '@security-owners', '@platform-owners', 'CI + secret management', 70)
on conflict (area) do nothing;

-- Section C: what we offer beside Databricks. Evidence is written by probes, never here.
insert into ops.capabilities (ordinal, capability, databricks, target, mvp, v1, v2) values
  (1, 'Jobs/Workflows', 'Native', 'Control Room Runs/Phases', 'supported', 'supported', 'supported'),
  (2, 'Pipeline authoring', 'DLT', 'YAML/JSON pipeline specs + dbt optional', 'supported', 'supported', 'supported'),
  (3, 'SQL Warehouse', 'DBSQL', 'Trino / Postgres+FDW', 'supported', 'supported', 'supported'),
  (4, 'Table format', 'Delta', 'Delta-rs or Iceberg', 'supported', 'supported', 'supported'),
  (5, 'Notebooks', 'Native', 'JupyterHub / markdown+SQL', 'not planned', 'planned', 'supported'),
  (6, 'Catalog/Governance', 'Unity', 'OpenMetadata/DataHub + policies', 'not planned', 'planned', 'planned'),
  (7, 'Dashboards', 'Native', 'Superset / Metabase', 'supported', 'supported', 'supported'),
  (8, 'NLQ (Genie)', 'Native', 'WrenAI-style templates + RAG', 'not planned', 'planned', 'planned'),
  (9, 'ML tracking', 'MLflow', 'MLflow OSS', 'not planned', 'planned', 'supported'),
  (10, 'Model serving', 'Native', 'BentoML/KServe', 'not planned', 'planned', 'planned'),
  (11, 'Lineage', 'Native', 'OpenLineage + Metadata', 'not planned', 'planned', 'supported')
on conflict (ordinal) do nothing;

-- policies/seed/11_signals.sql
-- Values of the anomaly signals are robust z-scores: up to free_until is as usual. What is wrong with data costs most.
insert into ops.signal_weights (signal, weight, direction, half_at, free_until, description) values
  ('schema_drift', 30, 'down', 1, 0, 'Columns that came, went or changed their type since the version before.'),
  ('null_rate', 40, 'down', 2, 4, 'The column whose share of nulls is furthest above its own history.'),
  ('row_count_anomaly', 40, 'down', 2, 4, 'The table whose number of rows is furthest from its own history.'),
  ('freshness_lag', 30, 'down', 2, 4, 'The table whose newest data is furthest behind its own history.'),
  ('duration_anomaly', 20, 'down', 2, 4, 'How much longer the run took than runs of its pipeline do.'),
  ('cost_anomaly', 5, 'down', 2, 4, 'How much more processor time the run took than runs of its pipeline do.'),
  ('error_rate', 10, 'down', 0.25, 0.05, 'The share of failed runs among the last twenty of the pipeline.')
on conflict (signal) do nothing;

-- policies/seed/12_alerts.sql
select private.add_default_rules(p.id) from ops.projects p;

