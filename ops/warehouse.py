"""The SQL warehouse: questions as runs, what they may read, what was answered before.

Like :mod:`ops.rpc`, only SQL decides. Every method may raise NotFound for what does not exist or is not the caller's to know,
NotAllowed and BadInput; those of a run's owner LeaseLost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ops.calls import Calls
from ops.jsonable import jsonb
from ops.model import LeaseToken, RunId, Scope


@dataclass(frozen=True)
class Question:
    """SQL of a person.

    Attributes:
        params: the one row of a table ``params``.
        engine: embedded, which computes over the lake, or a server's for editors: postgres, trino.
        key: idempotency key, one's own: the same key and question give the same run.
    """

    sql: str
    params: Mapping[str, object] = field(default_factory=dict)
    engine: str = "embedded"
    key: str | None = None


@dataclass(frozen=True)
class QueryFilter:
    """Queries that are all of this; what is empty does not filter.

    Attributes:
        text: words of the SQL, all of them; the last may be a beginning.
        status: any of them.
        mine: those that the caller asked.
    """

    org: str | None = None
    project: str | None = None
    env: str | None = None
    engine: str | None = None
    text: str = ""
    status: tuple[str, ...] = ()
    mine: bool = False

    def to_json(self) -> dict[str, object]:
        """As ``ops.find_queries`` takes it: only what filters."""
        return {name: list(value) if name == "status" else value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class QueryRow:
    """A query of the history.

    Attributes:
        ms: from its start to its end; None before that.
        cached_from: the run whose answer it was given; None where it was carried out.
        personal: its result shows personal data: only editors read it.
    """

    run_id: UUID
    org: str
    project: str
    env: str
    sql: str
    params: Mapping[str, object]
    engine: str
    subject: str | None
    status: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    ms: float | None
    rows: int | None
    cached_from: UUID | None
    personal: bool
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True)
class Personal:
    """Table → columns that are or may be personal data; ``shown``: whoever asked may see them; ``question``: a person asks."""

    shown: bool
    question: bool
    columns: Mapping[str, Sequence[str]]


class Warehouse(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "warehouse"

    # People's

    def submit(self, scope: Scope, question: Question) -> RunId:
        """Queues a question; for viewers, and of a server's engine for editors.

        Raises:
            NotAllowed: the engine is a server's and the caller no editor.
            CapExceeded: too many of the caller's have not ended.
            Conflict: the key exists with another question.
        """
        value = self._value(
            "submit_query",
            org=scope.org,
            project=scope.project,
            env=scope.env,
            sql=question.sql,
            params=jsonb(question.params),
            engine=question.engine,
            key=question.key,
        )
        return RunId(value)

    def find(
        self, wanted: QueryFilter, limit: int = 50, before: tuple[datetime, UUID] | None = None
    ) -> Sequence[QueryRow]:
        """Newest first; ``before`` is the last row of the page before: when it was created, and its id."""
        at, last = before or (None, None)
        rows = self._rows("find_queries", filter=Jsonb(wanted.to_json()), limit=limit, before_at=at, before_id=last)
        return [QueryRow(**row) for row in rows]

    # A run's owner's

    def named_versions(self, run_id: RunId, lease_token: LeaseToken, names: Sequence[str]) -> dict[str, int | None]:
        """``layer.name``, ``layer.name@v12``, ``layer.name@2026-11-01`` → its version, of those that readers may have.

        Raises:
            NotFound: readers got none such; says which there are.
        """
        return dict(self._value("named_versions", run_id=run_id, lease_token=lease_token, names=list(names)))

    def personal_columns(self, run_id: RunId, lease_token: LeaseToken, tables: Sequence[str]) -> Personal:
        """What is personal data in the tables that a query reads."""
        said = self._value("personal_columns", run_id=run_id, lease_token=lease_token, tables=list(tables))
        return Personal(**said)

    def known_answer(self, run_id: RunId, lease_token: LeaseToken, key: str) -> dict[str, Any] | None:
        """What an earlier run of the same question left; None where there is none."""
        value = self._value("known_answer", run_id=run_id, lease_token=lease_token, key=key)
        return None if value is None else dict(value)
