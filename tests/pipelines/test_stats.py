"""What a commit counts of its rows: nulls and the newest moments, kept with the version, the landing and the table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from ops.model import DatasetVersion, LeaseToken, RunId, Scope
from pipelines import landing as landings
from pipelines.data_clock import data_clock
from pipelines.lake import CommitRef, Lake, Mode
from pipelines.landing import Landed, Landing
from tests.pipelines.test_lake import OpenFence

ROWS = pl.DataFrame(
    {
        "n": [1, None, None],
        "at": [datetime(2026, 3, 1), None, datetime(2026, 3, 2, 1, 0, 0, 500)],
        "day": [date(2026, 3, 3), date(2026, 3, 1), None],
        "deep": [{"x": 1}, None, {"x": None}],
        "many": [[1], None, []],
    }
)
NULLS = {"n": 2, "at": 1, "day": 1}
NEWEST = {"at": "2026-03-02T01:00:00.000500+00:00", "day": "2026-03-03"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), Scope("acme", "demo", "dev"))


def put(lake: Lake, rows: pl.DataFrame, mode: Mode = "append") -> DatasetVersion:
    return lake.commit(OpenFence(), CommitRef(RunId(uuid4()), LeaseToken(1), "load"), "silver.t", rows, mode)


def test_a_commit_counts_nulls_and_the_newest_moments(lake: Lake) -> None:
    assert put(lake, ROWS).stats == {"rows": 3, "nulls": NULLS, "newest": NEWEST}
    second = put(lake, ROWS.head(1))
    assert second.stats["nulls"] == dict.fromkeys(NULLS, 0)
    assert second.total_rows == 4, "nested columns must not spoil the statistics of the files"


@pytest.mark.parametrize("column", ["n", "at", "deep"])
def test_a_table_of_one_column_is_counted(lake: Lake, column: str) -> None:
    stats = put(lake, ROWS.select(column)).stats
    assert stats["nulls"] == {name: count for name, count in NULLS.items() if name == column}
    assert stats["newest"] == {name: value for name, value in NEWEST.items() if name == column}


def test_a_commit_without_rows_counts_none(lake: Lake) -> None:
    assert put(lake, ROWS.clear()).stats == {"rows": 0, "nulls": {}, "newest": {}}


def test_what_was_counted_is_found_in_the_table_again(lake: Lake) -> None:
    ref = CommitRef(RunId(uuid4()), LeaseToken(1), "load")
    written = lake.commit(OpenFence(), ref, "silver.t", ROWS, "append")
    adopted = lake.commit(OpenFence(), ref, "silver.t", ROWS, "append")
    assert (adopted.adopted, adopted.stats) == (True, written.stats)


def test_a_landing_keeps_what_was_counted(lake: Lake) -> None:
    staged = lake.stage("bronze.t", ROWS)
    landing = Landing(datetime.now(UTC), 1, {"bronze.t": Landed("append", staged, -1)})
    run = RunId(uuid4())
    landings.settle(lake, run, "land", landing)
    kept = landings.load(lake, run, "land")
    assert kept is not None
    assert kept.tables["bronze.t"].staged.files == staged.files
    assert staged.files[0].nulls == NULLS


def test_a_file_that_counts_nulls_and_not_the_newest_is_no_empty_one(lake: Lake) -> None:
    put(lake, ROWS)
    assert data_clock(lake, "silver.t", 0, "at") == datetime(2026, 3, 2, 1, 0, 0, 500, tzinfo=UTC)
