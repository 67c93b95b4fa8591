-- People: each checks the caller's membership itself.
grant execute on function
  ops.submit_query(text, text, text, text, jsonb, text, text),
  ops.find_queries(jsonb, int, timestamptz, uuid)
to authenticated, service_role;

-- What an executor asks while it holds a run.
grant execute on function
  ops.named_versions(uuid, bigint, text[]),
  ops.personal_columns(uuid, bigint, text[]),
  ops.known_answer(uuid, bigint, text)
to controlroom_executor, service_role;
