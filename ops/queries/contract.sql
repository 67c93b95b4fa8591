-- What schema api offers, for the OpenAPI document.

-- name: functions
with functions as (
    select p.oid, p.proname as name, p.proretset as is_set, p.pronargs, p.pronargdefaults, p.proargnames,
        coalesce(p.proallargtypes, p.proargtypes::oid[]) as types, p.proargmodes as modes,
        format_type(p.prorettype, null) as result, obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p
    where p.pronamespace = 'api'::regnamespace
), arguments as (
    select f.oid, a.number, a.type, f.proargnames[a.number] as name, coalesce(f.modes[a.number], 'i') as mode,
        coalesce(f.modes[a.number], 'i') = 'i' and a.number > f.pronargs - f.pronargdefaults as optional,
        format_type(a.type, null) as type_name
    from functions f cross join unnest(f.types) with ordinality as a (type, number)
)
select f.name, f.is_set, f.result, f.comment,
    array(
        select r.rolname::text from pg_roles r
        where r.rolname in ('authenticated', 'controlroom_executor') and has_function_privilege(r.rolname, f.oid, 'execute')
    ) as roles,
    coalesce((
        select jsonb_agg(
            jsonb_build_object('name', a.name, 'type', a.type_name, 'optional', a.optional) order by a.number)
        from arguments a where a.oid = f.oid and a.mode = 'i'
    ), '[]') as arguments,
    coalesce((
        select jsonb_agg(jsonb_build_object('name', a.name, 'type', a.type_name) order by a.number)
        from arguments a where a.oid = f.oid and a.mode = 't'
    ), '[]') as columns
from functions f
order by f.name;

-- name: views
select c.relname as name,
    array(
        select r.rolname::text from pg_roles r
        where r.rolname in ('authenticated', 'controlroom_executor') and has_table_privilege(r.rolname, c.oid, 'select')
    ) as roles,
    (
        select jsonb_agg(
            jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
    ) as columns
from pg_class c
where c.relnamespace = 'api'::regnamespace and c.relkind = 'v'
order by c.relname;

-- name: errors
select e.code, e.status from private.http_errors() as e order by e.status, e.code;
