-- A cap's name is its org's: another org may have the same, and learns nothing of it by asking for it.
alter table ops.caps
  drop constraint caps_key_key,
  add constraint caps_org_key unique (org_id, key);
drop index ops.caps_org;
