-- What one project lets another read, and which secrets a project's runs may resolve.

-- Lets the runs and members of a project read a dataset of another. The reader is named by its id, which its members know
-- and others cannot guess: a name would tell whoever may share which projects there are.
create or replace function ops.share_dataset(p_dataset_id uuid, p_reader_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset record;
begin
  v_dataset := private.my_dataset(p_dataset_id);
  if not exists (select from ops.projects where id = p_reader_id) then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  if p_reader_id = v_dataset.project_id then
    raise exception using errcode = 'CR007', message = 'the dataset is that project''s own; nothing needs to be shared';
  end if;
  insert into ops.grants (dataset_id, project_id, reader_id)
  values (p_dataset_id, v_dataset.project_id, p_reader_id)
  on conflict (dataset_id, reader_id) do nothing;
end
$$;

create or replace function ops.unshare_dataset(p_dataset_id uuid, p_reader_id uuid) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.my_dataset(p_dataset_id);
  delete from ops.grants where dataset_id = p_dataset_id and reader_id = p_reader_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'the dataset is not shared with that project';
  end if;
end
$$;

-- The dataset, where the caller administers it.
create or replace function private.my_dataset(p_dataset_id uuid) returns ops.datasets
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_dataset ops.datasets;
begin
  select * into v_dataset from ops.datasets where id = p_dataset_id;
  if not found then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  end if;
  perform private.require_role(v_dataset.project_id, v_dataset.env, 'admin');
  return v_dataset;
end
$$;

-- Whether a run may read another project's table, asked by its owner under the fence: the version that is registered, or
-- NotAllowed. The table is looked for in the run's own environment.
create or replace function ops.shared_dataset(
  p_run_id uuid, p_lease_token bigint, p_org text, p_project text, p_layer text, p_name text
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_version bigint;
begin
  perform private.require_lease(p_run_id, p_lease_token);
  select d.version into v_version
  from ops.runs r
  join ops.orgs o on o.slug = p_org
  join ops.projects p on p.org_id = o.id and p.slug = p_project
  join ops.datasets d on d.project_id = p.id and d.env = r.env and d.layer = p_layer and d.name = p_name
  where r.id = p_run_id and d.version is not null
    and (d.project_id = r.project_id
      or exists (select from ops.grants g where g.dataset_id = d.id and g.reader_id = r.project_id));
  if found then
    return v_version;
  end if;
  -- The same words whether the table is missing or not shared.
  raise exception using errcode = 'CR005', message = pg_catalog.format(
    '%s/%s:%s.%s is not shared with this project; ask an admin of %s/%s for `controlroom dataset share`',
    p_org, p_project, p_layer, p_name, p_org, p_project);
end
$$;

-- Secrets belong to the installation: its operator says which project's runs may resolve them.
create or replace function ops.allow_secret(
  p_project_id uuid, p_reference text, p_envs text[] default '{dev,stage,prod}'
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_envs(p_envs);
  insert into ops.secret_grants (project_id, reference, envs) values (p_project_id, p_reference, p_envs)
  on conflict (project_id, reference) do update set envs = excluded.envs
  where secret_grants.envs is distinct from excluded.envs;
exception
  when foreign_key_violation then
    raise exception using errcode = 'CR004', message = 'there is no such project or run; check the id';
  when check_violation then
    raise exception using errcode = 'CR007', message = pg_catalog.format(
      '%s is no secret reference; write secret://env/NAME or secret://file/PATH, with * at the end for all that begin so',
      p_reference);
end
$$;

create or replace function ops.disallow_secret(p_project_id uuid, p_reference text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from ops.secret_grants where project_id = p_project_id and reference = p_reference;
  if not found then
    raise exception using errcode = 'CR004', message = pg_catalog.format(
      '%s is not allowed to that project; `controlroom secret list` shows what is', p_reference);
  end if;
end
$$;

-- The references that a run may resolve, for its owner.
create or replace function ops.run_secrets(p_run_id uuid, p_lease_token bigint) returns text[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_lease(p_run_id, p_lease_token);
  return array(
    select s.reference
    from ops.runs r
    join ops.secret_grants s on s.project_id = r.project_id and r.env = any (s.envs)
    where r.id = p_run_id
    order by s.reference);
end
$$;

-- For an owner's questions, which change nothing and hold nothing.
create or replace function private.require_lease(p_run_id uuid, p_lease_token bigint) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from ops.run_leases
    where run_id = p_run_id and lease_token = p_lease_token and expires_at > pg_catalog.clock_timestamp()) then
    perform private.lease_lost(p_run_id, p_lease_token);
  end if;
end
$$;
