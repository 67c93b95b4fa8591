-- Who asked an executor to take no further run, and when.
alter table ops.executors
  add column drain_asked_at timestamptz,
  add column drain_asked_by text;
