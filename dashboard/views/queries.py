"""Questions in SQL: how one stands, what was asked before, which tables there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboard.views.verdict import ADVICE
from dashboard.views.words import ago, count, exact, span, tone
from ops.model import RunId, RunStatus
from ops.query_reads import AskedQuestion, LakeTable
from ops.warehouse import QueryRow
from pipelines.sandbox.job import EMBEDDED

_PHASE = re.compile(r"[a-z][a-z0-9_]{0,99}")
# So much of a question stands in a line of the history.
LONGEST = 160
ADVICES: Mapping[str, str] = {
    "BAD_INPUT": "Correct what is named and run it again.",
    "NOT_FOUND": "Take one of the tables and versions that there are.",
    "SCHEMA_DRIFT": "Look at the columns of the table on the left.",
    "QUERY_LIMIT_EXCEEDED": "Ask for fewer rows or columns, or add things up; an admin raises the limit that is named.",
    "SOURCE_UNREACHABLE": "See that the server is up and that its address is right; run it again.",
    "LEASE_LOST": "Its executor died; run it again.",
}


@dataclass(frozen=True)
class Verdict:
    """How a question stands; ``advice`` is what to do about it."""

    word: str
    tone: str
    said: str
    advice: str = ""


@dataclass(frozen=True)
class PastLine:
    run_id: str
    status: str
    tone: str
    sql: str
    where: str
    who: str
    when: str
    exact: str
    took: str
    rows: str
    badge: str


@dataclass(frozen=True)
class TableLine:
    """``columns`` are name, type and whether it is personal data."""

    name: str
    rows: str
    link: str
    columns: tuple[tuple[str, str, bool], ...]


def verdict(question: AskedQuestion, why_waiting: str = "") -> Verdict:
    """One sentence and what to do."""
    now = question.asked_at
    match question.status:
        case RunStatus.QUEUED:
            why = why_waiting.rstrip(".") or "it waits for an executor"
            said = f"{why[:1].upper()}{why[1:]}."
            return Verdict("queued", tone("queued"), f"{said} It has waited {span(now - question.created_at)}.")
        case RunStatus.CLAIMED | RunStatus.RUNNING:
            since = span(now - (question.started_at or now))
            return Verdict("running", tone("running"), f"Running for {since}.")
        case RunStatus.SUCCEEDED:
            return Verdict("succeeded", tone("succeeded"), f"{count(question.rows or 0, 'row')} in {_took(question)}.")
        case RunStatus.CANCELED:
            return Verdict("canceled", tone("canceled"), f"Canceled after {_took(question)}.", "Run it again to go on.")
        case RunStatus.FAILED:
            code = question.error_code or ""
            said = f"{question.error_message or 'no cause is known'} ({code})"
            return Verdict("failed", tone("failed"), said, ADVICES.get(code) or ADVICE.get(code, ""))


def _took(question: AskedQuestion) -> str:
    begun = question.started_at or question.created_at
    return span((question.finished_at or question.asked_at) - begun)


def sources(question: AskedQuestion) -> str:
    """``gold.sales version 3`` of each table that was read."""
    return ", ".join(f"{table.partition('@')[0]} version {version}" for table, version in question.versions.items())


def masked_words(masked: Mapping[str, Sequence[str]]) -> str:
    """Which columns read as null; empty where none does."""
    named = "; ".join(f"{table.partition('@')[0]}: {', '.join(names)}" for table, names in masked.items())
    return f"{named} read as null, for they are or may be personal data and you are no editor here." if named else ""


def kept_back(question: AskedQuestion) -> str:
    """Why an answer that was given is not there for the reader."""
    if question.personal and question.engine != EMBEDDED:
        return "What a server says may show personal data: only editors of the environment read it. Ask one of them."
    if question.personal:
        return (
            "This answer shows personal data: only editors of the environment read it. Run the question yourself: such "
            "columns are null in your answer."
        )
    return "The answer is not kept any more. Run the question again."


def past_lines(rows: Sequence[QueryRow], now: datetime) -> list[PastLine]:
    return [_past(row, now) for row in rows]


def _past(row: QueryRow, now: datetime) -> PastLine:
    sql = " ".join(row.sql.split())
    badge = f"from the cache of run {str(row.cached_from)[-12:]}" if row.cached_from else ""
    badge = badge or ("" if row.engine == EMBEDDED else f"engine {row.engine}")
    return PastLine(
        str(row.run_id), row.status, tone(row.status), sql if len(sql) <= LONGEST else f"{sql[:LONGEST]} …",
        f"{row.org}/{row.project}/{row.env}", row.subject or "the installation", ago(row.created_at, now),
        exact(row.created_at),
        "" if row.ms is None else span(timedelta(milliseconds=row.ms)), "" if row.rows is None else f"{row.rows:,}",
        row.error_code or badge,
    )  # fmt: skip


def tables_by_layer(rows: Sequence[LakeTable]) -> list[tuple[str, list[TableLine]]]:
    """Layer → its tables, in the order in which they come."""
    layers: dict[str, list[TableLine]] = {}
    for row in rows:
        personal = set(row.personal)
        columns = tuple(
            (name, kind, name in personal) for name, kind in row.columns.items() if not name.startswith("_")
        )
        line = TableLine(
            f"{row.layer}.{row.name}", count(row.total_rows, "row"), f"dataset?id={row.dataset_id}", columns
        )
        layers.setdefault(row.layer, []).append(line)
    return list(layers.items())


def first_question(rows: Sequence[LakeTable]) -> str:
    """What stands in an editor that nobody has typed into: something that can be run."""
    return look_at(f"{rows[0].layer}.{rows[0].name}") if rows else ""


def look_at(table: str, run_id: RunId | None = None, phase: str | None = None) -> str:
    """The question that shows a table, or a version of it: ``gold.x@v12``. What asks is the person, who reads it first.

    Args:
        run_id: only the rows that this run put there, of a table whose rows say so.
        phase: of those only what this phase did; several may put rows aside into one table.
    """
    only = f"\nwhere _run_id = '{run_id}'" if run_id else ""
    if only and phase:
        only += f" and _phase = '{phase}'"
    return f"select *\nfrom {table}{only}\nlimit 100"


def phase_named(text: str | None) -> str | None:
    """The phase that an address names; None where it names none."""
    return text if text and _PHASE.fullmatch(text) else None


def run_named(text: str | None) -> RunId | None:
    """The run that an address names; None where it names none."""
    try:
        return RunId(UUID(text or ""))
    except ValueError:
        return None
