-- Statements that take from a table whatever standing.sql would put on the one that takes its place, and everybody's rights:
-- nobody reads what is kept aside.
with whole as (
  select c.*, c.oid::regclass::text as called from pg_class c where c.oid = to_regclass(%(table)s)
)
select format('drop policy %%I on %%s', p.polname, t.called) as statement from whole t join pg_policy p on p.polrelid = t.oid
union all
select format('drop trigger %%I on %%s', g.tgname, t.called)
from whole t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
union all
select format('alter table %%s drop constraint %%I', t.called, n.conname)
from whole t join pg_constraint n on n.conrelid = t.oid and n.contype in ('p', 'u', 'x', 'c', 'f')
where n.conname <> %(kept)s
union all
select format('alter publication %%I drop table %%s', p.pubname, t.called)
from whole t join pg_publication_rel l on l.prrelid = t.oid join pg_publication p on p.oid = l.prpubid
union all
select format('alter table %%s disable row level security, no force row level security', t.called) from whole t
union all
select distinct format('revoke all on %%s from %%s', t.called,
  case when g.grantee = 0 then 'public' else g.grantee::regrole::text end)
from whole t
join lateral (
  select grantee from aclexplode(t.relacl)
  union
  select x.grantee from pg_attribute a, aclexplode(a.attacl) x where a.attrelid = t.oid and not a.attisdropped
) g on g.grantee <> t.relowner
