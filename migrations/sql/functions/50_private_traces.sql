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
