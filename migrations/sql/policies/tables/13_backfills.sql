-- A backfill is seen by whoever sees its environment. Chunks are the steward's to move; what people do is done to the backfill.
do $$
declare
  v_table text;
  v_scope constant text := 'project_id = any (array(select private.my_projects()))'
    ' and project_id::text || ''/'' || env not in (select private.my_hidden_envs())';
begin
  foreach v_table in array array['backfills', 'backfill_chunks'] loop
    perform private.let_people_read(v_table, v_scope);
  end loop;
  perform private.audit_table('backfills');
end
$$;
