-- Indexes of a table, each with what follows the table's name in its definition; null where it is not known how to say it of
-- another table. Those that belong to a constraint or to the publication itself are not among them.
select x.relname as name, i.indisunique as is_unique, case
    when starts_with(d.definition, d.head) then substr(d.definition, length(d.head) + 1)
  end as tail
from pg_index i
join pg_class x on x.oid = i.indexrelid,
lateral (
  select pg_get_indexdef(i.indexrelid) as definition, format(
    'CREATE %%sINDEX %%I ON %%s%%s ', case when i.indisunique then 'UNIQUE ' end, x.relname,
    case when x.relkind = 'I' then 'ONLY ' end, i.indrelid::regclass) as head) as d
where i.indrelid = to_regclass(%(table)s) and i.indisvalid
  and not exists (select from pg_constraint n where n.conindid = i.indexrelid and n.conrelid = i.indrelid)
  and not starts_with(x.relname, %(ours)s)
order by x.relname
