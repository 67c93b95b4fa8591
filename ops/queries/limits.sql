-- Caps, pools, prices, what runs used of them, and what a queued run waits for. Row-level security decides which rows a caller sees.

-- name: caps
select c.key, c.org, c.project, c.pipeline, c.unit, c.period, c.amount, c.used, c.resets_at, c.used_up_at
from ops.cap_report() as c;

-- name: set_cap
select ops.set_cap(
    p_org => %(org)s, p_project => %(project)s, p_key => %(key)s, p_unit => %(unit)s, p_amount => %(amount)s,
    p_period => %(period)s, p_pipeline => %(pipeline)s
);

-- name: remove_cap
select ops.remove_cap(p_org => %(org)s, p_key => %(key)s);

-- name: pools
select
    l.name, o.slug as org, p.slug as project, l.slots, coalesce(u.used, 0)::int as used, coalesce(u.runs, '{}') as runs
from ops.pools l
join ops.orgs o on o.id = l.org_id
left join ops.projects p on p.id = l.project_id
left join lateral (
    select sum(u.slots) as used, array_agg(u.run_id order by u.taken_at) as runs
    from ops.pool_uses u
    join ops.run_leases r on r.run_id = u.run_id and r.lease_token = u.lease_token
    where u.pool_id = l.id
) u on true
order by o.slug, p.slug nulls first, l.name;

-- name: set_pool
select ops.set_pool(p_org => %(org)s, p_project => %(project)s, p_name => %(name)s, p_slots => %(slots)s);

-- name: remove_pool
select ops.remove_pool(p_org => %(org)s, p_project => %(project)s, p_name => %(name)s);

-- name: prices
select
    o.slug as org, c.unit, c.price, c.currency, c.valid_from, c.created_by,
    lead(c.valid_from) over (partition by c.org_id, c.unit order by c.valid_from) as valid_until
from ops.prices c
join ops.orgs o on o.id = c.org_id
order by o.slug, c.unit, c.valid_from;

-- name: set_price
select ops.set_price(
    p_org => %(org)s, p_unit => %(unit)s, p_price => %(price)s, p_currency => %(currency)s, p_valid_from => %(valid_from)s
);

-- name: usage
-- Of each phase of a run, all its tries together.
select
    u.phase, count(*)::int as tries, sum(u.seconds) as seconds, sum(u.cpu_seconds) as cpu_seconds,
    max(u.peak_memory_bytes) as peak_memory_bytes, sum(u.read_bytes)::bigint as read_bytes,
    sum(u.written_bytes)::bigint as written_bytes, sum(u.cost) as cost, max(u.currency) as currency
from ops.phase_usage u
where u.run_id = %(run_id)s
group by u.phase
order by min(u.reported_at);

-- name: why_waiting
select w.reason, w.said, w.until, w.data from ops.why_waiting(p_run_id => %(run_id)s) w;
