"""A pipeline's schedules as lines: when each starts it next, what became of the last times, what an act would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dashboard.views.pipelines import schedule_kind, tick_words
from dashboard.views.words import exact
from ops.schedules import ScheduleRow, TickRow
from pipelines.cron import cron_fault, ticks, timezone_fault

# Times that are told behind the next one.
THEN = 2
OUTCOMES = {"fired": "good", "pending": "waits", "skipped": "quiet", "failed": "bad"}


@dataclass(frozen=True)
class ScheduleLine:
    """``next`` and ``then`` are when it starts its pipeline; ``exact`` is the moment behind ``next``."""

    name: str
    env: str
    kind: str
    next: str
    tone: str
    exact: str
    then: str


@dataclass(frozen=True)
class TickLine:
    when: str
    outcome: str
    tone: str
    why: str
    run_id: str
    run_status: str


def schedule_line(row: ScheduleRow, now: datetime) -> ScheduleLine:
    said, tone = tick_words(row, now)
    return ScheduleLine(
        row.slug,
        row.env,
        schedule_kind(row),
        said,
        tone,
        exact(row.next_at) if row.next_at else "",
        ", ".join(exact(tick, seconds=False) for tick in following(row)),
    )


def following(row: ScheduleRow) -> list[datetime]:
    """When a clock strikes after its next time, without its jitter; nothing of what has no clock, or stands still."""
    if row.paused or row.next_at is None or row.cron is None:
        return []
    if cron_fault(row.cron) or timezone_fault(row.timezone):
        return []
    return list(islice(ticks(row.cron, row.timezone, row.next_at), THEN))


def tick_lines(rows: Sequence[TickRow]) -> list[TickLine]:
    """What became of a schedule's times, newest first."""
    return [
        TickLine(
            exact(row.tick) + (f" and {row.ticks - 1:,} more" if row.ticks and row.ticks > 1 else ""),
            row.outcome,
            OUTCOMES[row.outcome],
            row.reason,
            str(row.run_id) if row.run_id else "",
            row.run_status or "",
        )
        for row in rows
    ]


def name_of(row: ScheduleRow) -> str:
    """As it is chosen among those of a pipeline."""
    return f"{row.slug} in {row.env}"
