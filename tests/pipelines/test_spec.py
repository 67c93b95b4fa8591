"""A wrong spec is refused whole, with every fault where it stands; a good one keeps its identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import SpecInvalid
from pipelines.spec import Pipeline, spec_sha256
from pipelines.spec_source import json_schema, load, parse

ROOT = Path(__file__).resolve().parents[2]
HEAD = "version: 1\npipeline: a\nowner: x\n"
QUERY = "kind: query, inputs: {a: silver.a}, sql: select 1"


def refused(text: str) -> str:
    with pytest.raises(SpecInvalid) as caught:
        parse(text)
    return str(caught.value)


def with_top(text: str) -> str:
    return HEAD + text + f"phases: [{{name: q, {QUERY}}}]\n"


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines/reference").glob("*.yaml")), ids=lambda path: str(path.stem))
def test_a_reference_pipeline_is_the_same_after_a_round_trip(path: Path) -> None:
    pipeline = load(path)
    again = Pipeline.from_json(pipeline.to_json())
    assert again == pipeline
    assert spec_sha256(again) == spec_sha256(pipeline)


def test_the_committed_schema_is_the_models_schema() -> None:
    assert (ROOT / "pipelines/schema.json").read_text() == json_schema(), "write json_schema() to pipelines/schema.json"


def test_all_faults_come_at_once_each_with_its_place_and_what_would_be_right() -> None:
    said = refused(
        HEAD
        + f"phases:\n  - {{name: q, kind: qury}}\n  - {{name: r, {QUERY}, timeout: 10x}}\n  - {{name: s, {QUERY}, retry: 1}}\n"
    ).splitlines()
    assert len(said) == 3
    assert said[0].startswith("<spec>:5:15: phases.0.kind:") and said[0].endswith("did you mean query?")
    assert said[1].startswith("<spec>:6:") and "such as 10m" in said[1]
    assert said[2].startswith("<spec>:7:") and "did you mean retries?" in said[2]


def test_phases_that_wait_for_each_other_are_refused() -> None:
    said = refused(
        HEAD + f"phases:\n  - {{name: q, {QUERY}, depends_on: [r]}}\n  - {{name: r, {QUERY}, depends_on: [q]}}\n"
    )
    assert "q → r → q" in said


def test_two_writers_of_one_table_need_an_order() -> None:
    writer = "kind: transform, inputs: {a: silver.a}, sql: select 1, output: {table: gold.x}"
    two = HEAD + f"phases:\n  - {{name: q, {writer}}}\n  - {{name: r, {writer}"
    assert "q writes gold.x too; add depends_on: [q]" in refused(two + "}\n")
    assert parse(two + ", depends_on: [q]}\n").phase("r").depends_on == ("q",)


def test_a_reader_waits_for_the_writer_without_being_told() -> None:
    write = "{name: q, kind: transform, inputs: {a: silver.a}, sql: select 1, output: {table: gold.x}}"
    read = "{name: r, kind: publish, table: gold.x, to: {artifact: {}}}"
    assert parse(HEAD + f"phases: [{write}, {read}]\n").phase("r").depends_on == ("q",)


def test_for_each_makes_one_phase_of_each_value() -> None:
    entry = '{name: "q_{t}", for_each: {t: [a, b]}, kind: query, inputs: {a: "silver.{t}"}, sql: select 1}'
    phases = parse(HEAD + f"phases: [{entry}]\n").phases
    assert [(phase.name, phase.reads) for phase in phases] == [("q_a", ("silver.a",)), ("q_b", ("silver.b",))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("params: {n: {type: integer, default: abc}}\n", "default 'abc' is no integer"),
        ("params: {n: {type: integer, default: true}}\n", "default True is no integer"),
        ("params: {n: {type: string, choices: [a]}}\n", "choices belong to type choice"),
        ("freshness: {warn_after: 15m, error_after: 10m}\n", "a warning comes first"),
        ("timeout: .inf\n", "finite"),
        ("owner: y\n", "duplicate key"),
        ('description: "a\x01b"\n', "unacceptable character"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(text: str, reason: str) -> None:
    assert reason in refused(with_top(text))


@pytest.mark.parametrize("engine", ["postgres", "trino"])
def test_a_query_of_a_server_reads_no_table_of_the_lake(engine: str) -> None:
    entry = f"{{name: q, kind: query, engine: {engine}, sql: "
    for sql in (
        "select * from gold.x",
        "select $$x$$ from gold.x",
        "(values (1))",
        "with a as (select 1) select * from a",
    ):
        [phase] = parse(HEAD + f"phases: [{entry}'{sql}'}}]\n").phases
        assert phase.reads == ()
    for more, reason in (
        ("select 1, inputs: {a: gold.a}}", f"inputs are tables of the lake, which engine {engine} does not read"),
        ("delete from x}", "only a select can be asked"),
    ):
        with pytest.raises(SpecInvalid, match=reason):
            parse(HEAD + f"phases: [{entry}{more}]\n")


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
version: 1
pipeline: bad one
ownr: me
phases:
  - {name: a, for_each: 7, kind: query, sql: select 1}
  - {name: b, kind: transfrom}
  - {name: b, kind: validate, table: gold.x, expect: [{rows: {mn: 1}}], depends_on: [ghost]}
"""
    with pytest.raises(SpecInvalid) as caught:
        parse(text)
    told = str(caught.value)
    for fault in ("pipeline", "ownr", "owner", "for_each", "transfrom", "mn"):
        assert fault in told, told
    lines = [int(line.split(":")[1]) for line in told.splitlines()]
    assert lines == sorted(lines)
    with pytest.raises(SpecInvalid) as caught:
        parse(text.replace(", for_each: 7", ""))
    assert "another phase is called b" in str(caught.value)
    assert "no phase 'ghost'" in str(caught.value)
