-- Totals of a project are read by its members. They are of all environments together: who may not see one of them sees none.
do $$
begin
  perform
    private.let_people_read('run_totals',
      'project_id = any (array(select private.my_projects())) and (select not exists (select from private.my_hidden_envs()))'),
    private.let_people_read('phase_totals',
      'project_id = any (array(select private.my_projects())) and (select not exists (select from private.my_hidden_envs()))');
end
$$;
