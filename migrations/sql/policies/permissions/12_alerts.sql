grant execute on function
  ops.acknowledge_alert(uuid),
  ops.silence_alerts(uuid, text, timestamptz, text, timestamptz, text, text, text),
  ops.end_silence(uuid),
  ops.put_alert_rule(uuid, text, jsonb),
  ops.remove_alert_rule(uuid, text),
  ops.put_channel(text, text, text, text),
  ops.remove_channel(text),
  ops.test_channel(uuid, text),
  ops.put_route(text, jsonb)
to authenticated, service_role;

grant execute on function
  ops.judge_standing(), ops.escalate_alerts(), ops.claim_messages(float8), ops.message_delivered(uuid),
  ops.message_refused(uuid, int, text)
to service_role;
