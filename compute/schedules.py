"""The steward's part in schedules: it counts out the ticks of clocks; what becomes of each is decided in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

import structlog

from ops.database import Connection
from ops.schedules import Decision, DueClock, Schedules
from ops.settings import Settings
from pipelines.cron import cron_fault, ticks, timezone_fault

log = structlog.get_logger()
# Of a clock that nobody watched for long, this many of the newest ticks are looked at: as many as a catch-up limit allows.
LISTED = 10_000
# Schedules decided in one transaction: it holds each project's place in the queue for as long as it lasts.
TOGETHER = 20


def fire(connection: Connection, _: Settings) -> None:
    """The duty: decides clocks that are due, then events that wait."""
    schedules = Schedules(connection)
    decisions = [decision(each) for each in schedules.due()]
    for batch in _batches(decisions):
        schedules.decide_clocks(batch)
    for each in decisions:
        if each.fault:
            log.error("a schedule was paused", schedule=str(each.id), reason=each.fault)
    for schedule_id in schedules.pending():
        schedules.decide_events(schedule_id)


def prune(connection: Connection, keep: timedelta) -> None:
    """Forgets old ticks."""
    Schedules(connection).prune_ticks(keep)


def decision(due: DueClock) -> Decision:
    """All ticks of a clock from where it stands up to now, and the one after them."""
    if fault := cron_fault(due.cron) or timezone_fault(due.timezone):
        return Decision(due.id, due.revision, due.next_at, due.asked_at, fault=fault)
    start = due.next_at - timedelta(microseconds=1) if due.next_at else due.anchored_at
    listed = _until(due, start)
    before = None
    while len(listed) > LISTED:
        # As long a span before now holds about as many.
        before = before or listed[0]
        start = max(start + timedelta(hours=1), due.asked_at - (listed[LISTED - 1] - start))
        listed = _until(due, start)
    following = next(ticks(due.cron, due.timezone, due.asked_at), None)
    return Decision(due.id, due.revision, due.next_at, due.asked_at, listed, following, before)


def _until(due: DueClock, start: datetime) -> list[datetime]:
    found = takewhile(lambda tick: tick <= due.asked_at, ticks(due.cron, due.timezone, start))
    return list(islice(found, LISTED + 1))


def _batches(decisions: Sequence[Decision]) -> Iterator[Sequence[Decision]]:
    yield from (decisions[at : at + TOGETHER] for at in range(0, len(decisions), TOGETHER))
