-- Answers that somebody gave a name stand in a list of their own.
create index run_artifacts_saved on ops.run_artifacts (project_id, created_at desc, id desc) where kind = 'saved';

update private.schema_revision set version_num = '0024_pre_desk';
