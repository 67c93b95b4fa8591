-- Who sees what. Each condition is one InitPlan: a helper called per row took 18 s where this takes 0.2 s.

do $$
declare
  v_table text;
  v_project constant text := 'project_id = any (array(select private.my_projects()))';
  -- Facts about the installation: for whoever belongs to some org of it.
  v_anyone constant text := '(select exists (select from private.my_orgs()))';
  v_env constant text := ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  -- The parent comes before its partitions: a partition inherits the parent's row trigger and must not get a second.
  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p')
    order by c.relispartition, c.relname
  loop
    perform private.protect_table(v_table);
  end loop;

  grant select, insert, update, delete on all tables in schema ops to service_role;

  perform
    private.let_people_read('orgs', 'id = any (array(select private.my_orgs()))'),
    private.let_people_read('projects', 'id = any (array(select private.my_projects()))'),
    private.let_people_read('memberships',
      '(subject = (select private.subject()) and org_id = any (array(select private.my_orgs()))) or project_id = any (array(select private.my_projects(''admin''))) '
      'or org_id = any (array(select private.my_orgs(''admin'')))'),
    -- What was done is for those to see who answer for it.
    private.let_people_read('audit_log',
      '((subject = (select private.signed_in()) and (org_id is null or org_id = any (array(select private.my_orgs())))) '
      'or project_id = any (array(select private.my_projects(''admin''))) '
      'or org_id = any (array(select private.my_orgs(''admin'')))) '
      'and (env is null or project_id::text || ''/'' || env not in (select private.my_hidden_envs()))'),
    private.let_people_read('access_tokens',
      'subject = (select private.signed_in()) or id = (select t.id from private.presented_token() as t)'),
    private.let_people_read('grants',
      '(project_id = any (array(select private.my_projects())) '
      'or reader_id = any (array(select private.my_projects()))) '
      'and ((select not exists (select from private.my_hidden_envs())) '
      'or exists (select from ops.datasets d where d.id = dataset_id))'),
    private.let_people_read('secret_grants', 'project_id = any (array(select private.my_projects(''editor'')))'),
    private.let_people_read('promotions', v_project || v_env),
    private.let_people_read('pipelines', v_project),
    private.let_people_read('executors', v_anyone),
    private.let_people_read('runs', v_project || v_env),
    private.let_people_read('queue_turns', v_project),
    private.let_people_read('caps',
      'org_id = any (array(select private.my_orgs())) '
      'and (project_id is null or project_id = any (array(select private.my_projects())))'),
    private.let_people_read('capabilities', v_anyone),
    private.let_people_read('routing_matrix', v_anyone),
    private.let_people_read('signal_weights', v_anyone),
    private.let_people_read('schedules', v_project || v_env),
    private.let_people_read('datasets',
      '(' || v_project || v_env || ') or id = any (array(select private.my_shared_datasets()))');

  -- What hangs on a run or dataset version carries the project but not the environment. The project's array serves the
  -- index; the second half is asked only where the caller's membership hides an environment at all.
  foreach v_table in array array['run_leases', 'run_phases', 'run_events', 'signals', 'run_scores'] loop
    perform private.let_people_read(v_table, v_project ||
      ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))');
  end loop;
  -- What was made with personal data, and says so, is for those who may see that.
  perform private.let_people_read('run_artifacts', v_project ||
    ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))'
    ' and (meta -> ''personal'' is distinct from ''true'' or exists (select from ops.runs r where r.id = run_id'
    ' and r.project_id::text || ''/'' || r.env in (select private.my_scopes(''editor''))))');
  foreach v_table in array array['cap_usage', 'notifications'] loop
    perform private.let_people_read(v_table, v_project ||
      ' and (run_id is null or (select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.runs r where r.id = run_id))');
  end loop;
  perform
    private.let_people_read('dataset_versions', '(' || v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.datasets d where d.id = dataset_id)))'
      ' or dataset_id = any (array(select private.my_shared_datasets()))'),
    private.let_people_read('lineage_edges', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.dataset_versions v where v.id = output_id))');

  -- Partitions are reached through their parent only.
  for v_table in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'ops'::regnamespace and c.relispartition and c.relkind = 'r'
  loop
    execute pg_catalog.format('revoke all on ops.%I from service_role, authenticated, anon', v_table);
  end loop;
end
$$;

do $$
declare
  v_table text;
begin
  perform private.make_append_only('run_events'), private.make_append_only('run_artifacts'),
    private.make_append_only('audit_log'), private.make_append_only('promotions');

  foreach v_table in array array[
    'orgs', 'projects', 'memberships', 'access_tokens', 'grants', 'secret_grants', 'promotions', 'caps', 'routing_matrix',
    'schedules', 'signal_weights'
  ] loop
    perform private.audit_table(v_table);
  end loop;
  perform private.audit_table('pipelines', 'spec');
end
$$;

-- Nobody reads the hashes but the definer functions of their owner.
do $$
begin
  alter table private.access_token_hashes enable row level security;
  alter table private.access_token_hashes force row level security;
  drop policy if exists owner_all on private.access_token_hashes;
  execute pg_catalog.format(
    'create policy owner_all on private.access_token_hashes for all to %I using (true) with check (true)', current_user);
end
$$;

create or replace trigger terminal_runs_never_change
  before update on ops.runs
  for each row when (old.status in ('succeeded', 'failed', 'canceled'))
  execute function private.refuse_terminal_change();

select ops.ensure_event_partitions();
