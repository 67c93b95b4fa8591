-- Asked as its caller: the policies of the run's phases decide.
grant execute on function ops.check_results(uuid) to authenticated, service_role;
