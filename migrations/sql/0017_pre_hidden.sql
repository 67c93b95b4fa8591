-- What was done in an environment is seen by whoever sees the environment; what was written before it had a place for it is filled in.
alter table ops.audit_log add column env text;
alter table ops.audit_log disable trigger user;
update ops.audit_log a
set env = coalesce(a.after ->> 'env', a.before ->> 'env', (
  select r.env from ops.runs r where a.action like 'runs.%' and r.id::text = a.target))
where a.project_id is not null;
alter table ops.audit_log enable trigger user;

-- A key is an environment's: one must not find, nor hold, what is another's.
create unique index runs_idempotency_of_env on ops.runs (project_id, env, idempotency_key) where idempotency_key is not null;
drop index ops.runs_idempotency;
alter index ops.runs_idempotency_of_env rename to runs_idempotency;
