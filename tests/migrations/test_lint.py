"""What a linter of hosted Postgres would warn about, asked of the catalogue: one query a rule, each proven by a fault."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from ops.sql import parse
from tests.postgres import Databases

RULES = parse(Path(__file__).with_name("lint.sql").read_text())

# A rule and the smallest change that breaks it.
FAULTS = {
    "foreign_key_without_index": "create table ops.f (id int primary key, run_id uuid references ops.runs)",
    "table_without_primary_key": "create table ops.f (id int)",
    "row_security_off": "create table ops.f (id int primary key)",
    "row_security_without_policy": "create table ops.f (id int primary key); alter table ops.f enable row level security",
    "several_permissive_policies": "create policy second on ops.runs for select to authenticated using (false)",
    "policy_always_true": "create policy open on ops.runs for select to authenticated using (true)",
    "policy_calls_per_row": "create policy slow on ops.runs for select to authenticated using (pipeline = private.subject())",
    "duplicate_index": "create index again on ops.queries (project_id, created_at desc, run_id desc)",
    "view_of_its_owner": "create view ops.v as select 1 as one",
    "function_with_callers_search_path": "create function ops.f() returns int language sql set search_path = '' as 'select 1'",
    "definer_function_for_anon": (
        "create function ops.f() returns int language sql security definer set search_path = pg_catalog, pg_temp as 'select 1'"
    ),
    "materialised_view_for_people": "create materialized view ops.v as select 1 as one; grant select on ops.v to authenticated",
    "column_of_a_type_that_loses_time_zone": "alter table ops.runs add seen timestamp",
}


@pytest.mark.parametrize("rule", RULES)
def test_the_schema_breaks_no_rule(connection: psycopg.Connection, rule: str) -> None:
    assert connection.execute(RULES[rule].encode()).fetchall() == []


def test_each_rule_has_a_fault() -> None:
    assert set(FAULTS) == set(RULES)


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_by_its_rule(databases: Databases, template: str, rule: str) -> None:
    with databases.clone(template) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FAULTS[rule].encode())
        assert connection.execute(RULES[rule].encode()).fetchall() != []
