"""What the steward does besides requeuing: each duty in its turn, none of them able to stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from compute import backfills, freshness, schedules, watch
from compute.scoring import score
from ops.alerts import Messages
from ops.database import Connection
from ops.errors import ControlRoomError, DatabaseUnavailable
from ops.settings import Settings
from ops.upkeep import Upkeep

log = structlog.get_logger()
KEEP = timedelta(days=400)
LATELY = timedelta(minutes=5)


@dataclass(frozen=True)
class Duty:
    """Something that has to be done again and again.

    Attributes:
        every_seconds: the pause between two times; 0 is every round of the steward (about a second).
        do: gets the elected steward's connection (autocommit; it opens transactions itself) and the settings. What it
            does must be safe to repeat and to cut off anywhere: a steward may die in it.
    """

    name: str
    every_seconds: float
    do: Callable[[Connection, Settings], None]


class Rota:
    """The duties of one elected steward; the first round does all of them."""

    def __init__(self, duties: Sequence[Duty], settings: Settings) -> None:
        self._duties, self._settings = duties, settings
        self._due = dict.fromkeys((duty.name for duty in duties), 0.0)

    def round(self, connection: Connection) -> None:
        """Does what is due.

        Raises:
            DatabaseUnavailable: the connection is gone, and with it the election.
        """
        for duty in self._duties:
            if time.monotonic() < self._due[duty.name]:
                continue
            try:
                duty.do(connection, self._settings)
            except DatabaseUnavailable:
                raise
            except ControlRoomError as error:
                log.error("a duty failed", duty=duty.name, code=error.code, error=error.message)
            self._due[duty.name] = time.monotonic() + duty.every_seconds


def _score(connection: Connection, _: Settings) -> None:
    score(connection, LATELY, budget_seconds=0.5)


def _alert(connection: Connection, _: Settings) -> None:
    messages = Messages(connection)
    messages.judge_standing()
    messages.escalate()


def _keep_house(connection: Connection, _: Settings) -> None:
    upkeep = Upkeep(connection)
    score(connection, timedelta(days=1), budget_seconds=5.0)
    upkeep.ensure_event_partitions()
    upkeep.prune(KEEP)
    schedules.prune(connection, KEEP)


DUTIES = (
    Duty("schedules", 0.0, schedules.fire),
    Duty("backfills", 0.0, backfills.advance),
    Duty("freshness", 15.0, freshness.check),
    Duty("scores", 0.0, _score),
    Duty("alerts", 1.0, _alert),
    Duty("house", 600.0, _keep_house),
    Duty("pulse", 2.0, watch.pulse),
    Duty("probes", 60.0, watch.probe),
)
