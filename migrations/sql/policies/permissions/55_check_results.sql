-- People: it checks the caller's membership itself.
grant execute on function ops.check_results(uuid) to authenticated, service_role;
