"""Caps as people look at them: how full each is, and what waits or was refused because of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ops.calls import Calls
from ops.model import RunId


@dataclass(frozen=True)
class CapStanding:
    """A cap and how far it is used.

    Attributes:
        project, pipeline: None: it holds for every one of the org, or of the project.
        used: by everybody whom it holds for, in the period that began at ``began_at``; now, where that is None.
        asked_at: the database's clock.
        waits: it is a cap on runs, full, and holds up one of the next few runs of a project, as far as the caller may see them.
    """

    cap_id: UUID
    key: str
    org: str
    project: str | None
    pipeline: str | None
    org_id: UUID
    project_id: UUID | None
    unit: str
    amount: Decimal
    period: str
    used: Decimal
    began_at: datetime | None
    ends_at: datetime | None
    asked_at: datetime
    waits: bool = False

    @property
    def full(self) -> bool:
        """Nothing further fits: a run needs one, anything else some."""
        return self.used + (1 if self.unit == "runs" else 0) > self.amount or self.used >= self.amount


@dataclass(frozen=True)
class HeldUp:
    """A run that a cap holds up or has refused; ``where`` is org/project/environment."""

    run_id: RunId
    pipeline: str
    where: str
    created_at: datetime


class Caps(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "caps"

    def standing(self) -> list[CapStanding]:
        """By org, project and key."""
        return [CapStanding(**row) for row in self._rows("standing")]

    def waiting(self, cap: CapStanding, limit: int = 20) -> list[HeldUp]:
        """Runs that it holds up, a cap on runs that is full; the oldest first. Those that wait for something else as well, such
        as their own pause or an executor that can do what they need, are not among them."""
        rows = self._rows("waiting", limit=limit, **_whom(cap))
        return [HeldUp(**row) for row in rows]

    def refused(self, cap: CapStanding, limit: int = 20) -> list[HeldUp]:
        """Runs that ended because of it since its period began, newest first."""
        since = cap.began_at or cap.asked_at
        rows = self._rows("refused", since=since, key=f"cap {cap.key} ", limit=limit, **_whom(cap))
        return [HeldUp(**row) for row in rows]


def _whom(cap: CapStanding) -> dict[str, object]:
    return {"org_id": cap.org_id, "project_id": cap.project_id, "pipeline": cap.pipeline}
