"""Ninety days of runs, written straight into the tables by a clock of the test's own: growth, weekends, noise, and faults."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg

DAYS = 90
# Earlier than that nobody could know what is usual.
QUIET_DAYS = 38
BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
COLUMNS = {"id": "long", "customer": "string", "amount": "decimal(16,2)"}
CAUSES = {
    "drift": "schema_drift",
    "nulls": "null_rate",
    "halved": "row_count_anomaly",
    "doubled": "duration_anomaly",
    "late": "freshness_lag",
}


@dataclass(frozen=True)
class Habit:
    """How a pipeline behaves: what it writes when nothing is wrong with it.

    Attributes:
        growth: of the rows, in a day.
        weekend: what is left of a weekday's rows on a Saturday or Sunday.
        noise: standard deviation of the logarithm of rows.
    """

    name: str
    every: timedelta
    rows: float
    growth: float
    weekend: float
    noise: float
    seconds: float
    lag: float
    mode: str = "replace"


HABITS = (
    Habit("orders", timedelta(days=1), 20_000, 1.004, 0.55, 0.05, 360, 3600),
    Habit("stock", timedelta(days=1), 4_000, 1.0, 1.0, 0.02, 45, 1800),
    Habit("ledger", timedelta(days=1), 900, 1.002, 0.3, 0.08, 90, 7200, "append"),
    Habit("clicks", timedelta(hours=1), 50_000, 1.005, 0.7, 0.07, 120, 600, "append"),
)


@dataclass(frozen=True)
class Made:
    """One run of the history; ``cause`` is the fault that was planted in it."""

    at: datetime
    rows: int
    nulls: int
    seconds: float
    lag: float
    columns: dict[str, str]
    cause: str | None = None
    failed: bool = False
    run_id: UUID = field(default_factory=uuid4)


def history(habit: Habit, seed: int) -> list[Made]:
    """Its runs, with each of the five faults planted once and one run in fifty failed, having written next to nothing."""
    chance = random.Random(f"{habit.name}{seed}")
    usual = list(_usual(habit, chance))
    late_enough = [n for n, one in enumerate(usual) if one.at > BEGIN + timedelta(days=QUIET_DAYS)]
    # Apart from one another, so that each is beside what is usual.
    chosen = sorted(chance.sample(range(0, len(late_enough), max(1, len(late_enough) // 12)), len(CAUSES)))
    planted = dict(zip((late_enough[n] for n in chosen), chance.sample(list(CAUSES), len(CAUSES)), strict=True))
    made: list[Made] = []
    columns = COLUMNS
    for number, one in enumerate(usual):
        cause = planted.get(number)
        if cause == "drift":
            columns = {"id": "long", "customer": "string", "amount": "double", "channel": "string"}
        if cause is None and chance.random() < 0.02:
            made.append(replace(one, rows=3, nulls=3, columns=columns, failed=True))
        else:
            made.append(_faulty(replace(one, columns=columns, cause=cause), habit))
    return made


def _usual(habit: Habit, chance: random.Random) -> Iterator[Made]:
    at = BEGIN + timedelta(hours=2)
    while at < BEGIN + timedelta(days=DAYS):
        begun = at + timedelta(seconds=chance.uniform(0, 240))
        days = (at - BEGIN) / timedelta(days=1)
        season = habit.weekend if at.weekday() >= 5 else 1.0
        if habit.every < timedelta(days=1):
            season *= 1 + 0.6 * math.sin((at.hour - 9) / 24 * 2 * math.pi)
        rows = max(1, round(habit.rows * habit.growth**days * season * math.exp(chance.gauss(0, habit.noise))))
        nulls = sum(chance.random() < 0.02 for _ in range(min(rows, 500))) * max(1, rows // 500)
        yield Made(
            begun,
            rows,
            min(rows, nulls),
            habit.seconds * math.exp(chance.gauss(0, 0.08)),
            habit.lag * math.exp(chance.gauss(0, 0.2)),
            COLUMNS,
        )
        at += habit.every


def _faulty(one: Made, habit: Habit) -> Made:
    match one.cause:
        case "nulls":
            return replace(one, nulls=round(one.rows * 0.35))
        case "halved":
            return replace(one, rows=one.rows // 2, nulls=one.nulls // 2)
        case "doubled":
            return replace(one, seconds=one.seconds * 2)
        case "late":
            return replace(one, lag=one.lag + 4 * habit.every.total_seconds())
        case _:
            return one


def write(connection: psycopg.Connection, project: UUID, habit: Habit, runs: list[Made]) -> None:
    """Writes the runs and the versions of their table, ``gold.NAME``."""
    [[dataset]] = connection.execute(
        "insert into ops.datasets (project_id, env, layer, name) values (%s, 'dev', 'gold', %s) returning id",
        [project, habit.name],
    ).fetchall()
    columns = (
        "id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, attempt, available_at, "
        "created_at, started_at, finished_at, error_code, error_message"
    )
    with connection.cursor() as cursor:
        with cursor.copy(f"copy ops.runs ({columns}) from stdin".encode()) as copy:
            for turn, one in enumerate(runs):
                ended = one.at + timedelta(seconds=one.seconds)
                failed = ("failed", "DISK_FULL", "the disk is full") if one.failed else ("succeeded", None, None)
                copy.write_row(
                    (one.run_id, project, "dev", habit.name, 1, "{}", "s", "g", failed[0], turn, 1, one.at, one.at, one.at,
                     ended, failed[1], failed[2])
                )  # fmt: skip
        columns = (
            "dataset_id, project_id, version, run_id, phase, lease_token, mode, rows, total_rows, byte_size, fingerprint, "
            "columns, stats, recorded_at, event_time"
        )
        total = 0
        with cursor.copy(f"copy ops.dataset_versions ({columns}) from stdin".encode()) as copy:
            for version, one in enumerate(runs):
                total = one.rows if habit.mode == "replace" else total + one.rows
                ended = one.at + timedelta(seconds=one.seconds)
                stats = {"rows": one.rows, "nulls": {"id": 0, "customer": one.nulls, "amount": 0}}
                copy.write_row(
                    (dataset, project, version, one.run_id, "load", 1, habit.mode, one.rows, total, 1, "f",
                     json.dumps(one.columns), json.dumps(stats), ended, ended - timedelta(seconds=one.lag))
                )  # fmt: skip
