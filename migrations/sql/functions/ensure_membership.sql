-- Makes p_subject (the `sub` of its claims) a member of a project, with one role in each of p_envs; a repeat replaces both.
create or replace function ops.ensure_membership(
  p_project_id uuid, p_subject text, p_role text, p_envs text[] default '{dev,stage,prod}'
) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if private.role_rank(p_role) is null then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      'role %s is none; choose viewer, operator, editor or admin', p_role);
  end if;
  insert into ops.memberships (org_id, project_id, subject, role, envs)
  select p.org_id, p.id, p_subject, p_role, p_envs from ops.projects p where p.id = p_project_id
  on conflict (org_id, project_id, subject) do update set role = excluded.role, envs = excluded.envs;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
end
$$;
