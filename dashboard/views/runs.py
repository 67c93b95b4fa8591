"""The list of runs as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from dashboard.views.words import ago, exact, span, tone
from ops.model import RunStatus
from ops.views import ExecutorRow, RunRow

# Claimed is running to whoever watches: the difference lasts milliseconds.
TILES: Mapping[str, tuple[RunStatus, ...]] = {
    "queued": (RunStatus.QUEUED,),
    "running": (RunStatus.CLAIMED, RunStatus.RUNNING),
    "succeeded": (RunStatus.SUCCEEDED,),
    "failed": (RunStatus.FAILED,),
    "canceled": (RunStatus.CANCELED,),
}


@dataclass(frozen=True)
class Tile:
    """``link`` is the address of what was counted; empty where there is none."""

    name: str
    number: int
    tone: str
    link: str = ""


@dataclass(frozen=True)
class RunLine:
    run_id: str
    pipeline: str
    where: str
    status: str
    tone: str
    doing: str
    attempt: str
    trigger: str
    created: str
    exact: str
    took: str


def tiles(counts: Mapping[RunStatus, int], executors: Sequence[ExecutorRow]) -> list[Tile]:
    """How many runs are in each state now or have ended in it, of those of the last day; how many executors work now."""
    numbers = {name: sum(counts[each] for each in among) for name, among in TILES.items()}
    shown = [
        Tile(name, number, tone(name) if number else "quiet", "runs?" + urlencode({"status": name, **age_of(name)}))
        for name, number in numbers.items()
    ]
    active = sum(each.state == "active" for each in executors)
    return [*shown, Tile("executors", active, "good" if active else "bad", "fleet")]


def age_of(tile: str) -> dict[str, str]:
    """How far back the runs that a tile counts are looked for, as the list's filter says it: what has not ended at any age."""
    return {} if any(not status.terminal for status in TILES[tile]) else {"age": "last day"}


def run_lines(rows: Sequence[RunRow], now: datetime) -> list[RunLine]:
    return [_line(row, now) for row in rows]


def _line(row: RunRow, now: datetime) -> RunLine:
    doing = "" if row.status.terminal else row.phase or ""
    return RunLine(
        str(row.run_id),
        row.pipeline,
        f"{row.org}/{row.project}/{row.env}",
        row.status,
        tone(row.status),
        f"{row.error_code}: {row.error_message}" if row.error_code else doing,
        f"{row.attempt}/{row.max_attempts}",
        row.trigger,
        ago(row.created_at, now),
        exact(row.created_at),
        span((row.finished_at or now) - row.started_at) if row.started_at else "",
    )
