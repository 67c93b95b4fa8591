"""A question over the warehouse as a person asks it: submit, wait, read the answer."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import polars as pl

from controlroom.session import Session
from ops.artifacts import ArtifactStore
from ops.errors import NotAllowed, NotFound, RunCanceled, all_errors
from ops.model import RunId, RunStatus, Scope
from ops.views import ArtifactRow
from ops.warehouse import QueryFilter, QueryRow, Question, Warehouse
from pipelines.sandbox.door import check

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        rows: the whole result.
        versions: of the tables, by the names that the SQL has for them.
        masked: table → columns that read as null.
        cached_from: the run that carried it out; None where this one did.
        server: the engine that asked one; None where it read the lake.
    """

    run_id: RunId
    rows: pl.DataFrame
    versions: Mapping[str, int]
    masked: Mapping[str, list[str]]
    cached_from: UUID | None
    server: str | None = None


def submitted(session: Session, question: Question, env: str | None = None) -> RunId:
    """Queues the question.

    Raises:
        BadInput: the gate refuses the SQL.
        NotAllowed: the engine is a server's and the caller no editor.
        NotFound: no such project or environment, or none of the caller's.
    """
    check(question.sql, question.engine)
    settings = session.settings
    if not settings.token:
        session.project_id()
    scope = Scope(settings.org, settings.project, env or settings.env)
    return Warehouse(session.connection).submit(scope, question)


def waited(session: Session, run_id: RunId, tell: Callable[[str], None] = lambda _: None) -> Answer:
    """The answer, once the run has ended; what :func:`answer` raises.

    Args:
        tell: gets a line when the run waits for an executor.
    """
    told = False
    while not (status := session.reads.run(run_id).status).terminal:
        if status is RunStatus.QUEUED and not told:
            told = True
            tell(f"{run_id} is queued")
        time.sleep(POLL_SECONDS)
    return answer(session, run_id)


def answer(session: Session, run_id: RunId) -> Answer:
    """What a query that has ended was answered with.

    Raises:
        ControlRoomError: what the run failed with.
        NotAllowed: the answer shows personal data and the caller is no editor.
        NotFound: the run has no answer yet, or is no query.
    """
    run = session.reads.run(run_id)
    if run.status is RunStatus.CANCELED:
        raise RunCanceled(f"query {run_id} was canceled")
    if run.status is RunStatus.FAILED:
        kind = all_errors().get(run.error_code or "", NotFound)
        raise kind(run.error_message or f"query {run_id} failed", run.error_data or {})
    artifacts = {one.kind: one for one in session.reads.artifacts(run_id)}
    results = session.reads.phase_results(run_id)
    metrics = next(iter(results.values()), {}).get("metrics") or {}
    if "manifest" in artifacts and "result" not in artifacts:
        raise NotAllowed(f"the answer of query {run_id} shows personal data; it needs the role editor")
    if "manifest" not in artifacts:
        raise NotFound(f"run {run_id} is {run.status} and has no answer of a query")
    facts = metrics if isinstance(metrics, Mapping) else {}
    cached, masked, server = facts.get("cached_from"), facts.get("masked"), facts.get("server")
    pinned = run.input_manifest.get("tables")
    return Answer(
        run_id,
        _read(session, artifacts["result"]),
        dict(pinned) if isinstance(pinned, Mapping) else {},
        dict(masked) if isinstance(masked, Mapping) else {},
        UUID(str(cached)) if cached else None,
        str(server) if server else None,
    )


def history(session: Session, wanted: QueryFilter, limit: int) -> list[QueryRow]:
    """Queries, newest first."""
    return list(Warehouse(session.connection).find(wanted, limit))


def _read(session: Session, artifact: ArtifactRow) -> pl.DataFrame:
    store = ArtifactStore(session.settings.artifacts, session.settings.storage_options)
    store.verify(artifact.uri, artifact.sha256)
    return pl.read_parquet(io.BytesIO(store.read(artifact.uri)))
