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
