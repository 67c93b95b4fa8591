-- People: each checks the caller's membership itself.
grant execute on function ops.record_bi_objects(uuid, text, jsonb) to authenticated, service_role;
