grant execute on function
  ops.what_if_score(uuid, jsonb),
  ops.set_signal_weight(text, float8, float8, float8),
  ops.set_score_gate(uuid, text, text, numeric)
to authenticated, service_role;
