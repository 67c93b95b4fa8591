"""What the CLI and the dashboard look at. The SQL is in ``ops/queries/reads.sql``, the rows in :mod:`ops.views`.

Who sees what is decided by row-level security alone: give a ``role`` and ``claims`` to read as a user; without them the
connection's own role reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ops.database import Claims, Connection, Headers, Pool, acting_as
from ops.errors import BadInput, NotFound
from ops.model import EventType, PhaseStatus, RunId, RunStatus, TableVersion
from ops.run_filter import EVERYTHING, RunFilter
from ops.sql import queries
from ops.translation import translated
from ops.views import (
    ArtifactRow,
    CheckResult,
    DatasetRow,
    DatasetVersionRow,
    EventRow,
    ExecutorRow,
    Json,
    PhaseRow,
    RunDetail,
    RunRow,
)

Row = TypeVar("Row")

_CASTS: Mapping[str, Callable[[Any], object]] = {"depends_on": tuple, "capabilities": tuple}


class Reads:
    """Typed reads over a connection (autocommit) or a pool.

    Args:
        role: taken for each read's transaction, with ``claims`` and ``headers``; None reads as the connection's own role.
    """

    def __init__(
        self,
        source: Connection | Pool,
        role: str | None = None,
        claims: Claims | None = None,
        headers: Headers | None = None,
    ) -> None:
        self._source, self._role, self._claims, self._headers = source, role, claims, headers

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if isinstance(self._source, Pool):
            with self._source.connection() as lent, self._as_reader(lent) as reader:
                yield reader
        else:
            with translated(), self._as_reader(self._source) as reader:
                yield reader

    @contextmanager
    def _as_reader(self, connection: Connection) -> Iterator[Connection]:
        if self._role is None:
            yield connection
        else:
            with acting_as(connection, self._role, self._claims, self._headers):
                yield connection

    def _rows(self, query: str, /, **arguments: object) -> list[dict[str, Any]]:
        with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(queries("reads")[query], arguments).fetchall()

    def project_id(self, org: str, project: str) -> UUID:
        """The id of a project by its slugs.

        Raises:
            NotFound: there is none that the caller may see.
        """
        found = self._rows("project_id", org=org, project=project)
        if not found:
            raise NotFound(
                f"project {org}/{project} does not exist or is not yours; check CONTROLROOM_ORG and _PROJECT"
            )
        return cast(UUID, found[0]["id"])

    def is_member(self) -> bool:
        """Whether there is any project that the caller may see."""
        return bool(self._rows("is_member")[0]["is_member"])

    def list_runs(
        self, wanted: RunFilter = EVERYTHING, limit: int = 50, before: tuple[datetime, RunId] | None = None
    ) -> list[RunRow]:
        """Newest first. ``before`` is creation and id of the last row of the page before.

        Raises:
            BadInput: the filter or the limit (1 to 1000) is refused.
        """
        before_at, before_id = before or (None, None)
        rows = self._rows(
            "list_runs", filter=Jsonb(wanted.to_json()), limit=limit, before_at=before_at, before_id=before_id
        )
        return [_made(RunRow, row, status=RunStatus) for row in rows]

    def run(self, run_id: RunId) -> RunDetail:
        """One run.

        Raises:
            NotFound: there is none that the caller may see.
        """
        rows = self._rows("run", run_id=run_id)
        if not rows:
            raise NotFound(f"run {run_id} does not exist or is not yours; `controlroom run list` shows those that are")
        return _made(RunDetail, rows[0], status=RunStatus)

    def resolve_run(self, text: str) -> RunId:
        """The run whose id begins with ``text``: a whole id, or at least its first four digits.

        Raises:
            BadInput: that is no beginning of an id, or of several.
            NotFound: of none.
        """
        digits = text.strip().lower().replace("-", "")
        if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
            raise BadInput(f"{text!r} is not a run id; give it whole or at least its first four digits")
        found = self._rows("runs_by_prefix", prefix=digits)
        if not found:
            raise NotFound(f"no run's id begins with {text}; `controlroom run list` shows the latest")
        if len(found) > 1:
            raise BadInput(f"several runs' ids begin with {text}; give more digits")
        return RunId(found[0]["id"])

    def status_counts(self, since: datetime | None = None) -> dict[RunStatus, int]:
        """How many runs are in each status: of those created since then (a day ago), and of older ones that have not ended."""
        since = since or datetime.now(UTC) - timedelta(days=1)
        found = {RunStatus(row["status"]): int(row["runs"]) for row in self._rows("status_counts", since=since)}
        return {status: found.get(status, 0) for status in RunStatus}

    def phases(self, run_id: RunId) -> list[PhaseRow]:
        """The run's phases in order."""
        return [_made(PhaseRow, row, status=PhaseStatus) for row in self._rows("phases", run_id=run_id)]

    def phase_results(self, run_id: RunId) -> dict[str, Json]:
        """Phase → the answer of its last try, as its owner wrote it down; empty where there is none."""
        return {row["name"]: row["result"] for row in self._rows("phase_results", run_id=run_id)}

    def check_results(self, run_id: RunId) -> list[CheckResult]:
        """What came of each rule of the run, in the spec's order."""
        return [_made(CheckResult, row) for row in self._rows("check_results", run_id=run_id)]

    def phase_effects(self, run_id: RunId) -> dict[str, RunId]:
        """Phase → the run by which what it did to the lake is known."""
        return {row["name"]: RunId(row["effect_of"]) for row in self._rows("phase_effects", run_id=run_id)}

    def events(self, run_id: RunId, after_seq: int = 0, limit: int = 500) -> list[EventRow]:
        """Events after ``after_seq``, oldest first: ask again with the last one's ``seq``."""
        rows = self._rows("events", run_id=run_id, after_seq=after_seq, limit=limit)
        return [_made(EventRow, row, type=EventType) for row in rows]

    def artifacts(self, run_id: RunId) -> list[ArtifactRow]:
        """What the run stored."""
        return [_made(ArtifactRow, row) for row in self._rows("artifacts", run_id=run_id)]

    def datasets(self, env: str | None = None) -> list[DatasetRow]:
        """The lake's tables, each at its newest registered version."""
        return [_made(DatasetRow, row) for row in self._rows("datasets", env=env)]

    def dataset_versions(self, run_id: RunId) -> list[DatasetVersionRow]:
        """What the run left in the lake, in the order in which it did."""
        rows = self._rows("dataset_versions", run_id=run_id)
        return [_made(DatasetVersionRow, row, inputs=_table_versions) for row in rows]

    def recorded_versions(self, project_id: UUID, env: str) -> dict[str, list[int]]:
        """Table → every version of it that a run has recorded, released or not."""
        rows = self._rows("recorded_versions", project_id=project_id, env=env)
        return {row["table"]: row["versions"] for row in rows}

    def executors(self, since: datetime | None = None) -> list[ExecutorRow]:
        """Executors seen since then (an hour ago), the latest first."""
        since = since or datetime.now(UTC) - timedelta(hours=1)
        return [_made(ExecutorRow, row) for row in self._rows("executors", since=since)]


def _table_versions(edges: Sequence[Mapping[str, Any]]) -> tuple[TableVersion, ...]:
    return tuple(TableVersion(**edge) for edge in edges)


def _made(kind: type[Row], row: Mapping[str, Any], **casts: Callable[[Any], object]) -> Row:
    """A row as its dataclass; a column that the class lacks or wants is a programming error and raises TypeError."""
    chosen = {**_CASTS, **casts}
    return kind(**{name: chosen[name](value) if name in chosen else value for name, value in row.items()})
