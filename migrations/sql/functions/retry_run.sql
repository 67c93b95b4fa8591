-- A new run of one that ended: the same definition and pinned inputs; phases that succeeded stay done and are skipped. What
-- such a run commits is known by the first run of the line (root_run): a commit that the old run made, and did not live to
-- write down, is adopted and not made again.
--
-- p_from_phase: that phase and all that depend on it are carried out again, also where they succeeded; the others stand.
-- p_latest: on the definition that the environment runs now and on inputs of now; without p_from_phase all phases.
drop function if exists ops.retry_run(uuid);
create or replace function ops.retry_run(p_run_id uuid, p_from_phase text default null, p_latest boolean default false)
returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old ops.runs := private.ended_run(p_run_id);
  v_way text := case when p_latest then 'latest' else 'retry' end;
begin
  -- Said before anything is made, and not from within.
  perform private.planned_rerun(v_old, v_way, p_from_phase);
  -- A past that is computed again stays one, see private.note_success.
  return private.make_rerun(
    v_old, v_way, p_from_phase, case when v_old.trigger in ('backfill', 'replay') then v_old.trigger else 'retry' end);
end
$$;

-- A new run of the same definition on the same pinned inputs, all phases: what it commits is its own. What an ingest landed
-- is among the inputs and stands.
create or replace function ops.replay_run(p_run_id uuid) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old ops.runs := private.ended_run(p_run_id);
begin
  perform private.planned_rerun(v_old, 'replay', null);
  return private.make_rerun(v_old, 'replay', null, 'replay');
end
$$;

-- What a retry (p_way retry or latest) or a replay would carry out and what would stand, by what makes them. Makes nothing.
create or replace function ops.preview_rerun(p_run_id uuid, p_way text default 'retry', p_from_phase text default null)
returns table (ordinal int, name text, kind text, again boolean, reason text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_way is null or p_way not in ('retry', 'latest', 'replay') then
    raise exception using errcode = 'CR007', message = pg_catalog.format('p_way is %L; use retry, latest or replay', p_way);
  end if;
  return query
    select p.ordinal, p.name, p.kind, p.again, p.reason
    from private.planned_rerun(private.ended_run(p_run_id), p_way, p_from_phase) as p
    order by p.ordinal;
end
$$;

-- The run, where the caller may make one of it.
create or replace function private.ended_run(p_run_id uuid) returns ops.runs
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run ops.runs;
begin
  select * into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'operator');
  -- What it may show depends on who asked.
  if v_run.trigger = 'query' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is a question that somebody asked; ask it again', p_run_id);
  end if;
  return v_run;
end
$$;
