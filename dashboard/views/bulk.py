"""What an action on many runs would do, said before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.access import acts_in
from dashboard.views.words import count
from ops.access_reads import MyProject
from ops.model import RunStatus
from ops.views import RunRow


@dataclass(frozen=True)
class Preview:
    """``rows`` are those that it would do something to; ``lines`` say what, and what it leaves alone and why."""

    rows: tuple[RunRow, ...]
    lines: tuple[str, ...]


def cancel_preview(rows: Sequence[RunRow], mine: Sequence[MyProject]) -> Preview:
    """Queued runs end at once, owned ones are asked to; ``mine`` are the person's roles."""
    rows, refused = _split(rows, mine)
    able = tuple(row for row in rows if not row.status.terminal)
    waiting = sum(row.status is RunStatus.QUEUED for row in able)
    return _preview(
        able,
        (waiting, "waits and ends at once", "wait and end at once"),
        (
            len(able) - waiting,
            "is at work and stops at its next heartbeat",
            "are at work and stop at their next heartbeat",
        ),
        (len(rows) - len(able), "has ended already and stays as it is", "have ended already and stay as they are"),
        refused,
    )


def retry_preview(rows: Sequence[RunRow], mine: Sequence[MyProject]) -> Preview:
    """Failed and canceled runs get a new run each; phases that succeeded stay done. ``mine`` are the person's roles."""
    rows, refused = _split(rows, mine)
    able = tuple(row for row in rows if row.status in (RunStatus.FAILED, RunStatus.CANCELED))
    counts = Counter("at work" if not row.status.terminal else "succeeded" for row in rows if row not in able)
    return _preview(
        able,
        (
            len(able),
            "is run again, on the same definition and inputs",
            "are run again, on the same definition and inputs",
        ),
        (counts["at work"], "has not ended and is left alone", "have not ended and are left alone"),
        (counts["succeeded"], "succeeded and is left alone", "succeeded and are left alone"),
        refused,
    )


def _split(rows: Sequence[RunRow], mine: Sequence[MyProject]) -> tuple[list[RunRow], tuple[int, str, str]]:
    """Runs that the person may do something to, and how many others there are, in words."""
    able = [row for row in rows if acts_in(mine, row.org, row.project, row.env)]
    why = "left alone: that needs the role operator there"
    return able, (len(rows) - len(able), f"is {why}", f"are {why}")


def _preview(able: tuple[RunRow, ...], *parts: tuple[int, str, str]) -> Preview:
    lines = tuple(f"{count(number, 'run')} {one if number == 1 else many}." for number, one, many in parts if number)
    return Preview(able, lines)
