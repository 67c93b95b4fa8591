select 1;

update private.schema_revision set version_num = '0024_pre_warehouse';
