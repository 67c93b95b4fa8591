-- What an executor asks while it holds a run.
grant execute on function ops.build_on(uuid, bigint, text) to controlroom_executor, service_role;

-- People: each checks the caller's membership itself.
grant execute on function
  ops.start_refresh(uuid, text, text, jsonb, text, text, jsonb, jsonb, int, float8, jsonb, text),
  ops.swap_refresh(uuid, text),
  ops.roll_back_refresh(uuid, boolean, text)
to authenticated, service_role;
