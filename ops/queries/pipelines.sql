-- Pipelines as people look at them. Row-level security decides which rows a caller sees.

-- name: pipelines
-- A page in the order of their names, each with what its latest runs say. Further back than a hundred runs nobody looks.
with page as (
  select o.slug as org, p.slug as project, l.project_id, l.slug, max(l.version) as version
  from ops.pipelines l
  join ops.projects p on p.id = l.project_id
  join ops.orgs o on o.id = p.org_id
  where (o.slug, p.slug, l.slug) > (%(org)s, %(project)s, %(slug)s)
    and (%(text)s = '' or position(%(text)s in l.slug) > 0)
    and (%(within)s::text is null or o.slug || '/' || p.slug = %(within)s)
  group by 1, 2, 3, 4
  order by 1, 2, 4
  limit %(limit)s
)
select g.org, g.project, g.slug, g.version, coalesce(l.spec ->> 'owner', '') as owner,
  coalesce(l.spec ->> 'description', '') as description, coalesce(l.spec -> 'schedule', '{}') as schedule, l.created_at,
  coalesce(
    (select jsonb_object_agg(e.env, m.version)
     from unnest(array['stage', 'prod']) as e (env)
     cross join lateral (
       select m.version from ops.promotions m
       where m.project_id = g.project_id and m.pipeline = g.slug and m.env = e.env
       order by m.promoted_at desc, m.id desc
       limit 1) as m), '{}') as promoted,
  coalesce(h.recent, '[]') as recent, coalesce(h.latest, '[]') as latest
from page g
join ops.pipelines l on l.project_id = g.project_id and l.slug = g.slug and l.version = g.version
left join lateral (
  select jsonb_agg(s.run order by s.number) filter (where s.number <= 20) as recent,
    jsonb_agg(s.run order by s.env) filter (where s.of_env = 1) as latest
  from (
    select n.number, n.of_env, n.env,
      jsonb_build_object('run_id', n.id, 'env', n.env, 'status', n.status, 'created_at', n.created_at,
        'seconds', extract(epoch from n.finished_at - n.started_at)) as run
    from (
      select r.*, row_number() over (partition by r.env order by r.number) as of_env
      from (
        select f.id, f.env, f.status, f.created_at, f.started_at, f.finished_at,
          row_number() over (order by f.created_at desc, f.id desc) as number
        from ops.runs f
        where f.project_id = g.project_id and f.pipeline = g.slug
        order by f.created_at desc, f.id desc
        limit 100
      ) as r
    ) as n
    where n.number <= 20 or n.of_env = 1
  ) as s
) as h on true
order by g.org, g.project, g.slug;

-- name: names
select distinct o.slug as org, p.slug as project, l.slug
from ops.pipelines l
join ops.projects p on p.id = l.project_id
join ops.orgs o on o.id = p.org_id
order by 1, 2, 3
limit %(limit)s;

-- name: first_scored
-- In the order of names, the first of which a run was scored lately.
select n.org, n.project, n.slug
from (
  select distinct o.slug as org, p.slug as project, p.id as project_id, l.slug
  from ops.pipelines l
  join ops.projects p on p.id = l.project_id
  join ops.orgs o on o.id = p.org_id
) as n
where exists (
  select
  from (
    select r.id from ops.runs r
    where r.project_id = n.project_id and r.pipeline = n.slug
    order by r.created_at desc, r.id desc
    limit 10
  ) as f
  join ops.run_scores s on s.run_id = f.id
)
order by 1, 2, 3
limit 1;

-- name: pipeline
select o.slug as org, p.slug as project, p.id as project_id, l.slug, l.version, l.spec, l.sha256, l.git_sha, l.created_at
from ops.pipelines l
join ops.projects p on p.id = l.project_id
join ops.orgs o on o.id = p.org_id
where o.slug = %(org)s and p.slug = %(project)s and l.slug = %(slug)s
  and (%(version)s::int is null or l.version = %(version)s)
order by l.version desc
limit 1;

-- name: history
select r.id as run_id, r.env, r.status, r.created_at, extract(epoch from r.finished_at - r.started_at)::float8 as seconds,
  r.pipeline_version as version
from ops.runs r
where r.project_id = %(project_id)s and r.pipeline = %(slug)s
order by r.created_at desc, r.id desc
limit %(limit)s;

-- name: scored
-- Of the latest runs those that have a score, with what it is made of.
select f.id as run_id, f.env, f.status, f.created_at, s.score::float8, s.sentence, s.breakdown
from (
  select r.id, r.env, r.status, r.created_at
  from ops.runs r
  where r.project_id = %(project_id)s and r.pipeline = %(slug)s
  order by r.created_at desc, r.id desc
  limit %(limit)s
) as f
join ops.run_scores s on s.run_id = f.id
order by f.created_at desc, f.id desc;

-- name: phase_states
select ph.name, ph.status from ops.run_phases ph where ph.run_id = %(run_id)s order by ph.ordinal;

-- name: versions
select l.version, l.sha256, l.git_sha, l.created_at
from ops.pipelines l
where l.project_id = %(project_id)s and l.slug = %(slug)s
order by l.version desc
limit %(limit)s;

-- name: specs
select l.version, l.spec
from ops.pipelines l
where l.project_id = %(project_id)s and l.slug = %(slug)s and l.version = any (%(versions)s);

-- name: promotions
select m.env, m.version, m.subject, m.note, m.evidence_run, m.promoted_at
from ops.promotions m
where m.project_id = %(project_id)s and m.pipeline = %(slug)s
order by m.promoted_at desc, m.id desc
limit %(limit)s;

-- name: promoted
-- What stage and prod run now.
select m.env, m.version, m.subject, m.note, m.evidence_run, m.promoted_at
from unnest(array['stage', 'prod']) as e (env)
cross join lateral (
  select m.env, m.version, m.subject, m.note, m.evidence_run, m.promoted_at
  from ops.promotions m
  where m.project_id = %(project_id)s and m.pipeline = %(slug)s and m.env = e.env
  order by m.promoted_at desc, m.id desc
  limit 1
) as m;

-- name: my_envs
-- Environments of a project in which the caller has at least that role, in the order in which a version is promoted.
select e.env
from unnest(array['dev', 'stage', 'prod']) with ordinality as e (env, place)
where %(project_id)s::uuid::text || '/' || e.env in (select private.my_scopes(%(role)s))
order by e.place;
