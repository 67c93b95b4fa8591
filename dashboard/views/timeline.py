"""A run's phases as bars on one time axis: when it waited, when each phase ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.views.words import span, tone
from ops.views import PhaseRow, RunRow

NARROWEST_PERCENT = 0.4


@dataclass(frozen=True)
class Bar:
    """``left`` and ``width`` are percent of the axis; ``note`` is said beside it."""

    label: str
    tone: str
    left: float
    width: float
    note: str


@dataclass(frozen=True)
class Timeline:
    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]


def timeline(run: RunRow, phases: Sequence[PhaseRow], now: datetime) -> Timeline:
    """Bars from the run's creation to its end (or ``now``), waiting first; phases that did not begin have none."""
    end = max(run.finished_at or now, run.created_at + timedelta(milliseconds=1))
    whole = (end - run.created_at).total_seconds()

    def bar(label: str, colour: str, begin: datetime, until: datetime) -> Bar:
        begin = min(max(begin, run.created_at), end)
        left = (begin - run.created_at).total_seconds() / whole * 100
        width = max((min(until, end) - begin).total_seconds() / whole * 100, NARROWEST_PERCENT)
        return Bar(label, colour, round(min(left, 100 - width), 2), round(width, 2), span(until - begin))

    bars = [bar("waiting", tone("queued"), run.created_at, run.started_at or end)]
    bars += [
        bar(phase.name, tone(phase.status), phase.started_at, phase.finished_at or end)
        for phase in phases
        if phase.started_at is not None
    ]
    return Timeline(tuple(bars), tuple(span(timedelta(seconds=whole * part / 4)) for part in range(5)))
