-- Who may watch: the totals are read by scrapes of the back end, a run's trace by its owner.
grant execute on function private.presented_traceparent() to service_role;

grant execute on function ops.run_traceparent(uuid, bigint) to controlroom_executor, service_role;

grant execute on function
  ops.metrics(int), ops.steward_round(), ops.record_evidence(text, text, boolean, jsonb), ops.probes_due(int, text[])
to service_role;
