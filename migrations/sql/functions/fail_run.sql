-- The owner gives up on this attempt. Retryable and attempts left: back into the queue after 2^attempt seconds, at most ten
-- minutes, half of it by chance, so that runs that failed together do not come back together. Else terminal. Returns the
-- resulting status.
create or replace function ops.fail_run(
  p_run_id uuid, p_lease_token bigint, p_error_code text, p_error_message text, p_error_data jsonb default '{}',
  p_retryable boolean default false
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_backoff float8;
  v_data jsonb := pg_catalog.jsonb_build_object('error_code', p_error_code);
begin
  perform private.require(p_error_code, 'p_error_code');
  select status, lease_token, attempt, max_attempts into v_run from ops.runs where id = p_run_id for no key update;
  if not private.take_run(p_run_id, p_lease_token, '{failed,queued}') then
    return v_run.status;
  end if;
  if p_retryable and v_run.attempt < v_run.max_attempts then
    v_backoff := least(600, 2 ^ v_run.attempt) * (0.5 + pg_catalog.random() / 2);
    perform private.requeue_run(
      p_run_id, p_error_message, v_data || pg_catalog.jsonb_build_object('backoff_seconds', v_backoff),
      pg_catalog.clock_timestamp() + v_backoff * interval '1 second', 0, 0, p_error_code, p_error_message, p_error_data);
    return 'queued';
  end if;
  perform private.end_run(
    p_run_id, 'failed', 'RUN_FAILED', p_error_message, v_data, 'error', p_error_code, p_error_message,
    coalesce(p_error_data, '{}'));
  return 'failed';
end
$$;
