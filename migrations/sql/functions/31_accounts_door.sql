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
