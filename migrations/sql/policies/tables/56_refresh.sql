-- Refreshes are seen by whoever sees their environment; each act on one is audited where it is done.
do $$
begin
  perform
    private.let_people_read('refreshes',
      'project_id = any (array(select private.my_projects()))'
      ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())'),
    private.let_people_read('refresh_tables',
      'project_id = any (array(select private.my_projects()))'
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.refreshes f where f.id = refresh_id))');
end
$$;
