-- Who asked an executor to take no further run, and when.
alter table ops.executors
  add column drain_asked_at timestamptz,
  add column drain_asked_by text;

update private.schema_revision set version_num = '0026_pre_drain';
