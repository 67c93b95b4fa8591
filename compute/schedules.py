"""The steward's part in schedules: it counts out the ticks of clocks; what becomes of each is decided in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice, takewhile
from uuid import UUID

import structlog

from ops.database import Connection
from ops.errors import ControlRoomError, DatabaseUnavailable
from ops.schedules import Decision, DueClock, Schedules
from ops.settings import Settings
from pipelines.cron import cron_fault, ticks, timezone_fault

log = structlog.get_logger()
# Of a clock that nobody watched for long, this many of the newest ticks are looked at: as many as a catch-up limit allows.
LISTED = 10_000
# Schedules decided in one transaction: it holds each project's place in the queue for as long as it lasts.
TOGETHER = 20
# Asked for at a time; and so often in one turn of the duty, so that other duties have theirs.
AT_ONCE, ROUNDS = 200, 10


def fire(connection: Connection, _settings: Settings) -> None:
    """The duty: decides clocks that are due, then events that wait."""
    schedules = Schedules(connection)
    for _round in range(ROUNDS):
        due = schedules.due(AT_ONCE)
        _decide(schedules, [decision(each) for each in due])
        if len(due) < AT_ONCE:
            break
    for schedule_id in schedules.pending(AT_ONCE):
        with _alone(schedule_id):
            schedules.decide_events(schedule_id)


def _decide(schedules: Schedules, decisions: Sequence[Decision]) -> None:
    for at in range(0, len(decisions), TOGETHER):
        together = decisions[at : at + TOGETHER]
        try:
            schedules.decide_clocks(together)
        except DatabaseUnavailable:
            raise
        except ControlRoomError:
            for each in together:
                with _alone(each.id):
                    schedules.decide_clocks([each])
    for each in decisions:
        if each.fault:
            log.error("a schedule was paused", schedule=str(each.id), reason=each.fault)


@contextmanager
def _alone(schedule_id: UUID) -> Iterator[None]:
    """What is wrong with one schedule is said and keeps no other from its turn."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except ControlRoomError as error:
        log.error("a schedule cannot be decided", schedule=str(schedule_id), code=error.code, error=error.message)


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
