-- What makes a table safe: row-level security on, and forced so that it binds the owner too.

-- Every ops table passes through here. The owner works through definer functions: it gets a policy of its own, which a
-- superuser would not need but a plain owner (managed Postgres, Supabase) does. service_role is the back end's.
create or replace function private.protect_table(p_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_role text;
begin
  execute pg_catalog.format('alter table ops.%I enable row level security', p_table);
  execute pg_catalog.format('alter table ops.%I force row level security', p_table);
  foreach v_role in array array[current_user::text, 'service_role'] loop
    execute pg_catalog.format('drop policy if exists %I on ops.%I', v_role || '_all', p_table);
    execute pg_catalog.format(
      'create policy %I on ops.%I for all to %I using (true) with check (true)', v_role || '_all', p_table, v_role);
  end loop;
end
$$;

-- Lets people read the rows of a table for which p_condition holds. One policy a table, replaced whole.
create or replace function private.let_people_read(p_table text, p_condition text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute pg_catalog.format('drop policy if exists people_read on ops.%I', p_table);
  execute pg_catalog.format(
    'create policy people_read on ops.%I for select to authenticated using (%s)', p_table, p_condition);
  execute pg_catalog.format('grant select on ops.%I to authenticated', p_table);
end
$$;

create or replace function private.make_append_only(p_table text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute pg_catalog.format('revoke update, delete, truncate on ops.%I from service_role', p_table);
  -- On a partition the row trigger is inherited from the parent; truncate triggers never are.
  if not exists (
    select from pg_catalog.pg_trigger
    where tgrelid = ('ops.' || pg_catalog.quote_ident(p_table))::regclass and tgname = 'append_only'
  ) then
    execute pg_catalog.format(
      'create trigger append_only before update or delete on ops.%I for each row execute function private.refuse_change()',
      p_table);
  end if;
  execute pg_catalog.format(
    'create or replace trigger append_only_truncate before truncate on ops.%I '
    'for each statement execute function private.refuse_change()', p_table);
end
$$;
