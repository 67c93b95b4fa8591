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
