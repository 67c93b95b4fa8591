-- What a retry commits is known by the first run of its line, so that it finds what that one left in the lake. Only
-- ops.retry_run writes it; null where the run is no retry. Without a foreign key: nothing looks runs up by it, and an index
-- would cost each insert.
alter table ops.runs add column root_run uuid;

-- Where a run's chain of events goes on from, once its oldest months are forgotten: the last one's number and hash.
create table private.pruned_events (
  run_id uuid primary key references ops.runs,
  seq bigint not null,
  hash bytea not null
);

-- It answers with more columns now; it is created again with the other functions.
drop function if exists ops.claim_run(uuid, text[], float8, int);

update private.schema_revision set version_num = '0008_pre_retries';
