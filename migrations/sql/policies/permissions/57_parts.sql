-- People: whether a steward is at work is everybody's to know who waits for a run.
grant execute on function ops.steward_seen() to authenticated, service_role;
