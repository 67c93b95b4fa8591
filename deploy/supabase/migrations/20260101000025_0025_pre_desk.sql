select 1;

update private.schema_revision set version_num = '0025_pre_desk';
