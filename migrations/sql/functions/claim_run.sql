-- Takes up to p_max_runs runs, each under a new lease token. Ordered by priority, then turn (see private.next_turn), then
-- age. Returns no row where there is nothing to do, or nothing for an executor that was asked to drain. A run is taken only by who has all the capabilities that it needs; a
-- dedicated executor leaves alone what needs none, because it can do nothing else than its own.
--
-- `id = any (array(… for no key update skip locked limit n))` is on purpose: as a join with a CTE, a parameter in LIMIT made the
-- generic plan walk the whole queue (tests/migrations/test_plans.py). As it is one plan serves every call; left to choose,
-- Postgres plans anew each time because it takes v_ids for ten elements, and planning takes longer than claiming. That one
-- plan may date from an empty table, where a bitmap and a sort look cheap: without bitmaps only the walk remains.
drop function if exists ops.claim_run(uuid, text[], float8, int);
create or replace function ops.claim_run(
  p_executor_id uuid,
  p_capabilities text[] default '{}',
  p_lease_seconds float8 default 30,
  p_max_runs int default 1,
  p_dedicated boolean default false
) returns table (
  run_id uuid, lease_token bigint, expires_at timestamptz, org text, project text, env text, pipeline text,
  pipeline_version int, spec jsonb, spec_sha256 text, git_sha text, params jsonb, input_manifest jsonb, attempt int,
  max_attempts int, timeout_seconds float8, elapsed_seconds float8, root_run uuid, phases jsonb
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
  v_now timestamptz := pg_catalog.clock_timestamp();
  v_ids uuid[];
  v_limited boolean;
  v_open uuid[];
begin
  if p_lease_seconds is null or p_lease_seconds <= 0 or p_max_runs is null or p_max_runs < 1 then
    raise exception using errcode = 'CR007', message = 'p_lease_seconds and p_max_runs must be positive';
  end if;
  if exists (select from ops.executors x where x.id = p_executor_id and x.drain_asked_at is not null) then
    return;
  end if;
  v_open := private.share_limits();
  v_limited := v_open is not null or exists (select from ops.caps c where c.unit = 'runs') or exists (select from ops.pools);
  if v_limited then
    v_ids := private.claim_under_limits(p_capabilities, p_max_runs, p_dedicated, v_now, v_open);
  else
    v_ids := array(
      select r.id
      from ops.runs r
      where r.status = 'queued' and r.available_at <= v_now and r.capabilities <@ p_capabilities
        and (r.capabilities <> '{}' or not p_dedicated)
      order by r.priority, r.turn, r.id
      for no key update skip locked
      limit p_max_runs);
  end if;
  if pg_catalog.cardinality(v_ids) = 0 then
    return;
  end if;
  return query
    with owned as (
      update ops.runs r
      set status = 'claimed', attempt = r.attempt + 1, claimed_at = v_now, executor_id = p_executor_id,
        lease_token = pg_catalog.nextval('ops.lease_tokens'), error_code = null, error_message = null, error_data = null
      where r.id = any (v_ids)
      returning r.*
    ), leased as (
      insert into ops.run_leases (
        run_id, project_id, executor_id, lease_token, lease_seconds, expires_at, event_seq, event_hash)
      select o.id, o.project_id, p_executor_id, o.lease_token, p_lease_seconds,
        v_now + p_lease_seconds * interval '1 second', o.event_seq + 1,
        private.event_hash(
          o.event_hash, o.id, o.event_seq + 1, v_now, 'RUN_CLAIMED', null, 'info', '',
          pg_catalog.jsonb_build_object('executor', p_executor_id, 'attempt', o.attempt), o.lease_token, null)
      from owned o
      returning ops.run_leases.run_id, ops.run_leases.event_hash
    ), told as (
      insert into ops.run_events (run_id, seq, ts, project_id, type, data, lease_token, hash)
      select o.id, o.event_seq + 1, v_now, o.project_id, 'RUN_CLAIMED',
        pg_catalog.jsonb_build_object('executor', p_executor_id, 'attempt', o.attempt), o.lease_token, l.event_hash
      from owned o join leased l on l.run_id = o.id
    )
    select o.id, o.lease_token, v_now + p_lease_seconds * interval '1 second', g.slug, p.slug, o.env, o.pipeline,
      o.pipeline_version, o.spec, o.spec_sha256, o.git_sha, o.params, o.input_manifest, o.attempt, o.max_attempts,
      o.timeout_seconds, extract(epoch from v_now - o.started_at)::float8, coalesce(o.root_run, o.id),
      private.phases_json(o.id)
    from owned o
    join ops.projects p on p.id = o.project_id
    join ops.orgs g on g.id = p.org_id
    order by o.priority, o.turn, o.id;
  if v_limited then
    -- What was reserved for the run is its lease's now, and given back with it.
    update ops.cap_usage u set lease_token = r.lease_token
    from ops.runs r
    where r.id = any (v_ids) and u.run_id = r.id and u.lease_token is null and u.released_at is null;
    update ops.pool_uses u set lease_token = r.lease_token
    from ops.runs r
    where r.id = any (v_ids) and u.run_id = r.id and u.lease_token is null;
  end if;
end
$$;
