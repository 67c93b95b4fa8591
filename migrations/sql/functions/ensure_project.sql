-- The project's id; org and project are created where they are missing.
create or replace function ops.ensure_project(p_org text, p_project text) returns uuid
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org uuid;
  v_project uuid;
begin
  select p.id into v_project
  from ops.projects p join ops.orgs o on o.id = p.org_id
  where o.slug = p_org and p.slug = p_project;
  if found then
    return v_project;
  end if;
  insert into ops.orgs (slug) values (p_org) on conflict (slug) do nothing;
  select id into strict v_org from ops.orgs where slug = p_org;
  insert into ops.projects (org_id, slug) values (v_org, p_project) on conflict (org_id, slug) do nothing;
  select id into strict v_project from ops.projects where org_id = v_org and slug = p_project;
  return v_project;
end
$$;
