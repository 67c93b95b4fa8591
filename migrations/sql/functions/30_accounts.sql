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
