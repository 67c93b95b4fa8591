-- What stands in Superset is seen by whoever sees the environment.
do $$
begin
  perform
    private.let_people_read('bi_objects',
      '(project_id || ''/'' || env) = any (array(select private.my_scopes()))'),
    private.audit_table('bi_objects');
end
$$;
