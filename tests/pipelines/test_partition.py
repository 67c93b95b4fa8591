"""A write of partitions: exactly their rows take the place of those that were there, in one commit, whoever else writes."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from ops.errors import BadInput, Conflict, SpecInvalid
from ops.model import DatasetVersion, Scope, TableVersion
from pipelines.commit_record import CommitRef
from pipelines.lake import Lake
from pipelines.merging import SMALL_FILES
from pipelines.partition import Partition, Span, Step, beginning, following
from pipelines.spec_source import parse
from tests.pipelines.fences import Owner, Runs

TABLE = "gold.daily"
MARCH = Span("day", "2026-03-01", "2026-04-01")
FIRST = Span("day", "2026-03-01", "2026-03-02")


@pytest.fixture
def runs(empty_database: str) -> Runs:
    return Runs(empty_database)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), Scope("acme", "demo", "dev"))


def rows(day: int, value: str, count: int = 2) -> pl.DataFrame:
    return pl.DataFrame({"day": [date(2026, 3, day)] * count, "n": range(count), "value": [value] * count})


def put(
    lake: Lake, owner: Owner, frame: pl.DataFrame, span: Span, inputs: Mapping[str, int] | None = None
) -> DatasetVersion:
    read = [TableVersion(name, version) for name, version in (inputs or {}).items()]
    ref = CommitRef(owner.run_id, owner.token, "load")
    return lake.commit(owner, ref, TABLE, frame, "partition", inputs=read, span=span)


def day(number: int) -> Span:
    begins = date(2026, 3, number)
    return Span("day", str(begins), str(following(begins, "day")))


def content(lake: Lake) -> list[tuple[object, ...]]:
    return lake.scan(TABLE).sort("day", "n").collect().rows()


def test_a_partition_written_again_is_replaced_and_nothing_else(lake: Lake, runs: Runs) -> None:
    first = put(lake, runs.claim(), rows(1, "a"), FIRST)
    put(lake, runs.claim(), rows(2, "a"), day(2))
    again = put(lake, runs.claim(), rows(1, "b", 3), FIRST)
    assert content(lake) == [*rows(1, "b", 3).rows(), *rows(2, "a").rows()]
    assert (again.version, again.mode, again.rows, again.total_rows) == (2, "partition", 3, 5), "one commit"
    same = put(lake, runs.claim(), rows(1, "a"), FIRST)
    assert same.fingerprint == first.fingerprint != again.fingerprint
    assert put(lake, runs.claim(), rows(1, "a").clear(), FIRST).total_rows == 2, "a partition may become empty"
    assert content(lake) == rows(2, "a").rows()


def test_the_same_run_does_it_once(lake: Lake, runs: Runs) -> None:
    owner = runs.claim()
    put(lake, owner, rows(1, "a"), FIRST)
    other = runs.claim()
    put(lake, other, rows(1, "b"), FIRST)
    adopted = put(lake, runs.claim(owner.run_id), rows(1, "a"), FIRST)
    assert (adopted.adopted, adopted.version) == (True, 0)
    assert content(lake) == rows(1, "b").rows()


@pytest.mark.parametrize(
    "wrong",
    [
        rows(2, "x"),
        pl.DataFrame(
            {"day": [None], "n": [0], "value": ["x"]}, schema={"day": pl.Date, "n": pl.Int64, "value": pl.String}
        ),
    ],
)
def test_a_row_of_another_partition_or_of_none_is_refused(lake: Lake, runs: Runs, wrong: pl.DataFrame) -> None:
    put(lake, runs.claim(), rows(1, "a"), FIRST)
    frame = pl.concat([rows(1, "b"), wrong.select(pl.col("day"), pl.col("n").cast(pl.Int64), "value")])
    with pytest.raises(
        BadInput, match=r"daily: a row has day=(2026-03-02|None), and the run's partitions are 2026-03-01 up to"
    ):
        put(lake, runs.claim(), frame, FIRST)
    assert content(lake) == rows(1, "a").rows()
    assert len(list(Path(lake.path(TABLE)).glob("*.parquet"))) == 1, "nothing is left behind"


TYPES: Mapping[str, tuple[pl.DataType, Span, list[object], list[object]]] = {
    "time": (
        pl.Datetime("us", "UTC"), MARCH,
        [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)],
        [datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)],
    ),
    "date": (pl.Date(), MARCH, [date(2026, 3, 1), date(2026, 3, 31)], [date(2026, 2, 28), date(2026, 4, 1)]),
    "text": (pl.String(), Span("day", "north"), ["north"], ["south", "North", ""]),
    "number": (pl.Int64(), Span("day", 7), [7], [8, 0]),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_partitions_of_each_type(lake: Lake, runs: Runs, kind: str) -> None:
    dtype, span, inside, outside = TYPES[kind]
    everything = pl.DataFrame({"day": [*inside, *outside, None], "of": "before"}, schema_overrides={"day": dtype})
    owner = runs.claim()
    lake.commit(owner, CommitRef(owner.run_id, owner.token, "x"), TABLE, everything, "append")
    new = pl.DataFrame({"day": inside, "of": "after"}, schema_overrides={"day": dtype})
    put(lake, runs.claim(), new, span)
    found = lake.scan(TABLE).collect()
    assert sorted(map(str, found.filter(of="after")["day"])) == sorted(map(str, inside))
    assert sorted(map(str, found.filter(of="before")["day"])) == sorted(map(str, [*outside, None]))
    for value in outside:
        with pytest.raises(BadInput, match="and the run's partitions are"):
            put(lake, runs.claim(), pl.DataFrame({"day": [value], "of": "x"}, schema_overrides={"day": dtype}), span)


def test_a_column_that_cannot_tell_partitions_apart_is_refused(lake: Lake, runs: Runs) -> None:
    with pytest.raises(BadInput, match="there is no column day to tell partitions by; it has x"):
        put(lake, runs.claim(), pl.DataFrame({"x": [1]}), FIRST)
    with pytest.raises(BadInput, match="column day is Float64; partitions of dates are told by a date or a time"):
        put(lake, runs.claim(), pl.DataFrame({"day": [1.0]}), FIRST)
    with pytest.raises(BadInput, match="column day is Float64 and the partition is 'a'; cast the column"):
        put(lake, runs.claim(), pl.DataFrame({"day": [1.0]}), Span("day", "a"))
    with pytest.raises(BadInput, match="mode partition needs a span, and no other mode takes one"):
        owner = runs.claim()
        lake.commit(owner, CommitRef(owner.run_id, owner.token, "x"), TABLE, rows(1, "a"), "partition")


def test_newer_rows_of_a_partition_are_not_overwritten_by_older(lake: Lake, runs: Runs) -> None:
    put(lake, runs.claim(), rows(1, "new"), FIRST, {"silver.orders": 7})
    put(lake, runs.claim(), rows(2, "new"), day(2), {"silver.orders": 9})
    with pytest.raises(Conflict, match="from silver.orders version 7, and this run reads version 6, which is older"):
        put(lake, runs.claim(), rows(1, "old"), FIRST, {"silver.orders": 6})
    # What others made of another partition from newer inputs is not in the way.
    put(lake, runs.claim(), rows(1, "same"), FIRST, {"silver.orders": 7})
    put(lake, runs.claim(), rows(3, "late"), day(3), {"silver.orders": 6})
    assert {value for _, _, value in content(lake)} == {"same", "new", "late"}


def test_a_table_replaced_whole_from_newer_inputs_counts_for_each_partition(lake: Lake, runs: Runs) -> None:
    owner = runs.claim()
    lake.commit(
        owner, CommitRef(owner.run_id, owner.token, "x"), TABLE, pl.concat([rows(1, "whole"), rows(2, "whole")]), "replace",
        inputs=[TableVersion("silver.orders", 7)],
    )  # fmt: skip
    with pytest.raises(Conflict):
        put(lake, runs.claim(), rows(1, "old"), FIRST, {"silver.orders": 6})
    put(lake, runs.claim(), rows(1, "new"), FIRST, {"silver.orders": 8})
    assert {value for _, _, value in content(lake)} == {"new", "whole"}


@pytest.mark.timeout(120)
def test_writers_of_one_table_at_once_lose_nothing(lake: Lake, runs: Runs) -> None:
    """Twelve writers, several of the same partition: of each partition stands what one of them wrote, whole."""
    chance = random.Random(3)
    work = [(number % 6 + 1, f"writer {number}") for number in range(12)]
    chance.shuffle(work)
    owners = [runs.claim() for _ in work]
    failed: list[Exception] = []

    def write(owner: Owner, number: int, value: str) -> None:
        try:
            put(lake, owner, rows(number, value, 50), day(number))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=[owner, *one]) for owner, one in zip(owners, work, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    # Whoever came too often too late is tried again as a run; none of its rows is in the table.
    assert all(getattr(error, "retryable", False) for error in failed), failed
    found = lake.scan(TABLE).group_by("day").agg(pl.len(), pl.col("value").n_unique().alias("writers")).collect()
    assert found.height == 6
    assert set(found["len"]) == {50}
    assert set(found["writers"]) == {1}


def test_many_small_partitions_do_not_stay_many_files(lake: Lake, runs: Runs) -> None:
    for number in range(1, 32):
        put(lake, runs.claim(), rows(number, "a", 1), day(number))
    assert lake.rows(TABLE) == 31
    assert lake.handle(TABLE).get_add_actions().num_rows <= SMALL_FILES + 2


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_each_day_is_in_one_partition(step: Step) -> None:
    at = beginning(date(2023, 12, 20), step)
    while at < date(2025, 3, 1):
        after = following(at, step)
        assert all(beginning(date.fromordinal(one), step) == at for one in range(at.toordinal(), after.toordinal()))
        at = after


def test_parameters_that_name_no_whole_partitions_are_refused() -> None:
    month = Partition(param="first", until="end", step="month")
    assert month.span("at", {"first": "2026-01-01", "end": "2026-03-01"}) == Span("at", "2026-01-01", "2026-03-01")
    assert Partition(param="day", step="day").span("at", {"day": "2026-02-28"}).until == "2026-03-01"
    assert Partition(param="n").span("at", {"n": 3}) == Span("at", 3)
    for params, said in (
        (
            {"first": "2026-01-02", "end": "2026-03-01"},
            "2026-01-02 is not the first day of a month; that one begins 2026-01-01",
        ),
        ({"first": "2026-03-01", "end": "2026-03-01"}, "end 2026-03-01 is not after first 2026-03-01"),
        ({"first": "soon", "end": "2026-03-01"}, "parameter first: 'soon' is no date"),
        ({"end": "2026-03-01"}, "parameter first names the partition; give it a value"),
    ):
        with pytest.raises(BadInput) as refused:
            month.span("at", params)
        assert said in refused.value.message


SPEC = """version: 1
pipeline: daily
owner: x
params:
  day: {{type: {type}}}
  end: {{type: date}}
partition: {partition}
phases:
  - name: one
    kind: transform
    inputs: {{orders: silver.orders}}
    sql: select * from orders
    output: {output}
"""
GOOD = {
    "type": "date",
    "partition": "{param: day, step: day}",
    "output": "{table: gold.daily, mode: partition, by: day}",
}
FAULTS = {
    "no such parameter": (
        {"partition": "{param: dya, step: day}"},
        "7:13: partition.param: there is no parameter 'dya'",
    ),
    "no date": ({"type": "string"}, "7:13: partition.param: parameter day is a string; date is needed here"),
    "no value": (
        {"partition": "{param: day}"},
        "7:13: partition.param: parameter day is a date; string or integer or choice",
    ),
    "until without step": (
        {"partition": "{param: day, until: end}"},
        "partition.until: until belongs to partitions that are",
    ),
    "the same twice": ({"partition": "{param: day, until: day, step: day}"}, "until is another parameter than param"),
    "no such step": ({"partition": "{param: day, step: hour}"}, "7:25: partition.step:"),
    "no column": (
        {"output": "{table: gold.daily, mode: partition}"},
        "by names the column that tells partitions apart",
    ),
    "a column for nothing": ({"output": "{table: gold.daily, by: day}"}, "it belongs to mode partition"),
    "no partition": ({"partition": "null"}, "13:5: phases.one.output: mode partition needs to know them"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_wrong_spec_is_refused_where_it_is_wrong(case: str) -> None:
    change, said = FAULTS[case]
    assert parse(SPEC.format(**GOOD)).partition == Partition(param="day", step="day")
    with pytest.raises(SpecInvalid) as refused:
        parse(SPEC.format(**{**GOOD, **change}))
    assert said in str(refused.value)
