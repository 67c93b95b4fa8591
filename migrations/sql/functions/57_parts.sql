-- When the elected steward last went its round; null where none ever did. It tells of the installation and of nobody's rows.
create or replace function ops.steward_seen() returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select at from private.steward_pulse);
end
$$;
