"""A run's log: which part of it is looked at, and its events as lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.views.words import clock, exact
from ops.run_reads import LOG_PAGE, LogFilter
from ops.views import EventRow

LEVELS: Mapping[str, LogFilter] = {
    "all": LogFilter(),
    "without progress": LogFilter(but=("PHASE_PROGRESS", "LEASE_RENEWED")),
    "warnings and errors": LogFilter(levels=("warning", "error")),
}
TONES = {"error": "bad", "warning": "waits"}
# So many events are looked through for a page of them.
WINDOW = 10_000
LONGEST_FACTS = 300


@dataclass(frozen=True)
class EventLine:
    seq: int
    at: str
    exact: str
    type: str
    tone: str
    phase: str
    message: str
    data: str


@dataclass(frozen=True)
class Window:
    """The places of the log that are looked through: after ``after``, up to ``until``."""

    after: int
    until: int


def wanted(level: str, phase: str, text: str) -> LogFilter:
    """The filter of the page's fields; of a level that is none: all."""
    chosen = LEVELS.get(level, LEVELS["all"])
    return LogFilter(chosen.levels, chosen.but, phase or None, text.strip())


def first_window(after: int) -> Window:
    return Window(after, after + WINDOW)


def last_window(events: int) -> Window:
    return Window(max(events - WINDOW, 0), max(events, 1) + WINDOW)


def onward(rows: Sequence[EventRow], window: Window, events: int) -> int | None:
    """Where the next page begins: behind the last one that was given, or behind what was looked through; None at the end."""
    if len(rows) == LOG_PAGE:
        return rows[-1].seq
    return window.until if window.until < events else None


def event_lines(rows: Sequence[EventRow]) -> list[EventLine]:
    return [
        EventLine(
            row.seq,
            clock(row.ts),
            exact(row.ts),
            row.type,
            TONES.get(row.level, "quiet"),
            row.phase or "",
            row.message,
            _facts(row.data),
        )
        for row in rows
    ]


def _facts(data: Mapping[str, object]) -> str:
    """What an event knows beside its message, as people read JSON; cut where it is long."""
    if not data:
        return ""
    text = json.dumps(data, ensure_ascii=False, default=str)[1:-1]
    return text if len(text) <= LONGEST_FACTS else f"{text[:LONGEST_FACTS]} …"
