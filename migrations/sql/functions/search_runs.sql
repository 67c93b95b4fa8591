-- Ids of runs with all the words of p_text in pipeline and error, or in the tags; the last word may be a beginning. Newest
-- first. The policy of ops.runs is repeated here by hand (tests/migrations/test_search.py compares the two): a policy's
-- condition goes first, and the operators of text search are not leakproof, so that under it no index could serve them.
create or replace function ops.search_runs(p_text text, p_limit int default 50) returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_query tsquery := (nullif(pg_catalog.plainto_tsquery('simple', p_text)::text, '') || ':*')::tsquery;
  v_projects uuid[];
  v_hidden text[];
begin
  if v_query is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format('%L holds no word to look for', p_text);
  end if;
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_limit is %s; give 1 to 1000', coalesce(p_limit::text, 'null'));
  end if;
  if not private.is_trusted() then
    v_projects := array(select private.my_projects());
    v_hidden := array(select private.my_hidden_envs());
  end if;
  return query
    select r.id
    from ops.runs r
    where (
        pg_catalog.to_tsvector(
          'simple'::regconfig,
          r.pipeline || ' ' || coalesce(r.error_code, '') || ' ' || coalesce(r.error_message, '')) @@ v_query
        or pg_catalog.to_tsvector('simple'::regconfig, r.tags) @@ v_query)
      and (v_projects is null
        or (r.project_id = any (v_projects) and r.project_id::text || '/' || r.env <> all (v_hidden)))
    order by r.created_at desc, r.id desc
    limit p_limit;
end
$$;
