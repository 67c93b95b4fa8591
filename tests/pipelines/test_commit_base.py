"""What a commit builds upon where the newest version is set aside: the one before it, whoever dies on the way."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ops.errors import Conflict
from ops.model import DatasetVersion, Scope, TableVersion
from pipelines.commit_record import CommitRef
from pipelines.lake import Lake, Mode
from tests.pipelines.fences import Owner, Runs
from tests.pipelines.test_commit import Killed, die_at

TABLE = "gold.orders"
OLD = pl.DataFrame({"id": [1, 2, 3], "amount": [1, 2, 3]})
SHADOW = pl.DataFrame({"id": [1, 2], "amount": ["ten", "twenty"], "more": [True, True]})
NEW = pl.DataFrame({"id": [3, 4], "amount": [30, 40]})
AFTER: dict[Mode, list[tuple[int, int]]] = {
    "append": [(1, 1), (2, 2), (3, 3), (3, 30), (4, 40)],
    "merge": [(1, 1), (2, 2), (3, 30), (4, 40)],
    "replace": [(3, 30), (4, 40)],
}
STEPS = ("opened", "planned", "held", "restored", "committed", "recorded", "released")


@pytest.fixture
def runs(empty_database: str) -> Runs:
    return Runs(empty_database)


@pytest.fixture
def lake(tmp_path: Path, runs: Runs) -> Lake:
    """``gold.orders`` at version 0 as readers have it, and at version 1 as a refresh has made it, with other columns."""
    lake = Lake(str(tmp_path), Scope("acme", "demo", "dev"))
    put(lake, runs.claim(), OLD, "replace")
    put(lake, runs.claim(), SHADOW, "replace")
    runs.set_aside(TABLE, 0)
    return lake


def put(lake: Lake, owner: Owner, rows: pl.DataFrame, mode: Mode, step: str = "") -> DatasetVersion:
    ref = CommitRef(owner.run_id, owner.token, "load")
    return lake.commit(owner, ref, TABLE, rows, mode, ["id"], at=die_at(step))


def content(lake: Lake, version: int | None = None) -> list[tuple[object, ...]]:
    return sorted(lake.scan(TABLE, version).collect().rows())


@pytest.mark.parametrize("mode", ["append", "merge", "replace"])
def test_a_commit_builds_upon_what_is_not_set_aside(lake: Lake, runs: Runs, mode: Mode) -> None:
    made = put(lake, runs.claim(), NEW, mode)
    assert content(lake, made.version) == AFTER[mode]
    assert made.total_rows == len(AFTER[mode]) == lake.rows(TABLE)
    assert list(made.schema) == ["id", "amount"]
    assert content(lake, 1) == [(1, "ten", True), (2, "twenty", True)], "history is kept"
    assert content(lake, 0) == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("mode", ["append", "merge", "replace"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_leaves_one_effect_on_the_right_version(
    lake: Lake, runs: Runs, mode: Mode, step: str
) -> None:
    first = runs.claim()
    if (step, mode) == ("restored", "replace"):
        put(lake, first, NEW, mode, step)
    else:
        with pytest.raises(Killed):
            put(lake, first, NEW, mode, step)
    put(lake, runs.claim(first.run_id), NEW, mode)
    assert content(lake) == AFTER[mode]


def test_what_is_set_aside_is_newer_than_nothing(lake: Lake, runs: Runs) -> None:
    """Its inputs were newer than those of the run that commits, which is refused only for what readers have."""

    def replaced(rows: pl.DataFrame, made_from: int) -> DatasetVersion:
        owner = runs.claim()
        ref = CommitRef(owner.run_id, owner.token, "load")
        inputs = [TableVersion("silver.orders", made_from)]
        return lake.commit(owner, ref, "gold.whole", rows, "replace", inputs=inputs)

    replaced(OLD, 3)
    replaced(SHADOW, 5)
    with pytest.raises(Conflict, match="which is older"):
        replaced(NEW, 4)
    runs.set_aside("gold.whole", 0)
    assert replaced(NEW, 4).total_rows == 2
    runs.set_aside("gold.whole", None)
    with pytest.raises(Conflict, match="which is older"):
        replaced(OLD, 3)


def test_a_table_of_which_all_is_set_aside_begins_anew(lake: Lake, runs: Runs) -> None:
    runs.set_aside(TABLE, -1)
    put(lake, runs.claim(), NEW, "append")
    assert content(lake) == AFTER["replace"]


def test_who_planned_before_a_swap_plans_anew(lake: Lake, runs: Runs) -> None:
    """The mutant (nobody asks in the hold) appends to the former version and loses what was swapped in."""
    put(lake, runs.claim(), OLD.with_columns(amount=pl.col("amount") * 100), "replace")
    planned: list[str] = []

    def swapped_meanwhile(step: str) -> None:
        planned.extend([step] if step == "planned" else [])
        if step == "planned" and len(planned) == 2:
            runs.set_aside(TABLE, None)

    owner = runs.claim()
    lake.commit(owner, CommitRef(owner.run_id, owner.token, "load"), TABLE, NEW, "append", at=swapped_meanwhile)
    assert content(lake) == [(1, 100), (2, 200), (3, 30), (3, 300), (4, 40)]
    assert len(planned) == 3, "for the newest, for the one before what is set aside, for the newest again"


def test_a_dimension_goes_on_from_the_version_before(lake: Lake, runs: Runs) -> None:
    from datetime import UTC, datetime

    def keep(rows: pl.DataFrame, day: int) -> None:
        owner = runs.claim()
        at = datetime(2026, 1, day, tzinfo=UTC)
        ref = CommitRef(owner.run_id, owner.token, "load")
        lake.commit(owner, ref, "gold.people", rows, "scd2", ["id"], effective_at=at)

    keep(OLD, 1)
    keep(OLD.with_columns(amount=pl.lit(7, pl.Int64)), 2)
    runs.set_aside("gold.people", 0)
    keep(NEW, 3)
    current = lake.scan("gold.people").filter(pl.col("_current")).select("id", "amount").collect()
    assert sorted(current.rows()) == AFTER["merge"]
