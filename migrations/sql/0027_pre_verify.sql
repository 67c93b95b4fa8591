-- Verifications: a run that carries another one out again, aside, and keeps nothing.

alter table ops.runs drop constraint runs_trigger_check;
alter table ops.runs add constraint runs_trigger_check
  check (trigger in ('manual', 'schedule', 'retry', 'replay', 'backfill', 'api', 'query', 'verify'));
