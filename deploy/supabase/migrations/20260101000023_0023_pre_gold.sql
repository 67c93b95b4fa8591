select 1;

update private.schema_revision set version_num = '0023_pre_gold';
