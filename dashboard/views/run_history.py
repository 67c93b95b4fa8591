"""Whose a run was and when, and what became of what it wrote further on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dashboard.views.words import exact, span
from ops.model import EventType, RunId
from ops.run_reads import CommitRow, Dashboard, Downstream
from ops.views import EventRow

WORDS: Mapping[EventType, tuple[str, str]] = {
    EventType.RUN_CREATED: ("created", "quiet"),
    EventType.RUN_CLAIMED: ("claimed", "busy"),
    EventType.RUN_STARTED: ("started", "busy"),
    EventType.LEASE_EXPIRED: ("lease lost", "bad"),
    EventType.RUN_REQUEUED: ("queued again", "waits"),
    EventType.CANCEL_REQUESTED: ("asked to stop", "waits"),
    EventType.RUN_SUCCEEDED: ("succeeded", "good"),
    EventType.RUN_FAILED: ("failed", "bad"),
    EventType.RUN_CANCELED: ("canceled", "stopped"),
}


@dataclass(frozen=True)
class LeaseLine:
    """One step in who had the run; ``after`` is how long after the step before."""

    at: str
    what: str
    tone: str
    who: str
    said: str
    after: str


@dataclass(frozen=True)
class Impact:
    """A table further on. ``state`` says whether its newest version has what this run wrote."""

    table: str
    dataset_id: str
    steps: int
    source: str
    read: str
    state: str
    tone: str
    pipeline: str
    run_id: str


@dataclass(frozen=True)
class DashboardLine:
    """A dashboard and the table that it stands on; ``link`` is empty where nobody has said where Superset is."""

    name: str
    table: str
    dataset_id: str
    published_at: datetime
    link: str


def executors_of(lifecycle: Sequence[EventRow]) -> list[UUID]:
    """Ids of the executors that are named in it."""
    found = {_id(event.data.get("executor")) for event in lifecycle}
    return sorted(each for each in found if each is not None)


def lease_lines(lifecycle: Sequence[EventRow], names: Mapping[UUID, str]) -> list[LeaseLine]:
    """The oldest first."""
    lines, before = [], None
    for event in lifecycle:
        what, tone = WORDS[event.type]
        lines.append(
            LeaseLine(
                exact(event.ts),
                what,
                tone,
                _who(event, names),
                event.message,
                "" if before is None else span(event.ts - before),
            )
        )
        before = event.ts
    return lines


def _who(event: EventRow, names: Mapping[UUID, str]) -> str:
    executor = _id(event.data.get("executor"))
    if executor is not None:
        attempt = event.data.get("attempt")
        name = names.get(executor, f"executor {str(executor)[-12:]}")
        return f"{name}, attempt {attempt}" if attempt else name
    return str(event.data.get("subject") or "")


def _id(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def impacts(found: Sequence[Downstream], commits: Sequence[CommitRow], run_id: RunId) -> list[Impact]:
    """Tables further on that the run did not write itself, the nearest first. Only of the first step it is known whether it
    has what this run wrote."""
    wrote = {each.table: each.version for each in commits}
    lines = [_impact(each, wrote) for each in found if each.run_id != run_id]
    return sorted(lines, key=lambda line: (line.steps, line.table, line.source))


def _impact(each: Downstream, wrote: Mapping[str, int]) -> Impact:
    version = wrote.get(each.source)
    if version is None:
        state, tone = "made from what is above", "quiet"
    elif each.input_version == version:
        state, tone = "has what this run wrote", "good"
    elif each.input_version > version:
        state, tone = "has newer by now", "quiet"
    else:
        state, tone = "does not have it yet", "waits"
    return Impact(
        each.table,
        str(each.dataset_id),
        each.steps,
        each.source,
        f"{each.source}@{each.input_version}",
        state,
        tone,
        each.pipeline or "",
        str(each.run_id),
    )


def dashboard_lines(found: Sequence[Dashboard], superset: str | None) -> list[DashboardLine]:
    """As they come.

    Args:
        superset: where people open it.
    """
    where = f"{superset.rstrip('/')}/superset/dashboard/" if superset else ""
    return [
        DashboardLine(
            each.name, each.table, str(each.dataset_id), each.published_at, where and f"{where}{each.superset_id}/"
        )
        for each in found
    ]
