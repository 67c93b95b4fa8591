-- Verifying a run by a run: its phases are carried out again on what they read, into a lake that is thrown away, and their
-- fingerprints compared.

-- Queues a verification of a run that succeeded and returns its run; while one of it has not ended, that one. It has the spec of
-- the run – an executor needs the same capabilities and pools for it – and one phase. Like a question it is no work of a pipeline:
-- no score, alert or schedule comes of it.
create or replace function ops.verify_run(p_run_id uuid) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_of ops.runs := private.ended_run(p_run_id);
  v_known uuid;
begin
  if v_of.status <> 'succeeded' then
    raise exception using errcode = 'CR002', message = pg_catalog.format(
      'run %s is %s; only a run that succeeded can be verified', p_run_id, v_of.status);
  end if;
  -- Two who ask at once: the second waits here and then finds what the first made.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('verify#' || p_run_id::text, 0));
  select id into v_known
  from ops.runs
  where parent_run = p_run_id and trigger = 'verify' and status in ('queued', 'claimed', 'running');
  if found then
    return v_known;
  end if;
  return private.insert_run(
    v_of.project_id, v_of.env, 'verify', v_of.pipeline_version, v_of.spec, v_of.spec_sha256, v_of.git_sha, v_of.params,
    '[{"name": "verify", "kind": "verify"}]', null, 100, 'verify', v_of.max_attempts,
    -- What the run did, and every byte of its artifacts.
    2 * v_of.timeout_seconds, null, p_run_id, '{}', v_of.input_manifest);
end
$$;

-- What the run that p_run_id verifies left, and from what: the definition, and of each phase what it said.
create or replace function ops.verified_run(p_run_id uuid, p_lease_token bigint) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return (
    select pg_catalog.jsonb_build_object(
      'run_id', r.id, 'org', o.slug, 'project', p.slug, 'env', r.env, 'pipeline', r.pipeline, 'git_sha', r.git_sha,
      'params', r.params, 'spec', r.spec, 'input_manifest', r.input_manifest,
      'phases', (
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', h.name, 'kind', h.kind, 'output_fingerprint', h.output_fingerprint, 'result', h.result,
          'effect_of', coalesce(h.effect_of, r.root_run, r.id)) order by h.ordinal)
        from ops.run_phases h where h.run_id = r.id),
      'artifacts', (
        select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
          'name', a.name, 'uri', a.uri, 'sha256', a.sha256) order by a.phase, a.name), '[]')
        from ops.run_artifacts a where a.run_id = r.id))
    from ops.runs v
    join ops.runs r on r.id = v.parent_run
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    where v.id = p_run_id and v.trigger = 'verify');
end
$$;
