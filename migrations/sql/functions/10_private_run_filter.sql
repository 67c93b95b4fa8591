-- What ops.find_runs makes of its filter.

create or replace function private.projects_asked_for(p_filter jsonb) returns uuid[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted boolean := private.is_trusted();
  v_mine uuid[] := case when v_trusted then '{}' else array(select private.my_projects()) end;
begin
  if not v_trusted and not p_filter ?| '{org,project}' then
    return v_mine;
  end if;
  return array(
    select p.id
    from ops.projects p
    join ops.orgs o on o.id = p.org_id
    where (p_filter ->> 'org' is null or o.slug = p_filter ->> 'org')
      and (p_filter ->> 'project' is null or p.slug = p_filter ->> 'project')
      and (v_trusted or p.id = any (v_mine)));
end
$$;

-- Conditions on a run r, beginning with one that is always there. Every value is a literal of its type: whatever a person
-- writes is a value and nothing else.
create or replace function private.run_conditions(p_filter jsonb, p_before_at timestamptz, p_before_id uuid) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_where text;
  v_hidden text[];
  v_words tsquery;
  v_tags text[];
  v_key text;
begin
  perform private.check_run_filter(p_filter);
  -- Bounds instead of "if given": the index then begins at the page, however deep it is.
  v_where := pg_catalog.format(
    '(r.created_at, r.id) < (%L::timestamptz, %L::uuid)', coalesce(p_before_at, 'infinity'),
    coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'));
  foreach v_key in array '{env,pipeline}'::text[] loop
    if p_filter ? v_key then
      v_where := v_where || pg_catalog.format(' and r.%I = %L', v_key, p_filter ->> v_key);
    end if;
  end loop;
  if p_filter ? 'trigger' then
    v_where := v_where || pg_catalog.format(' and r.trigger = any (%L::text[])', array(
      select pg_catalog.jsonb_array_elements_text(p_filter -> 'trigger')));
  end if;
  -- Questions of people are in ops.find_queries; among the runs they would hide what was meant to happen.
  if not p_filter ?| '{trigger,pipeline}' then
    v_where := v_where || ' and r.trigger <> ''query''';
  end if;
  if p_filter ? 'executor' then
    v_where := v_where || pg_catalog.format(' and r.executor_id = %L::uuid', (p_filter ->> 'executor')::uuid);
  end if;
  if p_filter ? 'root_run' then
    v_where := v_where || pg_catalog.format(
      ' and coalesce(r.root_run, r.id) = %L::uuid', (p_filter ->> 'root_run')::uuid);
  end if;
  if p_filter ? 'since' then
    v_where := v_where || pg_catalog.format(' and r.created_at >= %L::timestamptz', (p_filter ->> 'since')::timestamptz);
  end if;
  if p_filter ? 'until' then
    v_where := v_where || pg_catalog.format(' and r.created_at < %L::timestamptz', (p_filter ->> 'until')::timestamptz);
  end if;
  if p_filter ? 'text' then
    v_words := (nullif(pg_catalog.plainto_tsquery('simple', p_filter ->> 'text')::text, '') || ':*')::tsquery;
    if v_words is null then
      raise exception using errcode = 'CR007', message = pg_catalog.format(
        'text: %L holds no word to look for', p_filter ->> 'text');
    end if;
    v_where := v_where || pg_catalog.format(
      ' and (to_tsvector(''simple''::regconfig, '
      'r.pipeline || '' '' || coalesce(r.error_code, '''') || '' '' || coalesce(r.error_message, '''')) @@ %1$L::tsquery '
      'or to_tsvector(''simple''::regconfig, r.tags) @@ %1$L::tsquery)', v_words);
  end if;
  if p_filter ? 'tags' then
    -- The words of the values are what the index knows.
    v_tags := array(
      select words::text
      from (
        select pg_catalog.plainto_tsquery('simple', value #>> '{}') as words
        from pg_catalog.jsonb_each(p_filter -> 'tags')
        where pg_catalog.jsonb_typeof(value) = 'string'
      ) as w
      where words::text <> '');
    if v_tags <> '{}' then
      v_where := v_where || pg_catalog.format(
        ' and to_tsvector(''simple''::regconfig, r.tags) @@ %L::tsquery', pg_catalog.array_to_string(v_tags, ' & '));
    end if;
    v_where := v_where || pg_catalog.format(' and r.tags @> %L::jsonb', p_filter -> 'tags');
  end if;
  v_hidden := case when private.is_trusted() then '{}' else array(select private.my_hidden_envs()) end;
  if v_hidden <> '{}' then
    v_where := v_where || pg_catalog.format(' and r.project_id::text || ''/'' || r.env <> all (%L::text[])', v_hidden);
  end if;
  return v_where;
end
$$;

-- One condition a status that is asked for, so that each is a literal which a partial index knows.
create or replace function private.run_status_conditions(p_filter jsonb) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_filter ? 'status' then array(
      select distinct pg_catalog.format('r.status = %L', e.status)
      from pg_catalog.jsonb_array_elements_text(p_filter -> 'status') as e (status))
    else '{true}'
  end
$$;

-- pg_input_is_valid, which Postgres has from 16 on.
create or replace function private.is_time(p_text text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform p_text::timestamptz;
  return true;
exception when others then
  return false;
end
$$;

-- Every fault at once.
create or replace function private.check_run_filter(p_filter jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := '{org,project,env,pipeline,executor,root_run,text,since,until,status,trigger,tags}';
  v_faults text[];
begin
  if p_filter is null or pg_catalog.jsonb_typeof(p_filter) <> 'object' then
    raise exception using errcode = 'CR007', message = 'p_filter must be an object; {} asks for everything';
  end if;
  select pg_catalog.array_agg(fault order by fault) into v_faults
  from (
    select case
      when key <> all (v_known) then pg_catalog.format('%s is no filter; known are %s', key, pg_catalog.array_to_string(v_known, ', '))
      when key in ('status', 'trigger') and (pg_catalog.jsonb_typeof(value) <> 'array' or value = '[]') then key || ' must be a list'
      when key = 'tags' and (pg_catalog.jsonb_typeof(value) <> 'object' or value = '{}') then 'tags must be an object'
      when key not in ('status', 'trigger', 'tags') and pg_catalog.jsonb_typeof(value) <> 'string' then key || ' must be a text'
      when key in ('executor', 'root_run') and value #>> '{}' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        then pg_catalog.format('%s: %L is no id', key, value #>> '{}')
      when key in ('since', 'until') and not private.is_time(value #>> '{}')
        then pg_catalog.format('%s: %L is no time', key, value #>> '{}')
    end as fault
    from pg_catalog.jsonb_each(p_filter)
  ) as checked
  where fault is not null;
  if v_faults is not null then
    raise exception using errcode = 'CR007', message = 'p_filter: ' || pg_catalog.array_to_string(v_faults, '; ');
  end if;
end
$$;
