-- Who belongs where and may do what. Row-level security decides which rows a caller sees.

-- name: create_org
select ops.create_org(p_org => %(org)s);

-- name: create_project
select ops.create_project(p_org => %(org)s, p_project => %(project)s);

-- name: set_member
select ops.set_member(
  p_org => %(org)s, p_project => %(project)s, p_subject => %(subject)s, p_role => %(role)s, p_envs => %(envs)s
);

-- name: remove_member
select ops.remove_member(p_org => %(org)s, p_project => %(project)s, p_subject => %(subject)s);

-- name: create_access_token
select ops.create_access_token(
  p_name => %(name)s, p_role => %(role)s, p_project_id => %(project_id)s, p_envs => %(envs)s,
  p_lifetime => %(lifetime)s, p_subject => %(subject)s
);

-- name: revoke_access_token
select ops.revoke_access_token(p_name => %(name)s, p_subject => %(subject)s);

-- name: use_access_token
select ops.use_access_token();

-- name: share_dataset
select ops.share_dataset(p_dataset_id => %(dataset_id)s, p_reader_id => %(reader_id)s);

-- name: unshare_dataset
select ops.unshare_dataset(p_dataset_id => %(dataset_id)s, p_reader_id => %(reader_id)s);

-- name: allow_secret
select ops.allow_secret(p_project_id => %(project_id)s, p_reference => %(reference)s, p_envs => %(envs)s);

-- name: disallow_secret
select ops.disallow_secret(p_project_id => %(project_id)s, p_reference => %(reference)s);

-- name: promote_pipeline
select ops.promote_pipeline(
  p_project_id => %(project_id)s, p_pipeline => %(pipeline)s, p_version => %(version)s, p_env => %(env)s, p_note => %(note)s
);

-- name: orgs
select o.slug as org, o.created_at, (select count(*) from ops.projects p where p.org_id = o.id) as projects
from ops.orgs o
order by o.slug;

-- name: projects
select o.slug as org, p.slug as project, p.id as project_id, p.created_at
from ops.projects p
join ops.orgs o on o.id = p.org_id
order by o.slug, p.slug;

-- name: members
select o.slug as org, p.slug as project, m.subject, m.role, m.envs, m.created_at
from ops.memberships m
join ops.orgs o on o.id = m.org_id
left join ops.projects p on p.id = m.project_id
where (%(org)s::text is null or o.slug = %(org)s) and (%(project)s::text is null or p.slug = %(project)s)
order by o.slug, p.slug nulls first, m.subject;

-- name: access_tokens
select t.name, t.subject, t.role, o.slug as org, p.slug as project, t.envs, t.created_at, t.expires_at, t.revoked_at,
  t.last_used_at
from ops.access_tokens t
left join ops.projects p on p.id = t.project_id
left join ops.orgs o on o.id = p.org_id
order by t.subject, t.created_at desc;

-- name: dataset_id
select d.id
from ops.datasets d
join ops.projects p on p.id = d.project_id
join ops.orgs o on o.id = p.org_id
where o.slug = %(org)s and p.slug = %(project)s and d.env = %(env)s and d.layer = %(layer)s and d.name = %(name)s;

-- name: grants
select o.slug as org, p.slug as project, d.env, d.layer || '.' || d.name as dataset, g.reader_id,
  ro.slug || '/' || r.slug as reader, g.granted_at
from ops.grants g
join ops.datasets d on d.id = g.dataset_id
left join ops.projects p on p.id = g.project_id
left join ops.orgs o on o.id = p.org_id
left join ops.projects r on r.id = g.reader_id
left join ops.orgs ro on ro.id = r.org_id
order by o.slug, p.slug, d.layer, d.name;

-- name: secret_grants
select o.slug as org, p.slug as project, s.reference, s.envs, s.granted_at
from ops.secret_grants s
join ops.projects p on p.id = s.project_id
join ops.orgs o on o.id = p.org_id
order by o.slug, p.slug, s.reference;

-- name: pipeline_versions
select l.version, l.sha256, l.git_sha, l.created_at,
  array(
    select e.env
    from unnest(array['stage', 'prod']) as e (env)
    where l.version = (
      select m.version from ops.promotions m
      where m.project_id = l.project_id and m.pipeline = l.slug and m.env = e.env
      order by m.promoted_at desc, m.id desc
      limit 1)
  ) as promoted_to
from ops.pipelines l
where l.project_id = %(project_id)s and l.slug = %(pipeline)s
order by l.version desc;

-- name: audit_log
select a.at, o.slug as org, p.slug as project, a.subject, a.acting_role, a.action, a.target, a.before, a.after, a.origin,
  a.access_token_id
from ops.audit_log a
left join ops.orgs o on o.id = a.org_id
left join ops.projects p on p.id = a.project_id
where (%(project_id)s::uuid is null or a.project_id = %(project_id)s)
order by a.at desc, a.id desc
limit %(limit)s;

-- name: sees_env
select 1 from private.my_scopes() as s where s = %(project_id)s::uuid::text || '/' || %(env)s;
