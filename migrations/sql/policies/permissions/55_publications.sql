-- People: it checks the caller's membership itself.
grant execute on function ops.note_rollback(uuid, text, text, jsonb, jsonb, text) to authenticated, service_role;
