"""Types of the attacker's own, in the one schema that everybody may write to: no function of ours ever uses one of them."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg import sql

from tests.attack.population import Population
from tests.attack.tally import Tally

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TYPES = (
    "text",
    "uuid",
    "jsonb",
    "timestamptz",
    "float8",
    "bytea",
    "int4",
    "int8",
    "bool",
    "date",
    "numeric",
    "regclass",
)
# Whoever runs this is asked who he is; the attacker may know himself.
TRAP = """
create function pg_temp.trap_{0}(pg_catalog.{0}) returns boolean language plpgsql as $$
begin
  if current_user <> {1} then
    raise exception 'runs as %', current_user using errcode = 'XX999';
  end if;
  return true;
end
$$;
create domain pg_temp.{0} as pg_catalog.{0} check (pg_temp.trap_{0}(value))
"""
CALLS = """
select format('select %%I.%%I(%%s)', n.nspname, p.proname, (
  select string_agg(format('null::%%I.%%I', tn.nspname, t.typname), ', ')
  from unnest(p.proargtypes) with ordinality as a (type, place)
  join pg_type t on t.oid = a.type join pg_namespace tn on tn.oid = t.typnamespace))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('ops', 'api') and has_function_privilege(%s, p.oid, 'execute') and p.prorettype <> 'trigger'::regtype
order by 1
"""
LOOKS = """
select format('select count(*) from %I.%I', n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('ops', 'api') and c.relkind in ('r', 'p', 'v') and has_table_privilege('authenticated', c.oid, 'select')
"""


def trapped(population: Population, role: str) -> psycopg.Connection:
    """A session as a viewer in which every type that our functions name stands for one of his own as well."""
    connection = psycopg.connect(population.url, autocommit=True)
    claims = json.dumps({"sub": "viewer@acme+books+dev", "role": role})
    connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
    # Where somebody may: on a server of ours nobody but the owner may make anything temporary.
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    for each in TYPES:
        connection.execute(sql.SQL(TRAP).format(sql.SQL(each), sql.Literal(role)))
    return connection


@pytest.mark.parametrize("role", ["authenticated", "controlroom_executor"])
def test_no_type_of_the_callers_is_used_as_the_owner(population: Population, tally: Tally, role: str) -> None:
    calls = [sql.SQL(call) for (call,) in tally.owner.execute(CALLS, [role]).fetchall()]
    if role == "authenticated":
        calls += [sql.SQL(call) for (call,) in tally.owner.execute(LOOKS).fetchall()]
    with trapped(population, role) as connection:
        for call in calls:
            ran = ""
            try:
                connection.execute(call)
            except psycopg.Error as error:
                ran = str(error) if error.sqlstate == "XX999" else ""
            tally.tried(bool(ran), f"{role}: {call.as_string()}: {ran}")
    assert tally.attempts > 15
