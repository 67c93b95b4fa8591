-- When an executor was asked to take no further run; who did so is told by the audit log.
alter table ops.executors add column drain_asked_at timestamptz;

update private.schema_revision set version_num = '0026_pre_drain';
