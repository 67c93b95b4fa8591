"""Backfills as lines, and what one would be before it is ordered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dashboard.views.words import ago, count, exact, size, span
from ops.backfills import BackfillPlan, BackfillRow, ChunkRow

# Chunks that a plan names before it says how many more there are.
NAMED = 6
TONES: Mapping[str, str] = {
    "active": "busy", "paused": "waits", "succeeded": "good", "failed": "bad", "canceled": "stopped",
    "pending": "quiet", "queued": "busy",
}  # fmt: skip
Json = Mapping[str, Any]


@dataclass(frozen=True)
class BackfillLine:
    """``done`` and ``bad`` are percent of its chunks; ``pausable`` and its like say what its state lets be done."""

    short_id: str
    state: str
    tone: str
    where: str
    partitions: str
    said: str
    done: float
    bad: float
    started: str
    exact: str
    reason: str
    pausable: bool
    resumable: bool
    cancelable: bool


@dataclass(frozen=True)
class ChunkLine:
    chunk: int
    partitions: str
    state: str
    tone: str
    tries: int
    run_id: str
    error: str


def backfill_line(row: BackfillRow, now: datetime) -> BackfillLine:
    """A backfill and how far it is."""
    counts = {
        "done": row.succeeded, "at work": row.queued, "left": row.pending, "failed": row.failed, "canceled": row.canceled,
    }  # fmt: skip
    by = f" by {row.created_by}" if row.created_by else ""
    return BackfillLine(
        str(row.id)[-12:],
        row.state,
        TONES[row.state],
        f"{row.env}, version {row.pipeline_version}",
        row.first if row.first == row.last else f"{row.first} … {row.last}",
        f"{', '.join(f'{number:,} {name}' for name, number in counts.items() if number or name == 'done')} of "
        f"{count(row.chunks, 'chunk')}; {row.max_parallel} at a time, priority {row.priority}",
        round(row.succeeded / row.chunks * 100, 1),
        round((row.failed + row.canceled) / row.chunks * 100, 1),
        f"ordered {ago(row.created_at, now)}{by}",
        exact(row.created_at),
        row.reason,
        row.state == "active",
        row.state in ("paused", "failed"),
        row.state in ("active", "paused", "failed"),
    )


def chunk_lines(rows: Sequence[ChunkRow]) -> list[ChunkLine]:
    return [
        ChunkLine(
            row.chunk, _partitions(row.first, row.until, row.partitions), row.state, TONES[row.state], row.tries,
            str(row.run_id or ""), f"{row.error_code}: {row.error_message}" if row.error_code else "",
        )
        for row in rows
    ]  # fmt: skip


def plan_lines(plan: BackfillPlan) -> Iterator[str]:
    """What it is, what to expect, and the first of its chunks."""
    told = plan.estimate
    yield (
        f"{plan.pipeline} version {plan.version} in {plan.env}: {count(plan.partitions, 'partition')} in "
        f"{count(told.runs, 'run')}, {told.parallel} at a time."
    )
    if told.seconds is None or told.executor_seconds is None:
        yield f"No run of {plan.pipeline} has succeeded in {plan.env} yet: there is nothing to estimate from."
    else:
        yield (
            f"About {span(timedelta(seconds=told.seconds))}, {span(timedelta(seconds=told.executor_seconds))} of executors, "
            f"{count(told.rows or 0, 'row')}, {size(told.bytes or 0)}, by {count(told.from_runs, 'run')} before."
        )
    named = [_partitions(each.first, each.until, each.partitions) for each in plan.chunks[:NAMED]]
    more = f" … {len(plan.chunks) - NAMED:,} more, the last {plan.chunks[-1].first}" if len(plan.chunks) > NAMED else ""
    yield f"Its runs: {'; '.join(named)}{more}."


def definition(
    pipeline: str, partitions: Sequence[date] | Sequence[str], params: Json, numbers: Mapping[str, int]
) -> dict[str, Any] | None:
    """What ``start_backfill`` takes: of two dates the range, of texts those values; None while there are none."""
    if not partitions:
        return None
    whole: dict[str, Any] = {"pipeline": pipeline, "params": dict(params), **numbers}
    if isinstance(partitions[0], date):
        if len(partitions) != 2:
            return None
        return {**whole, "from": str(partitions[0]), "to": str(partitions[1])}
    return {**whole, "values": [str(each) for each in partitions]}


def listed(text: str) -> list[str]:
    """Values as people write them: one a line, or with commas; each once."""
    return list(dict.fromkeys(each.strip() for each in text.replace(",", "\n").splitlines() if each.strip()))


def _partitions(first: str, until: str | None, number: int) -> str:
    return f"{first} up to {until}" if until and number > 1 else first
