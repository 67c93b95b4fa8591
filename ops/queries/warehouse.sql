-- The SQL warehouse.

-- name: submit_query
select ops.submit_query(
  p_org => %(org)s, p_project => %(project)s, p_env => %(env)s, p_sql => %(sql)s, p_params => %(params)s,
  p_engine => %(engine)s, p_idempotency_key => %(key)s
);

-- name: find_queries
select
  q.run_id, q.org, q.project, q.env, q.sql, q.params, q.engine, q.subject, q.status, q.created_at, q.started_at,
  q.finished_at, q.ms, q.rows, q.cached_from, q.personal, q.error_code, q.error_message
from ops.find_queries(p_filter => %(filter)s, p_limit => %(limit)s, p_before_at => %(before_at)s, p_before_id => %(before_id)s)
  as q;

-- name: named_versions
select ops.named_versions(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_names => %(names)s);

-- name: personal_columns
select ops.personal_columns(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_tables => %(tables)s);

-- name: known_answer
select ops.known_answer(p_run_id => %(run_id)s, p_lease_token => %(lease_token)s, p_key => %(key)s);
