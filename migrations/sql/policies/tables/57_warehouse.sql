-- Questions and answers are seen by whoever sees their environment; what an answer holds is an artifact's to keep.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['queries', 'query_answers'] loop
    perform private.let_people_read(v_table,
      'project_id = any (array(select private.my_projects()))'
      ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())');
  end loop;
  perform private.make_append_only('queries');
end
$$;
