-- What the transaction of a question is bound to, as far as the server knows the setting, and the server's version.
-- A login's own statement_timeout stays where it is the shorter one.
with wanted (name, value) as (
  values
    ('transaction_read_only', 'on'), ('statement_timeout', '{milliseconds}'), ('client_connection_check_interval', '1000'),
    ('standard_conforming_strings', 'on'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres')
)
select
  s.name,
  pg_catalog.set_config(
    s.name,
    case s.name
      when 'statement_timeout' then
        case when s.setting::pg_catalog.int8 between 1 and w.value::pg_catalog.int8 then s.setting else w.value end
      else w.value
    end,
    true
  ) as value,
  pg_catalog.current_setting('server_version') as version
from wanted w
join pg_catalog.pg_settings s on s.name = w.name
