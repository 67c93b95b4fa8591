-- Registers a spec and returns its version; the same content from the same git sha is the same version.
create or replace function ops.register_pipeline(
  p_project_id uuid, p_slug text, p_spec jsonb, p_sha256 text, p_git_sha text
) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, 'dev', 'editor');
  perform private.require(p_slug, 'p_slug'), private.require(p_sha256, 'p_sha256'),
    private.require(p_git_sha, 'p_git_sha');
  return private.pipeline_version(p_project_id, 'dev', p_slug, p_spec, p_sha256, p_git_sha);
end
$$;
