"""Every check, holding and broken, and all of them in one scan of the table."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest
from polars.io.plugins import register_io_source

from pipelines.checks import Subject, Verdict, compiled, verdicts
from pipelines.expectations import Expectation

ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "name": ["a", "b", "b", None],
        "state": ["draft", "posted", "posted", "posted"],
        "amount": [Decimal("0.10"), Decimal("0.20"), Decimal("0.30"), Decimal("-0.60")],
        "ratio": [0.1, 0.2, 0.3, None],
    }
)
OTHER = pl.DataFrame({"total": [Decimal("0.60"), Decimal("9.00")], "kind": ["mine", "other"]})
SCHEMA = {"id": "long", "name": "string"}


def judged(expect: dict[str, object], before: dict[str, str] | None = None, rows_before: int | None = None) -> Verdict:
    schema = SCHEMA | {name: "any" for name in ROWS.columns if name not in SCHEMA}
    checks = compiled([Expectation.model_validate(expect)], Subject(schema, before, rows_before))
    [verdict] = verdicts(checks, ROWS.lazy(), {"gold.other": OTHER.lazy()})
    return verdict


def ties(**other: str) -> dict[str, object]:
    return {"sum": {"column": "amount", "where": "amount > 0", "equals": {"table": "gold.other", **other}}}


HOLDS: list[dict[str, object]] = [
    {"rows": {"min": 4, "max": 4}},
    {"nulls": {"column": "name", "max": "25%"}},
    {"nulls": {"column": "id"}},
    {"unique": ["id"]},
    {"unique": ["name", "id"]},
    {"accepted": {"column": "state", "values": ["draft", "posted"]}},
    {"accepted": {"column": "name", "values": ["a", "b"]}},
    {"sum": {"column": "amount", "min": 0, "max": 0}},
    {"sum": {"column": "id", "min": 10}},
    ties(column="total", where="kind = 'mine'"),
    {"holds": {"sql": "id > 0 and state <> 'gone'"}},
]
BROKEN: list[tuple[dict[str, object], str]] = [
    ({"rows": {"min": 5}}, "4"),
    ({"rows": {"max": 3}}, "4"),
    ({"nulls": {"column": "name", "max": "24%"}}, "25.00% (1 of 4)"),
    ({"nulls": {"column": "gone"}}, "columns id, name, state, amount, ratio"),
    ({"unique": ["name"]}, "1 rows too many"),
    ({"unique": ["name", "state"]}, "1 rows too many"),
    ({"accepted": {"column": "state", "values": ["draft"]}}, "3 others"),
    ({"sum": {"column": "amount", "min": 0.01}}, "0.00"),
    (ties(column="total"), "0.60"),
    ({"holds": {"sql": "amount > 0"}}, "false for 1"),
    ({"holds": {"sql": "name = 'b' or id < 2"}}, "false for 1"),
]


@pytest.mark.parametrize("expect", HOLDS, ids=str)
def test_it_holds(expect: dict[str, object]) -> None:
    verdict = judged(expect)
    assert verdict.ok, verdict


@pytest.mark.parametrize(("expect", "observed"), BROKEN, ids=str)
def test_it_is_broken_and_says_what_was_seen(expect: dict[str, object], observed: str) -> None:
    verdict = judged(expect)
    assert not verdict.ok
    assert verdict.observed == observed


@pytest.mark.parametrize(("before", "ok"), [(None, True), (0, True), (4, True), (8, True), (9, False), (2, False)])
def test_a_change_is_a_share_of_the_version_before(before: int | None, ok: bool) -> None:
    assert judged({"rows": {"max_change": "50%"}}, rows_before=before).ok is ok


def shape(before: dict[str, str] | None, contract: str = "freeze", columns: dict[str, str] | None = None) -> Verdict:
    expect = Expectation.model_validate({"schema": {"contract": contract, "columns": columns}})
    [verdict] = verdicts(compiled([expect], Subject(SCHEMA, before, None)), ROWS.lazy(), {})
    return verdict


def test_drift_is_each_column_that_went_came_or_changed() -> None:
    assert shape(None).ok, "a first version has nothing to drift from"
    assert shape(SCHEMA).ok
    said = shape({"id": "integer", "old": "string"})
    assert not said.ok
    assert said.observed == "old is gone; id is long, was integer; name is new"
    assert shape({"id": "long"}, "evolve").ok, "evolve lets columns come"
    assert not shape({"id": "long", "old": "string"}, "evolve").ok, "but not go"
    assert not shape(SCHEMA, columns={"id": "long"}).ok, "columns that are written down count, not those of before"


def test_decimals_are_added_exactly_and_floats_as_far_as_their_order_may_move_them() -> None:
    exact = pl.DataFrame({"total": [Decimal("0.60"), Decimal("0.01")], "kind": ["mine", "mine"]})
    expect = Expectation.model_validate(ties(column="total"))
    checks = compiled([expect], Subject(dict.fromkeys(ROWS.columns, "any"), None, None))
    assert not verdicts(checks, ROWS.lazy(), {"gold.other": exact.lazy()})[0].ok, "one cent is one cent"
    floats = pl.DataFrame({"total": [0.3 + 0.3]})
    ratio = Expectation.model_validate(
        {"sum": {"column": "ratio", "equals": {"table": "gold.other", "column": "total"}}}
    )
    checks = compiled([ratio], Subject(dict.fromkeys(ROWS.columns, "any"), None, None))
    assert verdicts(checks, ROWS.lazy(), {"gold.other": floats.lazy()})[0].ok, "0.1 + 0.2 + 0.3 is 0.6000000000000001"


def test_all_checks_of_a_table_share_one_scan() -> None:
    scans = {"table": 0, "other": 0}

    def counted(name: str, rows: pl.DataFrame) -> pl.LazyFrame:
        def source(columns: list[str] | None, predicate: pl.Expr | None, limit: int | None, _: int | None) -> Iterator[pl.DataFrame]:  # fmt: skip  # noqa: E501
            scans[name] += 1
            frame = rows.head(limit) if limit is not None else rows
            frame = frame if predicate is None else frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)

        return register_io_source(source, schema=rows.schema)

    every = [Expectation.model_validate(one) for one in [*HOLDS, *(one for one, _ in BROKEN)]]
    checks = compiled(every, Subject(dict.fromkeys(ROWS.columns, "any"), None, None))
    found = verdicts(checks, counted("table", ROWS), {"gold.other": counted("other", OTHER)})
    assert [one.ok for one in found] == [True] * len(HOLDS) + [False] * len(BROKEN)
    assert scans == {"table": 1, "other": 1}
