"""How old datasets are by their own clock: read from a real lake, judged by a clock that the test owns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
import psycopg
import pytest

from compute.freshness import read_clocks
from ops.database import Connection, connect
from ops.errors import BadInput
from ops.model import Scope
from ops.schedules import Freshness, FreshnessRow
from ops.settings import Settings
from pipelines.data_clock import data_clock
from pipelines.lake import Lake
from tests.operating import Operator, commit

TABLE = "silver.sale_order"
HOUR = timedelta(hours=1)


@dataclass
class Place:
    """A dataset with a rule, in a database and a lake."""

    operator: Operator
    connection: Connection
    settings: Settings
    project_id: UUID

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake, Scope("default", "demo", "dev"))

    def release(self, version: int, rows: pl.DataFrame | None) -> None:
        """A run that wrote the table and succeeded; without rows its files are gone."""
        if rows is not None:
            Path(self.lake.path(TABLE)).mkdir(parents=True, exist_ok=True)
            rows.write_delta(self.lake.path(TABLE), mode="append")
        run_id, token = self.operator.running()
        self.operator.executor.start_phase(run_id, token, "bronze")
        self.operator.executor.record_dataset(run_id, token, "bronze", commit(version, TABLE))
        self.operator.complete(run_id, token)

    def rule(self, column: str | None = "at") -> UUID:
        return Freshness(self.connection).put_rule(self.project_id, "dev", TABLE, HOUR, 3 * HOUR, column)

    def judge(self, now: datetime) -> FreshnessRow:
        self.connection.execute("select private.check_freshness(%s)", [now])
        [row] = Freshness(self.connection).rules()
        return row

    def breaches(self) -> list[tuple[str, datetime, bool]]:
        query = "select level, began_at, ended_at is null from ops.freshness_breaches order by began_at, noticed_at"
        return [(str(level), began, bool(on)) for level, began, on in self.connection.execute(query).fetchall()]


@pytest.fixture
def place(operator: Operator, tmp_path: Path) -> Iterator[Place]:
    with connect(operator.url, autocommit=True) as connection:
        settings = Settings(home=tmp_path)
        yield Place(operator, connection, settings, operator.owner.ensure_project("default", "demo"))


def test_the_clock_is_that_of_the_data(place: Place) -> None:
    place.rule()
    newest = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    place.release(0, pl.DataFrame({"at": [newest - HOUR, newest]}))
    read_clocks(Freshness(place.connection), place.settings)
    row = place.judge(newest + 0.5 * HOUR)
    assert (row.clock, row.clock_kind, row.state, row.lag_seconds) == (newest, "event", "ok", 1800.0)
    row = place.judge(newest + 2 * HOUR)
    assert (row.state, row.since) == ("warn", newest + HOUR)
    row = place.judge(newest + 5 * HOUR)
    assert (row.state, row.since) == ("error", newest + 3 * HOUR)
    assert place.breaches() == [("warn", newest + HOUR, True), ("error", newest + 3 * HOUR, True)]
    place.judge(newest + 6 * HOUR)
    assert len(place.breaches()) == 2, "one breach a level, however often one looks"
    # Newer data that is itself too old for ok: the error ends, a warning of its own begins.
    place.release(1, pl.DataFrame({"at": [newest + 4 * HOUR]}))
    assert place.judge(newest + 6 * HOUR).clock == newest, "the new version's clock is not known yet"
    read_clocks(Freshness(place.connection), place.settings)
    assert place.judge(newest + 6 * HOUR).state == "warn"
    assert place.breaches()[-1] == ("warn", newest + 5 * HOUR, True)
    assert [on for _, _, on in place.breaches()[:2]] == [False, False]


def test_without_a_column_a_dataset_ages_from_its_release(place: Place) -> None:
    made = place.connection.execute("select clock_timestamp()").fetchone()
    place.rule(None)
    row = place.judge(datetime.now(UTC) + 2 * HOUR)
    assert (row.clock_kind, row.state) == ("never", "warn")
    assert made is not None and row.clock is not None and row.clock > made[0]
    place.release(0, None)
    read_clocks(Freshness(place.connection), place.settings)
    row = place.judge(datetime.now(UTC) + 0.5 * HOUR)
    assert (row.clock_kind, row.state) == ("release", "ok")


@pytest.mark.parametrize("column", ["name", "nothing"])
def test_a_column_that_is_no_clock_leaves_the_release(place: Place, column: str) -> None:
    place.rule(column)
    place.release(0, pl.DataFrame({"name": ["Ada"]}))
    read_clocks(Freshness(place.connection), place.settings)
    assert place.judge(datetime.now(UTC)).clock_kind == "release"
    assert Freshness(place.connection).unread() == []
    # Another column, another look.
    place.rule("at")
    assert [each.event_column for each in Freshness(place.connection).unread()] == ["at"]


def test_a_clock_is_read_from_statistics_and_where_there_are_none_from_rows(place: Place) -> None:
    path = place.lake.path(TABLE)
    Path(path).mkdir(parents=True)
    rows = pl.DataFrame({"day": [date(2026, 3, 1), None], "at": [None, datetime(2026, 3, 2, 1)], "n": [1, 2]})
    rows.write_delta(path, delta_write_options={"configuration": {"delta.dataSkippingNumIndexedCols": "1"}})
    rows.clear().write_delta(path, mode="append")
    assert data_clock(place.lake, TABLE, 0, "day") == datetime(2026, 3, 1, tzinfo=UTC)
    assert data_clock(place.lake, TABLE, 1, "at") == datetime(2026, 3, 2, 1, tzinfo=UTC)
    with pytest.raises(BadInput, match="holds no times"):
        data_clock(place.lake, TABLE, 0, "n")


def test_a_rule_that_is_removed_ends_its_breaches(place: Place) -> None:
    place.rule(None)
    place.judge(datetime.now(UTC) + 2 * HOUR)
    Freshness(place.connection).remove_rule(place.project_id, "dev", TABLE)
    assert [on for _, _, on in place.breaches()] == [False]
    assert place.connection.execute("select count(*) from ops.freshness").fetchone() == (0,)
    with pytest.raises(psycopg.errors.CheckViolation):
        place.connection.execute("select ops.put_freshness_rule(%s, 'dev', 'gold.x', 5, 4)", [place.project_id])
