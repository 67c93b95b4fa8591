-- Whoever publishes for everybody.
grant execute on function
  ops.due_bi_wishes(int), ops.bi_wish_granted(uuid, text, timestamptz),
  ops.bi_wish_refused(uuid, text, timestamptz, text)
to service_role;
