-- Where names are looked up. The schema of temporary things is searched first for types and tables wherever it is not named,
-- even with an empty path: whoever may create one could make a type `text` whose check runs as the owner of a function. So each
-- function names it last; these were made in revisions.
alter function private.new_id() set search_path = pg_catalog, pg_temp;

do $$
declare
  v_function text;
begin
  -- Supabase's own are its to set; inside functions of ours they are called with our path.
  foreach v_function in array array['auth.jwt()', 'auth.uid()'] loop
    if exists (
      select from pg_catalog.pg_proc
      where oid = v_function::regprocedure and proowner = (select oid from pg_catalog.pg_roles where rolname = current_user)
    ) then
      execute pg_catalog.format('alter function %s set search_path = pg_catalog, pg_temp', v_function);
    end if;
  end loop;
end
$$;
