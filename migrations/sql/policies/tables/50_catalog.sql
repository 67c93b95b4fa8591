do $$
declare
  v_table text;
  v_project constant text := 'project_id = any (array(select private.my_projects()))';
  v_dataset constant text := ' and ((select not exists (select from private.my_hidden_envs()))'
    ' or exists (select from ops.datasets d where d.id = dataset_id))';
begin
  foreach v_table in array array['column_maps', 'dataset_notes', 'dataset_columns'] loop
    perform private.let_people_read(v_table, v_project || v_dataset);
  end loop;
  perform
    private.let_people_read('column_edges', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs()))'
      ' or exists (select from ops.column_maps m where m.id = map_id))'),
    private.let_people_read('lineage_sent', v_project ||
      ' and ((select not exists (select from private.my_hidden_envs())) or exists (select from ops.runs r where r.id = run_id))');
  -- What is said of columns is audited where it is said: suspicions come and go by themselves.
  perform private.audit_table('dataset_notes');
end
$$;
