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
