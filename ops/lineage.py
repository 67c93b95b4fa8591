"""What a receiver of lineage is told: the story of a run as Postgres has it, and how far each run's has been told.

The story is read as whoever the connection is; the ledger is the back end's. See :mod:`ops.rpc` for what calls may raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ops.calls import Calls
from ops.catalog import ColumnNote
from ops.errors import NotFound
from ops.model import EventType, RunId, Scope

Json = Mapping[str, object]
TableAt = tuple[str, int | None]
"""``layer.name``, or ``org/project:layer.name`` of another project, and its version where it is known."""


@dataclass(frozen=True)
class Due:
    """A run of which there is more to tell than up to its event ``seq``; refused ``attempts`` times since it went on."""

    run_id: RunId
    seq: int
    attempts: int


@dataclass(frozen=True)
class StoryRun:
    """A run as it stands. ``parent_…`` are of the run that it retries or belongs to, if any."""

    run_id: RunId
    project_id: UUID
    scope: Scope
    pipeline: str
    pipeline_version: int
    spec: Json
    spec_sha256: str
    git_sha: str
    trigger: str
    attempt: int
    input_manifest: Json
    error_code: str | None = None
    error_message: str | None = None
    parent_run: RunId | None = None
    parent_pipeline: str | None = None
    parent_env: str | None = None


@dataclass(frozen=True)
class StoryEvent:
    seq: int
    ts: datetime
    type: EventType
    phase: str | None
    message: str
    data: Json


@dataclass(frozen=True)
class StoryPhase:
    """A phase as its newest try left it. ``checks``: what was expected and seen, where it validates."""

    name: str
    kind: str
    attempt: int
    checks: Sequence[Json] = ()


@dataclass(frozen=True, order=True)
class ColumnOrigin:
    """``column`` (``*``: which rows there are) comes from ``input_column``; the words are those of the column maps."""

    column: str
    input_table: str
    input_column: str
    kind: str
    subtype: str


@dataclass(frozen=True)
class Written:
    """A version of a table that a phase left, and what it was made from."""

    phase: str
    table: str
    version: int
    mode: str
    rows: int
    byte_size: int
    inputs: Sequence[TableAt]
    columns_from: Sequence[ColumnOrigin]


@dataclass(frozen=True)
class KnownTable:
    """Columns of a version of a table with their types, and what people say of the table and its columns."""

    columns: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owners: Sequence[str] = ()
    tags: Sequence[str] = ()
    notes: Mapping[str, ColumnNote] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """All that is told of a run.

    Attributes:
        events: without progress and renewals, in their order.
        last_seq, ended: the number of its last event of any type, and whether there will be no more.
        written: by the phases that have succeeded, in their order.
        tables: what is known of each version that is read or written; those of other projects are not in it.
    """

    run: StoryRun
    events: Sequence[StoryEvent]
    last_seq: int
    ended: bool
    phases: Mapping[str, StoryPhase]
    written: Sequence[Written]
    tables: Mapping[TableAt, KnownTable]


class LineageTelling(Calls):
    """Calls over one connection or a pool."""

    file = "lineage"

    def enroll(self) -> int:
        """Notes the runs that are to be told; returns how many are new. The first call is the beginning of telling."""
        return int(self._value("enroll"))

    def due(self, limit: int = 100) -> list[Due]:
        return [Due(**row) for row in self._rows("due", limit=limit)]

    def told(self, run_id: RunId, seq: int, done: bool) -> None:
        """The receiver has all up to the run's event ``seq``; ``done``: and that was the last."""
        self._do("told", run_id=run_id, seq=seq, done=done)

    def refused(self, run_id: RunId, error: str, later: bool) -> None:
        """The next event was not taken; ``later``: because of the event, so that this run waits and the others do not."""
        self._do("refused", run_id=run_id, error=error, later=later)

    def story(self, run_id: RunId) -> Story:
        """The run's story until now.

        Raises:
            NotFound: there is no such run that the caller may see.
        """
        # Its end first: what is written while the rest is read is told the next time.
        heads = self._rows("head", run_id=run_id)
        if not heads:
            raise NotFound(f"there is no run {run_id}; `controlroom run list` shows what there is")
        [head], [row] = heads, self._rows("run", run_id=run_id)
        scope = Scope(row.pop("org"), row.pop("project"), row.pop("env"))
        run = StoryRun(scope=scope, **row)
        events = [
            StoryEvent(**{**each, "type": EventType(each["type"])})
            for each in self._rows("events", run_id=run_id)
            if each["seq"] <= head["seq"]
        ]
        phases = {each["name"]: StoryPhase(**each) for each in self._rows("phases", run_id=run_id)}
        written = [_written(each) for each in self._rows("written", run_id=run_id)]
        wanted = {(one.table, one.version) for one in written} | {at for one in written for at in one.inputs}
        wanted |= set(pinned(run.input_manifest))
        known = self._known(run, sorted(wanted, key=str))
        return Story(run, events, head["seq"], head["ended"], phases, written, known)

    def _known(self, run: StoryRun, wanted: Sequence[TableAt]) -> dict[TableAt, KnownTable]:
        rows = self._rows(
            "tables",
            tables=[table for table, _ in wanted],
            versions=[version for _, version in wanted],
            project_id=run.project_id,
            env=run.scope.env,
        )
        found: dict[TableAt, KnownTable] = {}
        for row in rows:
            at: TableAt = (row.pop("table"), row.pop("version"))
            notes = {name: ColumnNote(**note) for name, note in row.pop("notes").items()}
            found[at] = KnownTable(**row, notes=notes)
        return found


def pinned(manifest: Json) -> list[TableAt]:
    """The table versions of an input manifest."""
    tables = manifest.get("tables")
    return [(str(table), int(version)) for table, version in tables.items()] if isinstance(tables, Mapping) else []


def _written(row: dict[str, Any]) -> Written:
    inputs = [(str(table), int(version)) for table, version in row.pop("inputs")]
    origins = [ColumnOrigin(*each) for each in row.pop("columns_from")]
    return Written(**row, inputs=inputs, columns_from=origins)
