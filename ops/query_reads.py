"""What the page of SQL asks: one question and how it stands, the tables that may be asked, answers that have a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from ops.calls import Calls
from ops.errors import NotFound
from ops.model import RunId, RunStatus, Scope


@dataclass(frozen=True)
class AskedQuestion:
    """A question and how it stands.

    Attributes:
        cached_from: the run whose answer it was given; None where it was carried out.
        personal: its answer shows personal data: only editors read it.
        masked: table → columns that read as null, for they are personal data.
        versions: of the tables that it read.
        asked_at: the database's clock.
    """

    run_id: RunId
    project_id: UUID
    org: str
    project: str
    env: str
    sql: str
    params: Mapping[str, object]
    engine: str
    subject: str | None
    status: RunStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    rows: int | None
    cached_from: UUID | None
    personal: bool
    masked: Mapping[str, Sequence[str]]
    versions: Mapping[str, int]
    error_code: str | None
    error_message: str | None
    asked_at: datetime


@dataclass(frozen=True)
class LakeTable:
    """A table that may be asked, at the version that readers get; ``personal`` are columns that are or may be personal data."""

    dataset_id: UUID
    layer: str
    name: str
    version: int
    total_rows: int
    columns: Mapping[str, str]
    personal: Sequence[str]


@dataclass(frozen=True)
class SavedAnswer:
    """An answer under a name: an artifact of the run of its question."""

    run_id: RunId
    artifact_id: UUID
    name: str
    sha256: str
    byte_size: int
    created_at: datetime
    saved_by: str | None


class QueryPage(Calls):
    """Calls over one connection or a pool, as whoever its role and claims say."""

    file = "query_page"

    def question(self, run_id: RunId) -> AskedQuestion:
        """Raises NotFound: the run is no question, or not the caller's to see."""
        found = self._rows("question", run_id=run_id)
        if not found:
            raise NotFound(f"run {run_id} is no question that you may see; the history below has those that are")
        return AskedQuestion(**{**found[0], "status": RunStatus(found[0]["status"])})

    def tables(self, scope: Scope, limit: int = 300) -> list[LakeTable]:
        """Gold first."""
        rows = self._rows("lake_tables", org=scope.org, project=scope.project, env=scope.env, limit=limit)
        return [LakeTable(**row) for row in rows]

    def saved(self, org: str, project: str, limit: int = 20) -> list[SavedAnswer]:
        """Newest first."""
        return [SavedAnswer(**row) for row in self._rows("saved", org=org, project=project, limit=limit)]

    def save(self, run_id: RunId, name: str) -> UUID:
        """Gives an answer a name; the same name again is the same artifact. For whoever asked, and for operators.

        Raises:
            NotFound, NotAllowed, BadInput; IllegalTransition: it has no answer.
        """
        return cast(UUID, self._value("save_answer", run_id=run_id, name=name))
