-- Schema api is what PostgREST shows: the RPCs of ops under their own names and arguments, for the same callers, and views.

-- From nothing each time: an argument that ops no longer takes must not live on as an overload.
do $$
declare
  v_function record;
begin
  for v_function in
    select p.oid::regprocedure as signature
    from pg_catalog.pg_proc p
    where p.pronamespace = 'api'::regnamespace
      -- What others have put there through an extension is theirs.
      and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
  loop
    execute pg_catalog.format('drop function %s', v_function.signature);
  end loop;
end
$$;
