-- What `controlroom doctor` asks the database; nothing here changes anything.

-- name: server
select
    current_setting('server_version') as version, current_setting('server_version_num')::int as number,
    session_user::text as login, clock_timestamp() as now,
    (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as allowed,
    pg_database_size(current_database()) as byte_size;

-- name: owner
select (select tableowner::text from pg_tables where schemaname = 'ops' and tablename = 'runs') as owner,
    to_regclass('private.schema_revision') is not null as revised;

-- name: may_act
select pg_has_role(session_user, %(owner)s, 'usage') as may;

-- name: revision
select version_num from private.schema_revision;

-- name: oldest_transaction
select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 as seconds,
    (array_agg(application_name || ' (pid ' || pid || ')' order by xact_start))[1] as who
from pg_stat_activity
where datname = current_database() and xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend';

-- name: partitions
select exists (
        select from pg_class
        where relnamespace = 'ops'::regnamespace
            and relname = 'run_events_' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY_MM')
    ) as this_month,
    exists (
        select from pg_class
        where relnamespace = 'ops'::regnamespace
            and relname = 'run_events_' || to_char(clock_timestamp() at time zone 'UTC' + interval '1 month', 'YYYY_MM')
    ) as next_month;

-- name: untold
-- Runs of which the receiver of lineage does not know everything, the oldest first, and since when the first event of them waits.
with untold as (
    select s.run_id, s.seq, s.last_error, s.sent_at
    from ops.lineage_sent s
    join ops.runs r on r.id = s.run_id
    left join ops.run_leases l on l.run_id = s.run_id
    where not s.done and coalesce(l.event_seq, r.event_seq) > s.seq
    order by s.run_id
    limit 1000
)
select count(*) as runs, coalesce(max(extract(epoch from clock_timestamp() - e.ts)), 0)::float8 as seconds,
    (array_agg(u.last_error order by u.sent_at desc) filter (where u.last_error is not null))[1] as error
from untold u
cross join lateral (select min(n.ts) as ts from ops.run_events n where n.run_id = u.run_id and n.seq > u.seq) e;

-- name: unserved
-- Runs that wait for a capability which no live executor has, by what they need; of the queue only its head is looked at.
with queued as materialized (
    select r.capabilities from ops.runs r where r.status = 'queued' order by r.priority, r.turn, r.id limit 20000
)
select array_to_string(q.capabilities, ', ') as needs, count(*) as runs
from queued q
where not exists (
    select from ops.executors x
    where x.state = 'active' and x.last_seen > clock_timestamp() - %(within)s and q.capabilities <@ x.capabilities
)
group by q.capabilities
order by runs desc
limit 20;

-- name: superset_followed
select exists (
    select from pg_locks
    where locktype = 'advisory' and granted and classid = 0 and objid = %(election)s and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
) as followed;
