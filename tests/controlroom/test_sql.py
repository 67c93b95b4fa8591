"""SQL from the terminal: it asks the lake by table name, needs nothing that runs, and changes nothing."""

from __future__ import annotations

import polars as pl
import pytest

from tests.controlroom.conftest import CommandLine


@pytest.fixture
def people(bare: CommandLine) -> CommandLine:
    """A command line without a database whose lake has ``silver.people``: three rows."""
    path = bare.home / "lake" / "default" / "demo" / "dev" / "silver" / "people"
    pl.DataFrame({"name": ["Ada", "Alan", "Grace"], "age": [36, 41, 85]}).write_delta(str(path))
    bare.environment["CONTROLROOM_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    return bare


def test_sql_asks_the_lake_by_table_name(people: CommandLine) -> None:
    answer = people("sql", "select name, age from silver.people where age > 40 order by age desc", "--json")
    assert answer.json() == [{"name": "Grace", "age": 85}, {"name": "Alan", "age": 41}]


def test_a_table_is_read_by_a_person_too(people: CommandLine) -> None:
    said = people("sql", "select count(*) as people, sum(age) as years from silver.people").out
    assert said.split() == ["people", "years", "3", "162"]


def test_sql_changes_nothing_and_says_what_is_missing(people: CommandLine) -> None:
    assert people("sql", "drop table silver.people").code == 2
    refused = people("sql", "select height from silver.people")
    assert (refused.code, refused.err.split(":")[0]) == (2, "BAD_INPUT")
    assert people("sql", "select 'gold.nowhere' as text", "--json").json() == [{"text": "gold.nowhere"}]
