"""Specs from the terminal, for which nothing needs to run, and the lake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlroom.conftest import SPEC
from tests.controlroom.terminal import Terminal

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def offline(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, NOWHERE)


def test_the_reference_pipelines_are_reached_by_name_and_valid(offline: Terminal) -> None:
    listed = offline("pipeline", "list", "--json").json()
    assert isinstance(listed, list)
    assert {"odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold"} <= {row["pipeline"] for row in listed}
    validated = offline("pipeline", "validate")
    assert validated.code == 0
    assert validated.out.count("valid: ") >= 3


def test_validate_lists_every_fault_of_every_file_with_its_line(offline: Terminal) -> None:
    (offline.home / "a.yaml").write_text(SPEC.replace("kind: query", "kind: qwery"))
    (offline.home / "b.yaml").write_text(SPEC.replace("owner", "ownre").replace("integer", "whole"))
    answer = offline("pipeline", "validate", "a.yaml", "b.yaml")
    assert answer.code == 2
    faults = answer.out.splitlines()
    assert any(line.startswith("a.yaml:8:") and "did you mean query?" in line for line in faults)
    assert sum(line.startswith("b.yaml:") for line in faults) >= 2


def test_show_says_what_each_phase_reads_and_writes(offline: Terminal) -> None:
    shown = offline("pipeline", "show", "silver_to_gold", "--json").json()
    assert isinstance(shown, dict)
    assert len(shown["spec_sha256"]) == 64
    assert "gold.revenue_by_month" in offline("pipeline", "show", "silver_to_gold").out


def test_sql_asks_the_lake_by_table_name(terminal: Terminal, people: Path) -> None:
    answer = terminal("sql", "select name, age from silver.people where age > 40 order by age desc", "--json")
    assert answer.json() == [{"name": "Grace", "age": 85}, {"name": "Alan", "age": 41}]


def test_sql_changes_nothing_and_says_what_is_missing(terminal: Terminal, people: Path) -> None:
    assert terminal("sql", "drop table silver.people").code == 2
    missing = terminal("sql", "select * from gold.people")
    assert (missing.code, missing.err.split(":")[0]) == (3, "NOT_FOUND")
    refused = terminal("sql", "select height from silver.people")
    assert (refused.code, refused.err.split(":")[0]) == (2, "BAD_INPUT")
    assert terminal("sql", "select 'gold.nowhere' as text", "--json").json() == [{"text": "gold.nowhere"}]


def test_doctor_names_what_is_wrong(offline: Terminal) -> None:
    answer = offline("doctor")
    assert answer.code == 1
    assert "FAIL postgres" in answer.out
    assert "ok   home" in answer.out
