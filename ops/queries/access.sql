-- Who may do what, and what was done, as people look at it. Row-level security decides which rows a caller sees.

-- name: my_roles
-- Of the caller's own memberships; where several make somebody a member of one project, the strongest.
select o.slug as org, p.slug as project, p.id as project_id, p.created_at,
  jsonb_object_agg(e.env, (array['viewer', 'operator', 'editor', 'admin'])[e.rank]) as roles
from (
  select m.project_id, n.env, max(m.rank) as rank
  from private.my_memberships() as m
  cross join lateral unnest(m.envs) as n (env)
  group by 1, 2
) as e
join ops.projects p on p.id = e.project_id
join ops.orgs o on o.id = p.org_id
group by o.slug, p.slug, p.id, p.created_at
order by 1, 2;

-- name: my_reach
-- What policies ask of a caller, as one word: callers with the same word see the same rows of what belongs to projects, and it is
-- another as soon as one of them may see more or less.
select encode(sha256(convert_to(concat_ws('|',
  (select string_agg(m::text, ',' order by m::text) from private.my_memberships() as m),
  (select string_agg(o::text, ',' order by o::text) from private.my_orgs() as o),
  (select string_agg(o::text, ',' order by o::text) from private.my_orgs('admin') as o),
  (select string_agg(h::text, ',' order by h::text) from private.my_hidden_envs() as h),
  (select string_agg(d::text, ',' order by d::text) from private.my_shared_datasets() as d)), 'UTF8')), 'hex') as reach;

-- name: is_installation_admin
select private.is_installation_admin() as able;

-- name: administered
-- Where the caller may change members: whole orgs and projects.
select o.slug as org, null as project from ops.orgs o where o.id in (select private.my_orgs('admin'))
union all
select o.slug, p.slug
from ops.projects p
join ops.orgs o on o.id = p.org_id
where p.id in (select private.my_projects('admin'))
order by 1, 2 nulls first;

-- name: promotions
select m.id, o.slug as org, p.slug as project, m.pipeline, m.version, m.env, m.subject, m.note, m.evidence_run, m.promoted_at
from ops.promotions m
join ops.projects p on p.id = m.project_id
join ops.orgs o on o.id = p.org_id
order by m.promoted_at desc, m.id desc
limit %(limit)s;

-- name: audit
-- Of one project, or of all that is in an org: each has its index. Never without a time, since what is looked for may be rare.
select a.id, a.at, p.slug as project, a.subject, a.acting_role, a.action, a.target, a.before, a.after, a.origin,
  a.access_token_id
from ops.audit_log a
left join ops.projects p on p.id = a.project_id
where a.project_id = %(project_id)s and a.at >= %(since)s
  and (a.at, a.id) < (%(before_at)s, %(before_id)s)
  and (%(who)s::text = '' or a.subject = %(who)s::text)
  and (%(what)s::text = '' or position(%(what)s::text in a.action) > 0)
order by a.at desc, a.id desc
limit %(limit)s;

-- name: audit_of_org
select a.id, a.at, p.slug as project, a.subject, a.acting_role, a.action, a.target, a.before, a.after, a.origin,
  a.access_token_id
from ops.audit_log a
left join ops.projects p on p.id = a.project_id
where a.org_id = (select o.id from ops.orgs o where o.slug = %(org)s) and a.at >= %(since)s
  and (a.at, a.id) < (%(before_at)s, %(before_id)s)
  and (%(who)s::text = '' or a.subject = %(who)s::text)
  and (%(what)s::text = '' or position(%(what)s::text in a.action) > 0)
order by a.at desc, a.id desc
limit %(limit)s;
