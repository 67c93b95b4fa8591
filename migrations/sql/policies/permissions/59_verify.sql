-- People: it checks the caller's membership itself.
grant execute on function ops.verify_run(uuid) to authenticated, service_role;

-- What an executor asks while it holds a run.
grant execute on function ops.verified_run(uuid, bigint) to controlroom_executor, service_role;
