-- What came of each rule of a run, a row a rule in the order of the spec: of its validate phases, and of its transforms. What
-- the last try at a phase said counts, also one that failed by it. Who sees the run sees this.
create or replace function ops.check_results(p_run_id uuid) returns table (
  phase text, rule text, on_fail text, ok boolean, expected text, observed text, checked bigint, failed bigint,
  dropped bigint, quarantined bigint
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  select project_id, env into v_run from ops.runs where id = p_run_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_run.project_id, v_run.env, 'viewer');
  return query
  select p.name, coalesce(c.one ->> 'rule', c.one ->> 'check'), c.one ->> 'on_fail', (c.one ->> 'ok')::boolean,
    c.one ->> 'expected', c.one ->> 'observed', (c.one ->> 'checked')::bigint,
    -- As runs of earlier versions wrote it down.
    coalesce(c.one ->> 'failed', c.one ->> 'bad_rows', '0')::bigint,
    coalesce(c.one ->> 'dropped', '0')::bigint, coalesce(c.one ->> 'quarantined', '0')::bigint
  from ops.run_phases p
  cross join lateral pg_catalog.jsonb_array_elements(
    case
      when pg_catalog.jsonb_typeof(p.metrics -> 'checks') = 'array' then p.metrics -> 'checks'
      when pg_catalog.jsonb_typeof(p.error_data -> 'checks') = 'array' then p.error_data -> 'checks'
      else '[]'
    end) with ordinality as c (one, number)
  where p.run_id = p_run_id
  order by p.ordinal, c.number;
end
$$;
