"""What the first page asks: runs by pipeline and state, and when each part of the installation was last heard of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops.calls import Calls
from ops.model import RunId, RunStatus


@dataclass(frozen=True)
class PipelineCount:
    """Runs of a pipeline in one state; ``ended`` is how many of them ended within the last hour."""

    org: str
    project: str
    pipeline: str
    status: RunStatus
    runs: int
    ended: int


@dataclass(frozen=True)
class Parts:
    """When each part was last heard of; None: never, or not by what the caller may see.

    Attributes:
        asked_at: the database's clock.
        lake_at: the last change of what readers get, in ``tables`` tables.
        superset_at: the last publication of ``dashboards`` dashboards and what they stand on.
    """

    version: str
    asked_at: datetime
    steward_at: datetime | None
    lake_at: datetime | None
    tables: int
    superset_at: datetime | None
    dashboards: int


class Home(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "home"

    def pipeline_counts(self, since: datetime | None = None) -> list[PipelineCount]:
        """Of runs created since then (a day ago), and of older ones that have not ended; those are lines of their own."""
        now = datetime.now(UTC)
        rows = self._rows("pipeline_counts", since=since or now - timedelta(days=1), lately=now - timedelta(hours=1))
        return [PipelineCount(**{**row, "status": RunStatus(row["status"])}) for row in rows]

    def failing(self, limit: int) -> list[RunId]:
        """The last run of each pipeline and environment where that failed, newest first."""
        return [RunId(row["run_id"]) for row in self._rows("failing", limit=limit)]

    def parts(self) -> Parts:
        return Parts(**self._rows("parts")[0])
