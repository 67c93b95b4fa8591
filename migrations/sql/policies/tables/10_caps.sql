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
