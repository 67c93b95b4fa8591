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
