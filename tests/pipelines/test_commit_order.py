"""What would undo or double another run's work is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from ops.errors import Conflict
from ops.model import DatasetVersion, Scope, TableVersion
from pipelines.commit_record import CommitRef
from pipelines.lake import Lake, Mode
from tests.pipelines.fences import Owner, Runs

TABLE = "gold.revenue"


@pytest.fixture
def runs(empty_database: str) -> Runs:
    return Runs(empty_database)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), Scope("acme", "demo", "dev"))


def put(
    lake: Lake,
    owner: Owner,
    mode: Mode,
    since: int | None = None,
    phase: str = "load",
    inputs: Mapping[str, int] | None = None,
) -> DatasetVersion:
    read = [TableVersion(f"silver.{name}", version) for name, version in (inputs or {}).items()]
    rows = pl.DataFrame({"id": [1, 2], "of": [str(inputs)] * 2})
    ref = CommitRef(owner.run_id, owner.token, phase)
    return lake.commit(owner, ref, TABLE, rows, mode, inputs=read, since=since)


def test_what_was_made_from_older_inputs_does_not_replace_what_was_made_from_newer(lake: Lake, runs: Runs) -> None:
    put(lake, runs.claim(), "replace", inputs={"orders": 7, "people": 3})
    with pytest.raises(Conflict, match=r"from silver.orders version 7, and this run reads version 6, which is older"):
        put(lake, runs.claim(), "replace", inputs={"orders": 6, "people": 4})
    assert (lake.version(TABLE), lake.rows(TABLE)) == (0, 2)
    for read in ({"orders": 7, "people": 3}, {"orders": 8, "people": 3}, {"other": 1}):
        put(lake, runs.claim(), "replace", inputs=read)
    assert lake.version(TABLE) == 3


@pytest.mark.parametrize("mode", ["append", "replace"])
@pytest.mark.parametrize("there", [True, False])
def test_rows_computed_against_a_table_that_another_run_has_changed_since_are_refused(
    lake: Lake, runs: Runs, mode: Mode, there: bool
) -> None:
    if there:
        put(lake, runs.claim(), "append")
    seen = 0 if there else -1
    put(lake, runs.claim(), "append", seen)
    with pytest.raises(Conflict, match="since this run looked at it; submit a new run"):
        put(lake, runs.claim(), mode, seen)
    assert lake.version(TABLE) == seen + 1
    put(lake, runs.claim(), mode, seen + 1)


def test_a_run_goes_on_after_its_own_commits_and_after_outsiders(lake: Lake, runs: Runs) -> None:
    owner = runs.claim()
    put(lake, owner, "append", -1)
    put(lake, owner, "append", -1, "second phase")
    path = lake.path(TABLE)
    pl.read_delta(path).write_delta(path, mode="append")
    assert put(lake, runs.claim(), "append", 2).version == 3
