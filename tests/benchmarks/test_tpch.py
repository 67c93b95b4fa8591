"""Answers are told apart: right, wrong, refused; what is compared is what the engines said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from benchmarks.tpch import ask
from benchmarks.tpch.answers import different, ordered_by, unpublished
from benchmarks.tpch.compare import QUERIES, asked, judged
from benchmarks.tpch.engines import DATAFUSION, DUCKDB, ENGINES, POLARS

SUMS = pl.DataFrame({"k": ["a", "b"], "s": [Decimal("1.10"), Decimal("2.20")], "m": [0.1, 0.2], "n": [1, 6_000_000]})


def test_there_are_all_queries() -> None:
    assert [query.stem for query in QUERIES] == [f"q{number:02}" for number in range(1, 23)]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("k", ["a", "c"]),
        ("s", [Decimal("1.10"), Decimal("2.21")]),
        ("s", [Decimal("1.10"), None]),
        ("m", [0.1, 0.20001]),
        # A millionth of a count is one too many.
        ("n", [1, 6_000_001]),
    ],
)
def test_a_value_that_is_another_is_found(column: str, values: list[object]) -> None:
    other = SUMS.with_columns(pl.Series(column, values, SUMS.schema[column]))
    where = different(SUMS, other)
    assert where is not None
    assert where.startswith(f"row 2, {column}: ")


def test_rows_in_another_order_or_number_are_another_answer() -> None:
    assert different(SUMS, SUMS.reverse()) is not None
    assert different(SUMS, SUMS.head(1)) == "2 rows of 4 columns, 1 of 4"


def test_only_rows_that_are_alike_in_what_is_ordered_by_may_change_places() -> None:
    rows = pl.DataFrame({"k": [1, 2, 3], "v": [Decimal("5.0"), Decimal("5.0"), Decimal("4.0")]})
    assert different(rows, rows[[1, 0, 2]], ["v"]) is None
    assert different(rows, rows[[1, 0, 2]], ["v", "k"]) is not None
    assert different(rows, rows[[0, 2, 1]], ["v"]) is not None
    assert different(rows, rows[[1, 0, 2]].with_columns(k=pl.Series([2, 4, 3])), ["v"]) is not None
    assert ordered_by("select 1 as k, 2 as v order by k desc,\n  v limit 3\n") == ["k", "v"]
    assert ordered_by("select 1") == []


def test_an_average_may_be_a_float_or_a_decimal_of_six_digits() -> None:
    third = pl.DataFrame({"x": [1 / 3]})
    assert different(third, pl.DataFrame({"x": [Decimal("0.333333")]})) is None
    assert different(third, pl.DataFrame({"x": [Decimal("0.33")]})) is not None


def test_what_is_published_is_held_against_an_answer() -> None:
    assert unpublished(pl.DataFrame({"revenue": [Decimal("1193053.2253")]}), "q06", 0.01) is None
    assert unpublished(pl.DataFrame({"revenue": [Decimal("1193053.2353")]}), "q06", 0.01) is None, "a hundred-millionth"
    assert unpublished(pl.DataFrame({"revenue": [Decimal("1193063.2253")]}), "q06", 0.01) is not None
    assert unpublished(pl.DataFrame({"revenue": [None]}), "q06", 0.01) is not None
    assert unpublished(pl.DataFrame({"revenue": [1, 2]}), "q06", 0.01) == "2 rows, published are 1"


def test_an_engine_alone_with_its_answer_is_wrong_and_one_without_has_refused() -> None:
    wrong = SUMS.with_columns(n=pl.lit(7))
    told = judged({POLARS: wrong, DATAFUSION: SUMS, DUCKDB: SUMS}, "q99", 0.01)
    assert told[POLARS].startswith("wrong: beside DataFusion: row 1, n: 7, 1")
    assert told[DATAFUSION] == told[DUCKDB] == "right"
    told = judged({POLARS: SUMS, DATAFUSION: "not supported", DUCKDB: "no"}, "q99", 0.01)
    assert told[DATAFUSION] == "refused: not supported"
    assert told[POLARS] == "right as far as is published; no other engine answers"


def test_the_fraction_of_q11_follows_the_scale() -> None:
    [query] = [query for query in QUERIES if query.stem == "q11"]
    assert "* 0.0100000000\n" in ask.statement(query, 0.01)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_query_that_an_engine_does_not_take_is_a_refusal_with_its_reason(engine: str, tmp_path: Path) -> None:
    if engine == DUCKDB:
        pytest.importorskip("duckdb", reason="the bench group is not installed: pip install --group bench")
    query = tmp_path / "q.sql"
    query.write_text("select no_such_function(1)")
    cost, said = asked(engine, query, 0.01, tmp_path)
    assert cost is None
    assert isinstance(said, str)
