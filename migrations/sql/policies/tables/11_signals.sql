do $$
begin
  perform private.let_people_read('score_gates',
    'project_id = any (array(select private.my_projects())) '
    'and project_id::text || ''/'' || env not in (select private.my_hidden_envs())'),
    private.audit_table('score_gates');
end
$$;
