-- What waits for Superset is seen by whoever sees the environment.
do $$
begin
  perform private.let_people_read('bi_wishes', '(project_id || ''/'' || env) = any (array(select private.my_scopes()))');
end
$$;
