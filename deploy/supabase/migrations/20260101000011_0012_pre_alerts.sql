select 1;

update private.schema_revision set version_num = '0012_pre_alerts';
