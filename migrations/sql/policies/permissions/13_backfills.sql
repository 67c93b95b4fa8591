-- People: each checks the caller's membership itself.
grant execute on function
  ops.start_backfill(uuid, text, jsonb, text, boolean),
  ops.pause_backfill(uuid, text),
  ops.resume_backfill(uuid),
  ops.cancel_backfill(uuid, text),
  ops.replay_run(uuid),
  ops.preview_rerun(uuid, text, text)
to authenticated, service_role;

grant execute on function ops.advance_backfills(int) to service_role;
