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
