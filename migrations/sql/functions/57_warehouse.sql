-- The SQL warehouse: a person's question as a run of its own, what it may read, and answers that are known already.

-- The phases of a question: one, of which nothing but the text and the engine is the caller's.
create or replace function private.query_spec(p_sql text, p_engine text) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select pg_catalog.jsonb_build_object(
    'version', 1, 'pipeline', 'sql', 'owner', 'sql', 'max_attempts', 1,
    'phases', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
      'name', 'query', 'kind', 'query', 'sql', p_sql, 'engine', p_engine)))
$$;

create or replace function private.require_question(p_sql text, p_params jsonb, p_engine text) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
begin
  if p_sql is null or pg_catalog.btrim(p_sql) = '' or pg_catalog.length(p_sql) > 100000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_sql has %s characters; give a select of 1 to 100000', coalesce(pg_catalog.length(p_sql), 0));
  end if;
  if p_engine is null or p_engine not in ('embedded', 'postgres', 'trino') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_engine is %L; there are embedded, postgres and trino', p_engine);
  end if;
  if p_params is null or pg_catalog.jsonb_typeof(p_params) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_params must be an object of values by name; {} for none';
  end if;
  select key into v_wrong
  from pg_catalog.jsonb_each(p_params)
  where key !~ '^[a-z_][a-z0-9_]{0,62}$' or pg_catalog.jsonb_typeof(value) in ('object', 'array')
  limit 1;
  if found then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_params: %L must be named with a-z, 0-9 and _ and be a text, a number, a boolean or null', v_wrong);
  end if;
end
$$;

-- Which columns of a server are personal data nobody here knows: only those who may see such data ask one.
create or replace function private.require_server(p_env text, p_engine text, p_sees_personal boolean) returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_engine <> 'embedded' and not p_sees_personal then
    raise exception using errcode = 'CR005', message = pg_catalog.format(
      'engine %s is a server of which nobody here knows what is personal data: it takes the role editor in the environment %s; '
      'ask the lake with engine embedded, or an editor', p_engine, p_env);
  end if;
end
$$;

-- Queues a question and returns its run; for viewers, and of engines that are servers for editors. The table `params` has
-- p_params as its one row. With p_idempotency_key a repeat by the same person is the same run; another question under it is a
-- Conflict.
create or replace function ops.submit_query(
  p_org text, p_project text, p_env text, p_sql text, p_params jsonb default '{}', p_engine text default 'embedded',
  p_idempotency_key text default null
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_project uuid;
  v_subject text := private.subject();
  -- A key is its holder's: nobody learns whether another has used it.
  v_key text := 'query:' || coalesce(v_subject, '') || ':' || p_idempotency_key;
  v_spec jsonb := private.query_spec(p_sql, p_engine);
  v_known record;
  v_sees_personal boolean;
  v_run uuid;
begin
  select p.id into v_project
  from ops.projects p join ops.orgs o on o.id = p.org_id
  where o.slug = p_org and p.slug = p_project;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if p_env is null or p_env not in ('dev', 'stage', 'prod') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; use dev, stage or prod', p_env);
  end if;
  perform private.require_role(v_project, p_env, 'viewer');
  perform private.require_question(p_sql, p_params, p_engine);
  v_sees_personal := private.is_trusted() or v_project::text || '/' || p_env in (select private.my_scopes('editor'));
  perform private.require_server(p_env, p_engine, v_sees_personal);
  if v_key is not null then
    perform pg_catalog.pg_advisory_xact_lock(
      pg_catalog.hashtextextended(v_project::text || '/' || p_env || '#' || v_key, 0));
    select id, spec, params into v_known
    from ops.runs where project_id = v_project and env = p_env and idempotency_key = v_key;
    if found then
      if (v_known.spec, v_known.params) is distinct from (v_spec, p_params) then
        raise exception using errcode = 'CR006', message = pg_catalog.format(
          'idempotency key %L belongs to run %s, which asks something else; use a new key', p_idempotency_key, v_known.id);
      end if;
      return v_known.id;
    end if;
  end if;
  perform private.require_patience(v_subject);
  v_run := private.insert_run(
    v_project, p_env, 'sql', 1, v_spec,
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(v_spec::text, 'UTF8')), 'hex'), 'sql', p_params,
    private.spec_outline(v_spec), v_key, 100, 'query', 1, null, null, null, '{}', '{}');
  insert into ops.queries (run_id, project_id, env, sql, params, engine, subject, sees_personal, created_at)
  select v_run, v_project, p_env, p_sql, p_params, p_engine, v_subject, v_sees_personal, r.created_at
  from ops.runs r where r.id = v_run;
  return v_run;
end
$$;

-- Viewers may ask and may not fill the queue.
create or replace function private.require_patience(p_subject text) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_most constant int := 20;
begin
  if private.is_trusted() then
    return;
  end if;
  if (
    select pg_catalog.count(*)
    from ops.queries q join ops.runs r on r.id = q.run_id
    where q.subject = p_subject and q.created_at > pg_catalog.clock_timestamp() - interval '1 day'
      and r.status in ('queued', 'claimed', 'running')
  ) >= v_most then
    raise exception using errcode = 'CR003', message = pg_catalog.format(
      '%s of your queries have not ended; wait for one, or cancel it', v_most);
  end if;
end
$$;

create or replace function private.is_own_query(p_run_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from ops.queries q where q.run_id = p_run_id and q.subject = private.subject())
$$;

-- Questions, newest first, after (p_before_at, p_before_id): the last of the page before. p_filter may hold org, project, env,
-- engine, text (words of the SQL; the last may be a beginning), status – a list –, and mine: true.
-- As in ops.find_runs the policy is repeated by hand, for text search under it would have no index.
create or replace function ops.find_queries(
  p_filter jsonb default '{}', p_limit int default 50, p_before_at timestamptz default null, p_before_id uuid default null
) returns table (
  run_id uuid, org text, project text, env text, sql text, params jsonb, engine text, subject text, status text,
  created_at timestamptz, started_at timestamptz, finished_at timestamptz, ms float8, "rows" bigint, cached_from uuid,
  personal boolean, error_code text, error_message text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_found text;
  v_ids uuid[];
begin
  if p_limit is null or p_limit not between 1 and 1000 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_limit is %s; give 1 to 1000', coalesce(p_limit::text, 'null'));
  end if;
  v_found := pg_catalog.format(
    'select q.run_id, q.created_at from ops.queries q where q.project_id = any ($1) and %s '
    'order by q.created_at desc, q.run_id desc limit %s',
    private.query_conditions(p_filter, p_before_at, p_before_id), p_limit);
  execute pg_catalog.format('select pg_catalog.array_agg(f.run_id) from (%s) as f', v_found)
  into v_ids using private.projects_asked_for(p_filter);
  return query
    select q.run_id, o.slug, p.slug, q.env, q.sql, q.params, q.engine, q.subject, r.status, q.created_at, r.started_at,
      r.finished_at, extract(epoch from r.finished_at - r.started_at)::float8 * 1000, h.rows_out,
      (h.metrics ->> 'cached_from')::uuid, coalesce((h.metrics ->> 'personal')::boolean, false), r.error_code,
      r.error_message
    from ops.queries q
    join ops.runs r on r.id = q.run_id
    join ops.projects p on p.id = q.project_id
    join ops.orgs o on o.id = p.org_id
    left join ops.run_phases h on h.run_id = q.run_id and h.name = 'query'
    where q.run_id = any (v_ids)
    order by q.created_at desc, q.run_id desc;
end
$$;

create or replace function private.query_conditions(
  p_filter jsonb, p_before_at timestamptz, p_before_id uuid
) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_where text;
  v_hidden text[] := case when private.is_trusted() then '{}' else array(select private.my_hidden_envs()) end;
  v_words tsquery;
  v_key text;
begin
  perform private.check_query_filter(p_filter);
  v_where := pg_catalog.format(
    '(q.created_at, q.run_id) < (%L::timestamptz, %L::uuid)', coalesce(p_before_at, 'infinity'),
    coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
  foreach v_key in array '{env,engine}'::text[] loop
    if p_filter ? v_key then
      v_where := v_where || pg_catalog.format(' and q.%I = %L', v_key, p_filter ->> v_key);
    end if;
  end loop;
  if p_filter -> 'mine' = 'true' then
    v_where := v_where || pg_catalog.format(' and q.subject = %L', coalesce(private.subject(), ''));
  end if;
  if p_filter ? 'status' then
    v_where := v_where || pg_catalog.format(
      ' and exists (select from ops.runs r where r.id = q.run_id and r.status = any (%L::text[]))', array(
        select pg_catalog.jsonb_array_elements_text(p_filter -> 'status')));
  end if;
  if p_filter ? 'text' then
    v_words := (nullif(
      pg_catalog.plainto_tsquery('simple', pg_catalog.translate(p_filter ->> 'text', '.', ' '))::text, '') || ':*')::tsquery;
    if v_words is null then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'text: %L holds no word to look for', p_filter ->> 'text');
    end if;
    v_where := v_where || pg_catalog.format(
      ' and to_tsvector(''simple''::regconfig, translate(q.sql, ''.'', '' '')) @@ %L::tsquery', v_words);
  end if;
  if v_hidden <> '{}' then
    v_where := v_where || pg_catalog.format(' and q.project_id::text || ''/'' || q.env <> all (%L::text[])', v_hidden);
  end if;
  return v_where;
end
$$;

create or replace function private.check_query_filter(p_filter jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := '{org,project,env,engine,text,status,mine}';
  v_faults text;
begin
  if p_filter is null or pg_catalog.jsonb_typeof(p_filter) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_filter must be an object; {} asks for everything';
  end if;
  select pg_catalog.string_agg(fault, '; ' order by fault) into v_faults
  from (
    select case
      when key <> all (v_known) then pg_catalog.format('%s is no filter; known are %s', key, pg_catalog.array_to_string(v_known, ', '))
      when key = 'status' and (pg_catalog.jsonb_typeof(value) <> 'array' or value = '[]') then 'status must be a list'
      when key = 'mine' and pg_catalog.jsonb_typeof(value) <> 'boolean' then 'mine must be true or false'
      when key not in ('status', 'mine') and pg_catalog.jsonb_typeof(value) <> 'string' then key || ' must be a text'
    end as fault
    from pg_catalog.jsonb_each(p_filter)
  ) as checked
  where fault is not null;
  if v_faults is not null then
    raise exception using errcode = 'CR007', message = 'p_filter: ' || v_faults;
  end if;
end
$$;
