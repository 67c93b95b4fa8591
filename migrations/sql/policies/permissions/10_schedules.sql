grant execute on function
  ops.put_schedule(uuid, text, text, jsonb),
  ops.pause_schedule(uuid, text),
  ops.resume_schedule(uuid, boolean),
  ops.remove_schedule(uuid),
  ops.fire_schedule(uuid, text),
  ops.create_webhook_secret(uuid),
  ops.put_freshness_rule(uuid, text, text, float8, float8, text),
  ops.remove_freshness_rule(uuid, text, text)
to authenticated, service_role;

grant execute on function
  ops.due_schedules(int), ops.decide_clocks(jsonb), ops.pending_schedules(int), ops.decide_events(uuid),
  ops.prune_ticks(interval), ops.unread_clocks(int), ops.record_event_time(uuid, timestamptz), ops.check_freshness()
to service_role;

-- The door: a signature stands for whoever sends it.
grant execute on function ops.receive_webhook(uuid, text, bigint, text, bytea) to controlroom_login;
