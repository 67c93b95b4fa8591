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
