"""What the page of one run asks beside the run itself: where it stands, what is usual, what it left, what people did to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from psycopg.rows import dict_row

from ops.access_reads import AuditEntry
from ops.calls import Calls
from ops.errors import NotFound
from ops.model import EventType, RunId, RunStatus
from ops.sql import queries
from ops.views import EventRow, Json, RunRow

# So many events are given at once.
LOG_PAGE = 50


@dataclass(frozen=True)
class Standing:
    """Where a run stands; ``executor`` is its owner's or last owner's name.

    Attributes:
        events: how long its log is; the number of its last event.
        asked_at: the database's clock.
    """

    lost_leases: int
    max_lost_leases: int
    events: int
    executor: str | None
    asked_at: datetime


@dataclass(frozen=True)
class StaleInput:
    """A table that the run reads and that is older than a rule allows."""

    table: str
    state: str
    lag_seconds: float


@dataclass(frozen=True)
class Usual:
    """How long something took in the runs before; ``what`` is waiting, run or phase."""

    what: str
    phase: str | None
    runs: int
    p50: float
    p95: float


@dataclass(frozen=True)
class GoodRun:
    """The last run before this one that succeeded and has a score."""

    run_id: RunId
    created_at: datetime
    pipeline_version: int
    git_sha: str
    score: Decimal
    breakdown: Sequence[Mapping[str, object]]
    seconds: float | None


@dataclass(frozen=True)
class Twin:
    """A run of the same definition and code: in how many phases it read the same, and which of those it made differently."""

    run_id: RunId
    created_at: datetime
    same_inputs: int
    differs: Sequence[str]


@dataclass(frozen=True)
class CommitRow:
    """A commit of the run beside the version before it, whose fields are None where there is none.

    Attributes:
        released: the version of the table that readers get now.
        inputs: the table versions that it was made from.
    """

    dataset_id: UUID
    layer: str
    name: str
    released: int | None
    version: int
    mode: str
    rows: int
    total_rows: int
    byte_size: int
    fingerprint: str
    columns: Json
    adopted: bool
    phase: str
    recorded_at: datetime
    before_version: int | None
    before_rows: int | None
    before_columns: Json | None
    before_fingerprint: str | None
    inputs: Sequence[Mapping[str, object]]

    @property
    def table(self) -> str:
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True)
class LogFilter:
    """Which events of a log; None and empty: all. ``but`` are types that are left out, ``text`` is part of what is said."""

    levels: Sequence[str] | None = None
    but: Sequence[str] | None = None
    phase: str | None = None
    text: str = ""


@dataclass(frozen=True)
class SignalRow:
    """A number that tells of the run; ``said`` is what was seen, in words."""

    signal: str
    value: float
    said: str
    recorded_at: datetime


@dataclass(frozen=True)
class Repeat:
    """A run that repeats this one."""

    run_id: RunId
    trigger: str
    status: str
    created_at: datetime


@dataclass(frozen=True)
class Downstream:
    """A table whose newest version was made from what the run wrote, ``steps`` away.

    Attributes:
        source: the table one step nearer, read at ``input_version``.
        pipeline: what made it; None where that is not the caller's to see.
    """

    table: str
    dataset_id: UUID
    source: str
    input_version: int
    steps: int
    run_id: RunId
    pipeline: str | None


@dataclass(frozen=True)
class Dashboard:
    """A dashboard in Superset that was published from ``table``.

    Attributes:
        superset_id: what its address ends with.
        published_at: when it, or what it is drawn from, was last published otherwise than before.
    """

    name: str
    table: str
    dataset_id: UUID
    superset_id: int
    published_at: datetime


class RunPages(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "run_page"

    def standing(self, run_id: RunId) -> Standing:
        """Raises NotFound: there is no such run that the caller may see."""
        found = self._rows("standing", run_id=run_id)
        if not found:
            raise NotFound(f"run {run_id} does not exist or is not yours; Runs shows those that are")
        return Standing(**found[0])

    def lines(self, ids: Sequence[RunId]) -> list[RunRow]:
        """These runs in this order, as they are now; those that the caller may not see are left out."""
        found = {row["run_id"]: row for row in self._rows("lines", ids=list(ids))}
        return [RunRow(**{**found[each], "status": RunStatus(found[each]["status"])}) for each in ids if each in found]

    def asked_by(self, ids: Sequence[RunId], subject: str) -> set[RunId]:
        """Those of them that are questions in SQL and that ``subject`` asked."""
        return {RunId(row["run_id"]) for row in self._rows("asked_by", ids=list(ids), subject=subject)}

    def stale_inputs(self, run_id: RunId, tables: Sequence[str]) -> list[StaleInput]:
        """Those of ``tables`` that are older than a rule allows."""
        return [StaleInput(**row) for row in self._rows("stale_inputs", run_id=run_id, tables=list(tables))]

    def usual(self, run_id: RunId) -> list[Usual]:
        """What is usual, from the forty runs before it."""
        return [Usual(**row) for row in self._rows("usual", run_id=run_id)]

    def last_good(self, run_id: RunId) -> GoodRun | None:
        """None where none of the sixty before it succeeded and has a score."""
        found = self._rows("last_good", run_id=run_id)
        return GoodRun(**found[0]) if found else None

    def twins(self, run_id: RunId) -> list[Twin]:
        """Newest first."""
        return [Twin(**row) for row in self._rows("twins", run_id=run_id)]

    def commits(self, run_id: RunId) -> list[CommitRow]:
        """In the order in which they were recorded; the first five hundred."""
        return [CommitRow(**row) for row in self._rows("commits", run_id=run_id)]

    def log(self, run_id: RunId, wanted: LogFilter, after: int, until: int) -> list[EventRow]:
        """The first :data:`LOG_PAGE` events that the filter leaves of those after ``after`` and up to ``until``."""
        return self._events("log", run_id, wanted, after, until)

    def tail(self, run_id: RunId, wanted: LogFilter, after: int, until: int) -> list[EventRow]:
        """The last of them, as many, in their order."""
        return self._events("tail", run_id, wanted, after, until)[::-1]

    def _events(self, query: str, run_id: RunId, wanted: LogFilter, after: int, until: int) -> list[EventRow]:
        arguments = {
            "run_id": run_id,
            "after": after,
            "until": until,
            "levels": list(wanted.levels) if wanted.levels else None,
            "but": list(wanted.but) if wanted.but else None,
            "phase": wanted.phase,
            "text": wanted.text.lower(),
        }
        with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            # Planned each time: a plan for every run takes the log for a short one and sorts all that is between the places.
            rows = cursor.execute(queries(self.file)[query], arguments, prepare=False).fetchall()
        return [_event(row) for row in rows]

    def lifecycle(self, run_id: RunId) -> list[EventRow]:
        """Events that tell whose it was, the oldest first."""
        return [_event(row) for row in self._rows("lifecycle", run_id=run_id)]

    def executor_names(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        """Id → name, of those that are known."""
        return {row["executor_id"]: row["name"] for row in self._rows("executor_names", ids=list(ids))}

    def acts(self, run_id: RunId) -> list[AuditEntry]:
        """What people did to it, newest first, as far as the caller may read it."""
        return [AuditEntry(**row) for row in self._rows("acts", target=str(run_id))]

    def signals(self, run_id: RunId) -> list[SignalRow]:
        return [SignalRow(**row) for row in self._rows("signals", run_id=run_id)]

    def repeats(self, run_id: RunId) -> list[Repeat]:
        """Newest first, twenty at most."""
        return [Repeat(**row) for row in self._rows("repeats", run_id=run_id)]

    def downstream(self, run_id: RunId, tables: Sequence[str]) -> list[Downstream]:
        """What was made from ``tables``, by table and source."""
        return [Downstream(**row) for row in self._rows("downstream", run_id=run_id, tables=list(tables))]

    def dashboards(self, run_id: RunId, tables: Sequence[str]) -> list[Dashboard]:
        """What was published from those of ``tables`` that are of the run's project and environment, by table; a hundred at
        most."""
        return [Dashboard(**row) for row in self._rows("dashboards", run_id=run_id, tables=list(tables))]


def _event(row: Mapping[str, object]) -> EventRow:
    return EventRow(**{**row, "type": EventType(str(row["type"]))})  # type: ignore[arg-type]
