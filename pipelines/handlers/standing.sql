-- Everything that stands on a table and would be lost with it, each as the statement that puts it on the table that takes its
-- place, in the order in which they run. Statements name the table as it is called now. Null: no statement moves it.
-- A publication's own comment is not among it, nor are indexes.
with whole as (
  select c.*, c.oid::regclass::text as called from pg_class c where c.oid = to_regclass(%(table)s)
),
dependent as (
  select distinct r.ev_class, r.rulename
  from whole t
  join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.classid = 'pg_rewrite'::regclass
  join pg_rewrite r on r.oid = d.objid
  where r.ev_class <> t.oid
),
found (step, kind, name, statement) as (
  select 1, 'grant', g.privilege_type, format(
    'grant %%s on %%s to %%s%%s', g.privilege_type, t.called,
    case when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
    case when g.is_grantable then ' with grant option' else '' end)
  from whole t, aclexplode(t.relacl) g
  where g.grantee <> t.relowner
  union all
  select 1, 'grants of column', a.attname, format(
    'grant %%s (%%I) on %%s to %%s%%s', g.privilege_type, a.attname, t.called,
    case when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
    case when g.is_grantable then ' with grant option' else '' end)
  from whole t
  join pg_attribute a on a.attrelid = t.oid and a.attacl is not null and not a.attisdropped,
  aclexplode(a.attacl) g
  where g.grantee <> t.relowner
  union all
  select 2, 'column', a.attname, format('alter table %%s alter column %%I set not null', t.called, a.attname)
  from whole t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and a.attnotnull and not a.attisdropped
  union all
  select 2, 'comment of column', a.attname, format('comment on column %%s.%%I is %%L', t.called, a.attname, d.description)
  from whole t
  join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = t.oid and d.objsubid > 0
  join pg_attribute a on a.attrelid = t.oid and a.attnum = d.objsubid and not a.attisdropped
  union all
  -- Keys first: what else there is may lean on them.
  select case when n.contype in ('p', 'u', 'x') then 3 else 4 end, 'constraint', n.conname,
    format('alter table %%s add constraint %%I %%s', t.called, n.conname, pg_get_constraintdef(n.oid))
  from whole t join pg_constraint n on n.conrelid = t.oid and n.contype in ('p', 'u', 'x', 'c', 'f')
  union all
  select 5, 'row-level security', s.verb, format('alter table %%s %%s row level security', t.called, s.verb)
  from whole t
  join (values ('enable', false), ('force', true)) as s (verb, forced)
    on case when s.forced then t.relforcerowsecurity else t.relrowsecurity end
  union all
  select 6, 'policy', p.polname, format(
    'create policy %%I on %%s as %%s for %%s to %%s%%s%%s', p.polname, t.called,
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (select string_agg(case when r = 0 then 'public' else r::regrole::text end, ', ') from unnest(p.polroles) as r),
    ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  from whole t join pg_policy p on p.polrelid = t.oid
  union all
  select 7, 'trigger', g.tgname, pg_get_triggerdef(g.oid) || case when g.tgenabled = 'O' then '' else format(
    '; alter table %%s %%s trigger %%I', t.called,
    case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, g.tgname) end
  from whole t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
  union all
  -- What is seen through a view that is nobody's of ours to replace cannot be moved.
  select 8, 'view', c.oid::regclass::text, case
    when c.relkind = 'v' and pg_has_role(c.relowner, 'usage') then format(
      'create or replace view %%s%%s as %%s', c.oid::regclass,
      ' with (' || array_to_string(c.reloptions, ', ') || ')', pg_get_viewdef(c.oid))
    end
  from dependent d join pg_class c on c.oid = d.ev_class
  union all
  select 9, 'foreign key', n.conrelid::regclass::text, null
  from whole t join pg_constraint n on n.confrelid = t.oid and n.conrelid <> t.oid
  union all
  select 9, 'rule', r.rulename, null from whole t join pg_rewrite r on r.ev_class = t.oid
  union all
  select 9, 'heir', i.inhrelid::regclass::text, null from whole t join pg_inherits i on i.inhparent = t.oid
  union all
  select 9, 'publication', p.pubname, case
    when l.prqual is null and l.prattrs is null and pg_has_role(p.pubowner, 'usage')
    then format('alter publication %%I add table %%s', p.pubname, t.called)
    end
  from whole t join pg_publication_rel l on l.prrelid = t.oid join pg_publication p on p.oid = l.prpubid
  union all
  select distinct 9, pg_describe_object(d.classid, d.objid, 0), '', null
  from whole t join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
  where d.classid in ('pg_proc'::regclass, 'pg_statistic_ext'::regclass)
    or d.classid = 'pg_policy'::regclass
      and (select p.polrelid <> t.oid from pg_policy p where p.oid = d.objid)
)
select kind, name, statement from found order by step, kind, name, statement
