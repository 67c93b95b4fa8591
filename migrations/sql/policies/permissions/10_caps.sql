-- People: each checks the caller's membership itself.
grant execute on function
  ops.set_cap(text, text, text, text, numeric, text, text), ops.remove_cap(text, text), ops.cap_report(),
  ops.set_pool(text, text, text, int), ops.remove_pool(text, text, text),
  ops.set_price(text, text, numeric, text, timestamptz),
  ops.why_waiting(uuid)
to authenticated, service_role;
