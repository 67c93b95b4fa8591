"""Choosing among runs: the page of them that is chosen from, and what an action on many would do, said before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dashboard.views.access import ACTING, acts_in
from dashboard.views.words import count
from ops.access_reads import MyProject
from ops.model import RunId, RunStatus
from ops.views import RunRow

# So many of the runs that something is done to are named.
NAMED = 8
NOBODY: AbstractSet[RunId] = frozenset()


@dataclass(frozen=True)
class Held:
    """A page of runs as it was read once: it is chosen from by place, so whatever comes or goes must not move it.

    Attributes:
        of: what it was read for: filters, place and length.
        then: where the next page begins; None where there is none.
        number: its own; the same page read again has another.
    """

    of: object
    ids: tuple[RunId, ...]
    then: str | None
    number: int

    def key(self, rows: Sequence[RunRow]) -> str:
        """Of the grid that shows ``rows``, those of the page that are there still: ticks hold for these in these places."""
        return f"chosen_{self.number}_{hash(tuple(row.run_id for row in rows))}"


@dataclass(frozen=True)
class Preview:
    """``rows`` are those that it would do something to; ``lines`` say what, and what it leaves alone and why."""

    rows: tuple[RunRow, ...]
    lines: tuple[str, ...]


def why_not(marked: Sequence[RunRow], mine: Sequence[MyProject], own: AbstractSet[RunId] = NOBODY) -> str:
    """Why nothing can be done with what is ticked; empty where it can. Like :func:`cancel_preview` for its arguments."""
    if not own and not any(role in ACTING for each in mine for role in each.roles.values()):
        return "That needs the role operator, which you have nowhere."
    return "" if marked else "Tick runs first."


def cancel_preview(rows: Sequence[RunRow], mine: Sequence[MyProject], own: AbstractSet[RunId] = NOBODY) -> Preview:
    """Queued runs end at once, owned ones are asked to.

    Args:
        mine: the person's roles.
        own: runs that are questions of the person's, who may cancel them without any role to act.
    """
    rows, refused = _split(rows, mine, own)
    able = tuple(row for row in rows if not row.status.terminal)
    waiting = sum(row.status is RunStatus.QUEUED for row in able)
    return _preview(
        "To be canceled",
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
        "To be run again",
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


def _split(
    rows: Sequence[RunRow], mine: Sequence[MyProject], own: AbstractSet[RunId] = NOBODY
) -> tuple[list[RunRow], tuple[int, str, str]]:
    """Runs that the person may do something to, and how many others there are, in words."""
    able = [row for row in rows if row.run_id in own or acts_in(mine, row.org, row.project, row.env)]
    why = "left alone: that needs the role operator there"
    return able, (len(rows) - len(able), f"is {why}", f"are {why}")


def _preview(what: str, able: tuple[RunRow, ...], *parts: tuple[int, str, str]) -> Preview:
    lines = [f"{count(number, 'run')} {one if number == 1 else many}." for number, one, many in parts if number]
    return Preview(able, tuple([*lines, f"{what}: {_names(able)}."] if able else lines))


def _names(rows: Sequence[RunRow]) -> str:
    named = [f"{row.pipeline} {str(row.run_id)[-12:]}" for row in rows[:NAMED]]
    return ", ".join(named) + (f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else "")
