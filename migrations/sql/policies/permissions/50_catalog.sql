-- People: each checks the caller's membership itself.
grant execute on function
  ops.note_dataset(uuid, text, text[], text[]), ops.note_column(uuid, text, text, text[], text),
  ops.masked_columns(uuid, text, text[])
to authenticated, service_role;
