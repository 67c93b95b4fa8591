-- Queues a run. Idempotent on (project, environment, idempotency key): the same content gives the same id, other content is a
-- Conflict.
create or replace function ops.create_run(
  p_project_id uuid,
  p_env text,
  p_pipeline text,
  p_spec jsonb,
  p_spec_sha256 text,
  p_git_sha text,
  p_params jsonb default '{}',
  p_phases jsonb default '[]',
  p_idempotency_key text default null,
  p_priority int default 100,
  p_trigger text default 'manual',
  p_max_attempts int default 3,
  p_timeout_seconds float8 default null,
  p_available_at timestamptz default null,
  p_parent_run uuid default null,
  p_tags jsonb default '{}',
  p_input_manifest jsonb default '{}'
) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_own_word(p_spec, p_phases, p_priority, p_max_attempts);
  return private.queue_run(
    p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha, p_params, p_phases, p_idempotency_key, p_priority,
    p_trigger, p_max_attempts, p_timeout_seconds, p_available_at, p_parent_run, p_tags, p_input_manifest, false);
end
$$;

-- What a person may say of a run: the phases are those of the spec – a promotion believes them –, nobody goes before everybody
-- else, and no password stands where every reader sees it.
create or replace function private.require_own_word(p_spec jsonb, p_phases jsonb, p_priority int, p_max_attempts int)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if private.is_trusted() then
    return;
  end if;
  if p_priority not between 1 and 1000 or p_max_attempts not between 1 and 100 then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_priority is %s and p_max_attempts %s; give 1 to 1000 and 1 to 100', p_priority, p_max_attempts);
  end if;
  if pg_catalog.jsonb_typeof(p_spec -> 'phases') = 'array' and pg_catalog.jsonb_typeof(p_phases) = 'array'
     and private.outline(p_spec -> 'phases') is distinct from private.outline(p_phases) then
    raise exception using errcode = 'CR007', message = 'p_phases must be the name, kind and depends_on of each phase of p_spec';
  end if;
end
$$;

-- Names, kinds and dependencies of phases, in a form that can be compared.
create or replace function private.outline(p_phases jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_array(
      p ->> 'name', p ->> 'kind',
      (select coalesce(pg_catalog.jsonb_agg(d order by d), '[]')
       from pg_catalog.jsonb_array_elements_text(coalesce(p -> 'depends_on', '[]')) as d))
    order by p ->> 'name'), '[]')
  from pg_catalog.jsonb_array_elements(p_phases) as p
$$;

-- ops.create_run without its distrust, for functions that have made sure themselves. p_repeat: a repeat of p_parent_run, which
-- runs what that one ran, also where another version is promoted by now.
create or replace function private.queue_run(
  p_project_id uuid, p_env text, p_pipeline text, p_spec jsonb, p_spec_sha256 text, p_git_sha text, p_params jsonb,
  p_phases jsonb, p_idempotency_key text, p_priority int, p_trigger text, p_max_attempts int, p_timeout_seconds float8,
  p_available_at timestamptz, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb, p_repeat boolean
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known record;
  v_version int;
begin
  perform private.require_role(p_project_id, p_env, 'operator');
  if not exists (select from ops.projects where id = p_project_id) then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      'there is no project %s; create it with ops.ensure_project', p_project_id);
  end if;
  perform private.require(p_pipeline, 'p_pipeline'), private.require(p_git_sha, 'p_git_sha'),
    private.require(p_spec_sha256, 'p_spec_sha256');
  if p_env is null or p_env not in ('dev', 'stage', 'prod') then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'p_env is %L; use dev, stage or prod', p_env);
  end if;
  -- Such runs are judged by nobody and stand in no list of runs.
  if p_trigger = 'query' then
    raise exception using errcode = 'CR007', message = 'a run of trigger query is made by ops.submit_query';
  end if;
  if pg_catalog.jsonb_typeof(p_phases) is distinct from 'array' then
    raise exception using errcode = 'CR007', message = 'p_phases must be a JSON array of {name, kind, depends_on}';
  end if;
  if coalesce(pg_catalog.jsonb_typeof(p_spec -> 'capabilities'), 'array') <> 'array' then
    raise exception using errcode = 'CR007', message = 'p_spec.capabilities must be a JSON array of names';
  end if;
  if p_idempotency_key is not null then
    -- Two callers with one key: the second waits here and then finds what the first made.
    perform pg_catalog.pg_advisory_xact_lock(
      pg_catalog.hashtextextended(p_project_id::text || '/' || p_env || '#' || p_idempotency_key, 0));
    select id, pipeline, spec_sha256, params into v_known
    from ops.runs where project_id = p_project_id and env = p_env and idempotency_key = p_idempotency_key;
    if found then
      if (v_known.pipeline, v_known.spec_sha256, v_known.params)
         is distinct from (p_pipeline, p_spec_sha256, p_params) then
        raise exception using errcode = 'CR006', message = pg_catalog.format(
          'idempotency key %L belongs to run %s with another definition; use a new key', p_idempotency_key, v_known.id);
      end if;
      return v_known.id;
    end if;
  end if;
  if p_parent_run is not null
     and not exists (select from ops.runs where id = p_parent_run and project_id = p_project_id) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  v_version := private.pipeline_version(p_project_id, p_env, p_pipeline, p_spec, p_spec_sha256, p_git_sha);
  if not p_repeat then
    perform private.require_promoted(p_project_id, p_env, p_pipeline, v_version);
  end if;
  return private.insert_run(
    p_project_id, p_env, p_pipeline, v_version, p_spec, p_spec_sha256, p_git_sha, p_params, p_phases, p_idempotency_key,
    p_priority, p_trigger, p_max_attempts, p_timeout_seconds, p_available_at, p_parent_run, p_tags, p_input_manifest);
end
$$;

-- The rows of a new run. Whoever calls has made sure of everything.
create or replace function private.insert_run(
  p_project_id uuid, p_env text, p_pipeline text, p_version int, p_spec jsonb, p_spec_sha256 text, p_git_sha text,
  p_params jsonb, p_phases jsonb, p_idempotency_key text, p_priority int, p_trigger text, p_max_attempts int,
  p_timeout_seconds float8, p_available_at timestamptz, p_parent_run uuid, p_tags jsonb, p_input_manifest jsonb
) returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run uuid := private.new_id();
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_data jsonb;
begin
  v_data := pg_catalog.jsonb_build_object(
    'pipeline', p_pipeline, 'version', p_version, 'git_sha', p_git_sha, 'trigger', p_trigger,
    'subject', private.subject());
  insert into ops.runs (
    id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, params, input_manifest, priority, turn,
    available_at, capabilities, pools, max_attempts, timeout_seconds, idempotency_key, trigger, parent_run, tags, created_at,
    event_seq, event_hash)
  values (
    v_run, p_project_id, p_env, p_pipeline, p_version, p_spec, p_spec_sha256, p_git_sha, p_params, p_input_manifest,
    p_priority, private.next_turn(p_project_id, p_priority), coalesce(p_available_at, v_now),
    private.needed_capabilities(p_spec), private.needed_pools(p_spec), p_max_attempts,
    p_timeout_seconds, p_idempotency_key, p_trigger, p_parent_run, p_tags, v_now, 1,
    private.event_hash('\x', v_run, 1, v_now, 'RUN_CREATED', null, 'info', '', v_data, null, null));
  insert into ops.run_phases (run_id, ordinal, project_id, name, kind, depends_on)
  select v_run, p.ordinal, p_project_id, p.phase ->> 'name', p.phase ->> 'kind',
    coalesce((select pg_catalog.array_agg(d) from pg_catalog.jsonb_array_elements_text(p.phase -> 'depends_on') as d), '{}')
  from pg_catalog.jsonb_array_elements(p_phases) with ordinality as p (phase, ordinal);
  insert into ops.run_events (run_id, seq, ts, project_id, type, data, hash)
  select id, 1, v_now, project_id, 'RUN_CREATED', v_data, event_hash from ops.runs where id = v_run;
  perform private.audit_run(p_project_id, 'runs.create', v_run, v_data || pg_catalog.jsonb_build_object(
    'env', p_env, 'params', p_params, 'parent_run', p_parent_run));
  perform pg_catalog.pg_notify('ops_runs', '');
  return v_run;
end
$$;

-- What an executor must be able to do to be given a run of this spec: its `capabilities`, a list of names.
create or replace function private.needed_capabilities(p_spec jsonb) returns text[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_spec -> 'capabilities' is null then
    return '{}';
  end if;
  if pg_catalog.jsonb_typeof(p_spec -> 'capabilities') <> 'array' then
    raise exception using errcode = 'CR007', message = 'capabilities of p_spec must be a list of capabilities';
  end if;
  return array(select distinct n from pg_catalog.jsonb_array_elements_text(p_spec -> 'capabilities') as n order by n);
end
$$;

-- register_pipeline without the editor's right: whoever may start a run may have its definition recorded.
drop function if exists private.pipeline_version(uuid, text, jsonb, text, text);
create or replace function private.pipeline_version(
  p_project_id uuid, p_env text, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text
) returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version int;
  v_spec jsonb;
begin
  select version, spec into v_version, v_spec
  from ops.pipelines
  where project_id = p_project_id and slug = p_slug and sha256 = p_sha256 and git_sha = p_git_sha;
  if not found then
    -- What a spec says is done with the project's data: running what is there is an operator's, bringing new is an editor's.
    perform private.require_role(p_project_id, p_env, 'editor');
    if p_spec::text ~ '://[^/\s:@"]*:[^/\s@"]+@' then
      raise exception using errcode = 'CR007', message =
        'p_spec has an address with a password, and whoever may see the pipeline would read it; write secret://file/NAME or '
        'secret://env/NAME';
    end if;
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_project_id::text || '/' || p_slug, 0));
    insert into ops.pipelines (project_id, slug, version, spec, sha256, git_sha)
    select p_project_id, p_slug, coalesce(max(version), 0) + 1, p_spec, p_sha256, p_git_sha
    from ops.pipelines where project_id = p_project_id and slug = p_slug
    on conflict (project_id, slug, sha256, git_sha) do nothing;
    select version, spec into strict v_version, v_spec
    from ops.pipelines
    where project_id = p_project_id and slug = p_slug and sha256 = p_sha256 and git_sha = p_git_sha;
  end if;
  -- The caller names the hash; under a known one another spec must not slip in.
  if v_spec <> p_spec then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'spec_sha256 %s of pipeline %s belongs to another spec; compute it from the spec that you send', p_sha256, p_slug);
  end if;
  return v_version;
end
$$;

-- Stage and prod run what was promoted to them.
drop function if exists private.require_promoted(uuid, text, text, int, uuid);
create or replace function private.require_promoted(
  p_project_id uuid, p_env text, p_pipeline text, p_version int
) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_promoted int;
begin
  if p_env = 'dev' then
    return;
  end if;
  v_promoted := private.promoted_version(p_project_id, p_pipeline, p_env);
  if v_promoted is distinct from p_version then
    raise exception using errcode = 'CR006', message = pg_catalog.format(
      'this is version %s of %s and %s runs %s; promote it with `controlroom pipeline promote`', p_version, p_pipeline,
      p_env, coalesce('version ' || v_promoted, 'none yet'));
  end if;
end
$$;
