"""Cron, SQL, Python and templates within a spec: what could only fail at midnight is refused when the spec is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops.errors import SpecInvalid
from pipelines.cron import cron_fault
from pipelines.spec_code import python_fault, sql_fault
from pipelines.spec_source import load, parse

HEAD = "version: 1\npipeline: a\nowner: x\n"
QUERY = "kind: query, inputs: {a: silver.a}, sql: select 1"
TRANSFORM = "name: q, kind: transform, inputs: {a: silver.a}, output: {table: gold.x}"
PUBLISH = "kind: publish, table: gold.a, to: {artifact: {}}"
CHECK = "name: q, kind: validate, table: gold.a"


def refused(text: str) -> list[str]:
    with pytest.raises(SpecInvalid) as caught:
        parse(HEAD + text)
    return str(caught.value).splitlines()


def test_what_cron_understands_is_taken() -> None:
    for text in ("* * * * *", "*/15 * * * *", "0 6-18/2 1,15 * mon-fri", "59 23 31 dec 7"):
        assert cron_fault(text) is None, text


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("* * * *", "has 4 fields"),
        ("@hourly", "has 1 fields"),
        ("60 * * * *", "'60' is no minute"),
        ("* 5-2 * * *", "'5-2' is no hour"),
        ("* * 0 * *", "'0' is no day of month"),
        ("* * * foo *", "'foo' is no month"),
        ("*/0 * * * *", "'*/0' is no minute"),
    ],
)
def test_a_schedule_that_never_fires_is_refused(cron: str, reason: str) -> None:
    [said] = refused(f'schedule: {{cron: "{cron}"}}\nphases: [{{name: q, {QUERY}}}]\n')
    assert "schedule.cron" in said
    assert reason in said


def test_a_time_zone_is_one_of_the_world() -> None:
    [said] = refused(f'schedule: {{cron: "* * * * *", timezone: Asia/Manilla}}\nphases: [{{name: q, {QUERY}}}]\n')
    assert said.startswith("<spec>:4:")
    assert "no time zone 'Asia/Manilla'; write one such as UTC or Asia/Manila" in said


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("selec 1", "found: selec"),
        ("select x from a where", "found: EOF"),
        ("select 1; select 2", "one (and only one) statement"),
        ("select * from b", "no input is called 'b'; there are a"),
        ("select * from params", "no input is called 'params'"),
    ],
)
def test_sql_is_parsed_when_the_spec_is_read(sql: str, reason: str) -> None:
    [said] = refused(f"phases:\n  - {{{TRANSFORM}, sql: '{sql}'}}\n")
    assert said.startswith("<spec>:5:")
    assert "phases.q.sql" in said
    assert reason in said


@pytest.mark.parametrize(
    "sql",
    [
        "with c as (select x, sum(y) as y from a group by x) select c.x from c join b using (x) order by 1",
        "select * exclude (x) from a",
        "select x, row_number() over (partition by y order by z) as n from a",
        "select upper(x) from a union all select x from b",
    ],
)
def test_sql_over_columns_that_only_the_run_knows_is_taken(sql: str) -> None:
    assert sql_fault(sql, ["a", "b"]) is None


@pytest.mark.parametrize(
    "expect",
    [
        "{holds: {sql: 'amount >'}}",
        "{sum: {column: a, where: 'amount >', min: 0}}",
        "{sum: {column: a, equals: {table: gold.b, column: b, where: 'amount >'}}}",
    ],
)
def test_conditions_are_parsed_too(expect: str) -> None:
    [said] = refused(f"phases:\n  - {{{CHECK}, expect: [{expect}]}}\n")
    assert "phases.q.expect: amount >:" in said


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("no_such_module_here:f", "there is no module no_such_module_here"),
        ("pipelines.no_such:f", "there is no module pipelines.no_such"),
        ("no_such_module_here.below:f", "cannot be found"),
        ("pipelines.odoo.silver:misspelt", "module pipelines.odoo.silver has no misspelt"),
    ],
)
def test_a_function_that_nobody_wrote_is_named(reference: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLROOM_CODE_MODULES", "pipelines, no_such_module_here")
    [said] = refused(f"phases:\n  - {{{TRANSFORM}, python: '{reference}'}}\n")
    assert "phases.q.python" in said
    assert reason in said


def test_validating_a_function_does_not_run_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "explosive_module.py").write_text(
        "raise SystemExit('ran')\ntry:\n    from x import made\nexcept E:\n    made = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CONTROLROOM_CODE_MODULES", "explosive_module")
    assert python_fault("explosive_module:made") is None
    assert python_fault("explosive_module:other") == "module explosive_module has no other"
    assert "explosive_module" not in sys.modules


def test_the_name_of_the_parameters_table_is_no_alias() -> None:
    [said] = refused("phases:\n  - {name: q, kind: query, inputs: {params: silver.a}, sql: select 1}\n")
    assert "the alias params is taken" in said


@pytest.mark.parametrize("loops", ["[a, b]", "{t: a}", "{t: []}", "{}", "null"])
def test_a_loop_without_values_is_refused(loops: str) -> None:
    [said] = refused(f"phases:\n  - {{name: 'q_{{t}}', {PUBLISH}, for_each: {loops}}}\n")
    assert "phases.0.for_each" in said
    assert "such as {table: [a, b]}" in said


def test_a_misspelt_placeholder_is_named_where_it_stands() -> None:
    entry = ["  - name: 'q_{table}'", "    for_each: {table: [a]}", "    inputs: {a: 'silver.{tabel}'}"]
    [said] = refused("\n".join(["phases:", *entry, "    kind: query", "    sql: select 1", ""]))
    assert said.startswith("<spec>:7:")
    assert said.endswith("{tabel} is not filled by for_each; did you mean {table}?")


@pytest.mark.parametrize("target", ["superset", "{superset: {dataset: x}}", "{postgres: {}, superset: {}}"])
def test_superset_is_told_where_its_tables_come_from(target: str) -> None:
    said = refused(f"phases:\n  - {{name: q, kind: publish, table: gold.a, to: {target}}}\n")
    assert any("write superset: true beside postgres, where Superset reads it" in line for line in said)


@pytest.mark.parametrize(
    "target",
    [
        "{superset: true}",
        "{artifact: {}, superset: true}",
        "{postgres: {table: gold.a, dsn: secret://file/x}, superset: true}",
    ],
)
def test_superset_shows_tables_with_tenants_only(target: str) -> None:
    said = refused(f"phases:\n  - {{name: q, kind: publish, table: gold.a, to: {target}}}\n")
    assert any("superset: true shows what postgres with shared: true publishes" in line for line in said)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("version: 1\nowner: Señor\n".encode("latin-1"))
    with pytest.raises(SpecInvalid, match=r"latin\.yaml:2:1: .*byte 0xf1 is not UTF-8; save the file as UTF-8"):
        load(path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_text(HEAD + f"phases: [{{name: q, {QUERY}}}]\n", encoding="utf-8-sig")
    assert load(path).pipeline == "a"
