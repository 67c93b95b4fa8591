-- People: each checks the caller's membership itself.
grant execute on function
  ops.note_dataset(uuid, text, text[], text[]), ops.note_column(uuid, text, text, text[], text),
  ops.masked_columns(uuid, text, text[])
to authenticated, service_role;

-- The steward's: it tells of every run of the installation.
grant execute on function
  ops.enroll_lineage(), ops.due_lineage(int), ops.lineage_told(uuid, bigint, boolean), 
  ops.lineage_refused(uuid, text, boolean)
to service_role;
