-- What runs ask of Superset: their phases name it as a target, and whoever follows publishes when the run has ended.

-- Asks for the run's project and environment. Asked again, it is due at once, whatever failed before.
create or replace function private.wish_bi(p_run_id uuid) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into ops.bi_wishes as w (project_id, env, run_id)
  select project_id, env, id from ops.runs where id = p_run_id
  on conflict (project_id, env) do update
    set run_id = excluded.run_id, asked_at = pg_catalog.clock_timestamp(), tries = 0, next_at = pg_catalog.clock_timestamp(),
      error = null;
end
$$;

-- What is to be published now. A run that has not ended has not released its tables: nothing of them could be certified.
create or replace function ops.due_bi_wishes(p_limit int default 20) returns table (
  project_id uuid, org text, project text, env text, run_id uuid, asked_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select w.project_id, o.slug, p.slug, w.env, w.run_id, w.asked_at
    from ops.bi_wishes w
    join ops.runs r on r.id = w.run_id and r.status in ('succeeded', 'failed', 'canceled')
    join ops.projects p on p.id = w.project_id
    join ops.orgs o on o.id = p.org_id
    where w.next_at <= pg_catalog.clock_timestamp()
    order by w.next_at
    limit p_limit;
end
$$;

-- It was published as it was asked for at p_asked_at; what was asked for since stays. Whether that was all.
create or replace function ops.bi_wish_granted(p_project_id uuid, p_env text, p_asked_at timestamptz) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.bi_wishes where project_id = p_project_id and env = p_env and asked_at = p_asked_at;
  return found;
end
$$;

-- It could not be published; the next try is after five seconds, then twice as late each time, and never later than ten minutes.
create or replace function ops.bi_wish_refused(
  p_project_id uuid, p_env text, p_asked_at timestamptz, p_error text
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update ops.bi_wishes
  set tries = tries + 1, error = pg_catalog.left(p_error, 1000),
    next_at = pg_catalog.clock_timestamp()
      + least(interval '5 seconds' * pg_catalog.power(2, least(tries, 10)), interval '10 minutes')
  where project_id = p_project_id and env = p_env and asked_at = p_asked_at;
end
$$;
