"""The fleet as people look at it: executors of the last day and the leases that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ops.calls import Calls
from ops.model import RunId


@dataclass(frozen=True)
class FleetExecutor:
    """One boot of an executor; ``asked_at`` is the database's clock, which ``last_seen`` is told by."""

    executor_id: UUID
    name: str
    capabilities: Sequence[str]
    slots: int
    host: str
    version: str
    state: str
    registered_at: datetime
    last_seen: datetime
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

    def leases(self, limit: int = 500) -> list[FleetLease]:
        """Leases on runs that the caller may see, the oldest run first."""
        return [FleetLease(**row) for row in self._rows("leases", limit=limit)]
