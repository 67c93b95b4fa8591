"""The fleet as people look at it: executors of the last day and the leases that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ops.calls import Calls
from ops.errors import BadInput, NotFound
from ops.model import RunId


@dataclass(frozen=True)
class FleetExecutor:
    """One boot of an executor; ``asked_at`` is the database's clock, which ``last_seen`` is told by.

    Attributes:
        ray_node: the id of the Ray node that it is on; None where it is on none.
        drain_asked_at: when it was asked to take no further run. By whom, the audit log says to those who may read it.
    """

    executor_id: UUID
    name: str
    capabilities: Sequence[str]
    slots: int
    host: str
    ray_node: str | None
    version: str
    state: str
    registered_at: datetime
    last_seen: datetime
    drain_asked_at: datetime | None
    asked_at: datetime


@dataclass(frozen=True)
class FleetLease:
    """A run that an executor owns; ``where`` is org/project/environment."""

    executor_id: UUID
    run_id: RunId
    pipeline: str
    where: str
    phase: str | None
    started_at: datetime | None
    expires_at: datetime


class Fleet(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "fleet"

    def executors(self, within: timedelta = timedelta(days=1), limit: int = 200) -> list[FleetExecutor]:
        """Those that were heard of within that time, the latest first."""
        return [FleetExecutor(**row) for row in self._rows("executors", within=within, limit=limit)]

    def latest(self, text: str) -> FleetExecutor:
        """Of those of the last day that are called so, lost ones too, or whose id ends so, the one that was heard of last.

        Raises:
            NotFound: there is none.
        """
        for each in self.executors(limit=1000):
            if each.name == text or _ends_so(each, text):
                return each
        raise _nobody(text)

    def named(self, text: str) -> FleetExecutor:
        """The executor of this name that was heard of within a day and is not lost, or whose id ends so.

        Raises:
            BadInput: several are.
            NotFound: none is.
        """
        found = [each for each in self.executors(limit=1000) if _is_called(each, text)]
        if len(found) > 1:
            ends = ", ".join(str(each.executor_id)[-12:] for each in found)
            raise BadInput(f"several executors are called {text}; give the end of one's id instead: {ends}")
        if not found:
            raise _nobody(text)
        return found[0]

    def leases(self, limit: int = 500) -> list[FleetLease]:
        """Leases on runs that the caller may see, the oldest run first."""
        return [FleetLease(**row) for row in self._rows("leases", limit=limit)]


def _nobody(text: str) -> NotFound:
    return NotFound(f"no executor of the last day is called {text}, and none's id ends so; the page Fleet shows them")


def _is_called(executor: FleetExecutor, text: str) -> bool:
    return _ends_so(executor, text) or (executor.name == text and executor.state != "lost")


def _ends_so(executor: FleetExecutor, text: str) -> bool:
    return len(text) >= 4 and str(executor.executor_id).endswith(text.lower())
