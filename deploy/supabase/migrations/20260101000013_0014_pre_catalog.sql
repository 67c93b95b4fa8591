select 1;

update private.schema_revision set version_num = '0014_pre_catalog';
