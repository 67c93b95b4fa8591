-- What readers' tables hold is known where they are; that a person put earlier rows back is known here.

-- Writes down that rows of a project's environment were rolled back, for whom it is allowed: editors decide what readers get.
create or replace function ops.note_rollback(
  p_project_id uuid, p_env text, p_table text, p_before jsonb, p_after jsonb, p_note text default null
) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.require_role(p_project_id, p_env, 'editor');
  perform private.require(p_table, 'p_table');
  perform private.audit(null, p_project_id, 'publications.rollback', p_table,
    pg_catalog.jsonb_build_object('env', p_env) || p_before,
    pg_catalog.jsonb_build_object('env', p_env, 'note', nullif(p_note, '')) || p_after);
end
$$;
