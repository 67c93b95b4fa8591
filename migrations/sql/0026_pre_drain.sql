-- When an executor was asked to take no further run; who did so is told by the audit log.
alter table ops.executors add column drain_asked_at timestamptz;
