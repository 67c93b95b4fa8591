-- Each query returns what breaks its rule: nothing, where all is well. Schemas are ours: ops, private, api.

-- name: foreign_key_without_index
select c.conrelid::regclass::text, c.conname
from pg_constraint c
-- An executor is never deleted: an index on its runs would be paid by each claim and used by nobody.
where c.contype = 'f' and c.connamespace = 'ops'::regnamespace and c.confrelid <> 'ops.executors'::regclass
    and not exists (
        select from pg_index i
        where i.indrelid = c.conrelid
            and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
            and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ 'IS NOT NULL')
    );

-- name: table_without_primary_key
select c.oid::regclass::text
from pg_class c
where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p')
    and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p');

-- name: row_security_off
select c.oid::regclass::text
from pg_class c
where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity);

-- name: row_security_without_policy
select c.oid::regclass::text
from pg_class c
where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
    and not exists (select from pg_policy p where p.polrelid = c.oid);

-- name: several_permissive_policies
-- Postgres evaluates each of them for each row.
select p.polrelid::regclass::text, r.oid::regrole::text, count(*)
from pg_policy p
cross join unnest(p.polroles) as asked (role)
join pg_roles r on r.oid = asked.role
where p.polpermissive and p.polrelid::regclass::text like 'ops.%' and p.polcmd in ('r', '*')
group by p.polrelid, r.oid
having count(*) > 1;

-- name: policy_always_true
-- For the owner and the back end true is meant; for people it never is.
select p.polrelid::regclass::text, p.polname
from pg_policy p
cross join unnest(p.polroles) as asked (role)
where asked.role in (0, 'anon'::regrole, 'authenticated'::regrole) and pg_get_expr(p.polqual, p.polrelid) = 'true';

-- name: policy_calls_per_row
-- A helper that is not the whole of a subquery is called for each row instead of once.
select p.polrelid::regclass::text, p.polname
from pg_policy p
where pg_get_expr(p.polqual, p.polrelid) ~ '(?<!(SELECT|FROM) )private\.\w+\(';

-- name: duplicate_index
select i.indrelid::regclass::text, i.indexrelid::regclass::text, j.indexrelid::regclass::text
from pg_index i
join pg_index j on j.indrelid = i.indrelid and j.indexrelid < i.indexrelid
join pg_class c on c.oid = i.indrelid
where c.relnamespace = 'ops'::regnamespace and i.indkey::text = j.indkey::text and i.indclass::text = j.indclass::text
    and i.indoption::text = j.indoption::text
    and coalesce(pg_get_expr(i.indpred, i.indrelid), '') = coalesce(pg_get_expr(j.indpred, j.indrelid), '');

-- name: view_of_its_owner
select c.oid::regclass::text
from pg_class c
where c.relnamespace in ('ops'::regnamespace, 'api'::regnamespace) and c.relkind = 'v'
    and not coalesce(c.reloptions::text ~ 'security_invoker=(true|on|1)', false);

-- name: function_with_callers_search_path
-- Also one with an empty path: what is temporary is searched first where it is not named.
select p.oid::regprocedure::text
from pg_proc p
where p.pronamespace in ('ops'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
    and not 'search_path=pg_catalog, pg_temp' = any(coalesce(p.proconfig, '{}'));

-- name: definer_function_for_anon
select p.oid::regprocedure::text
from pg_proc p
where p.pronamespace in ('ops'::regnamespace, 'private'::regnamespace, 'api'::regnamespace) and p.prosecdef
    and has_function_privilege('anon', p.oid, 'execute');

-- name: materialised_view_for_people
-- Row-level security does not reach into one.
select c.oid::regclass::text
from pg_class c
where c.relkind = 'm' and (has_table_privilege('authenticated', c.oid, 'select') or has_table_privilege('anon', c.oid, 'select'));

-- name: column_of_a_type_that_loses_time_zone
select a.attrelid::regclass::text, a.attname
from pg_attribute a
join pg_class c on c.oid = a.attrelid
where c.relnamespace in ('ops'::regnamespace, 'api'::regnamespace) and c.relkind in ('r', 'p')
    and a.attnum > 0 and a.atttypid = 'timestamp'::regtype;
