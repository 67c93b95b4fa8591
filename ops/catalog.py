"""The catalog: what is known of tables and columns, what people say of them, and which column came from which.

Like :mod:`ops.rpc`, only SQL decides. Every method may raise NotFound for what does not exist or is not the caller's to
know, NotAllowed and BadInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ops.calls import Calls
from ops.errors import NotFound
from ops.model import RunId


@dataclass(frozen=True)
class ColumnNote:
    """What is said of a column. ``pii``: yes or no where somebody said so, suspected where a source is, else None."""

    description: str = ""
    tags: Sequence[str] = ()
    pii: str | None = None
    pii_from: str | None = None


@dataclass(frozen=True)
class Entry:
    """A table of the catalog; ``version`` is the one that readers get, None before a run that wrote it has succeeded."""

    org: str
    project: str
    env: str
    dataset_id: UUID
    table: str
    version: int | None
    total_rows: int | None
    fingerprint: str | None
    updated_at: datetime
    description: str
    owners: Sequence[str]
    tags: Sequence[str]
    columns: Mapping[str, str]
    notes: Mapping[str, ColumnNote]


@dataclass(frozen=True)
class Version:
    version: int
    run_id: RunId
    phase: str
    mode: str
    rows: int
    total_rows: int
    byte_size: int
    fingerprint: str
    columns: Mapping[str, str]
    recorded_at: datetime


@dataclass(frozen=True)
class SchemaChange:
    """What one version did to a table's columns, as ``added``, ``removed`` or ``retyped``."""

    version: int
    run_id: RunId
    change: str
    column: str
    before: str | None
    after: str | None
    recorded_at: datetime


@dataclass(frozen=True, order=True)
class ColumnEdge:
    """``column`` of ``table`` comes from ``input_column``; ``column`` is ``*`` where that decides which rows there are."""

    table: str
    column: str
    input_table: str
    input_column: str
    kind: str
    subtype: str


@dataclass(frozen=True)
class Lineage:
    """All edges of a project's environment.

    Attributes:
        tables: (table, the table that its newest version was made from).
        unknown: table → (columns of which not everything can be told, why).
    """

    columns: Sequence[ColumnEdge] = ()
    tables: Sequence[tuple[str, str]] = ()
    unknown: Mapping[str, tuple[Sequence[str], str]] = field(default_factory=dict)


class Catalog(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "catalog"

    def entries(self, project_id: UUID, env: str) -> list[Entry]:
        return [
            Entry(**{**row, "notes": {name: ColumnNote(**note) for name, note in row["notes"].items()}})
            for row in self._rows("entries", project_id=project_id, env=env)
        ]

    def entry(self, project_id: UUID, env: str, table: str) -> Entry:
        """One table.

        Raises:
            NotFound: there is none that the caller may see.
        """
        for each in self.entries(project_id, env):
            if each.table == table:
                return each
        raise NotFound(f"there is no table {table} in {env}; `controlroom dataset list` shows what there is")

    def versions(self, dataset_id: UUID) -> list[Version]:
        """Oldest first."""
        return [Version(**row) for row in self._rows("versions", dataset_id=dataset_id)]

    def lineage(self, project_id: UUID, env: str) -> Lineage:
        where = {"project_id": project_id, "env": env}
        return Lineage(
            [ColumnEdge(**row) for row in self._rows("edges", **where)],
            [(row["table"], row["input_table"]) for row in self._rows("table_edges", **where)],
            {row["table"]: (row["unknown"], row["reason"]) for row in self._rows("unknown", **where) if row["unknown"]},
        )

    def writers(self, project_id: UUID, env: str) -> dict[str, tuple[str, str]]:
        """Table → pipeline and phase that left its newest version."""
        rows = self._rows("writers", project_id=project_id, env=env)
        return {row["table"]: (row["pipeline"], row["phase"]) for row in rows}

    def note_dataset(
        self,
        dataset_id: UUID,
        description: str | None = None,
        owners: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        """Says what a table is, whose, and how it is tagged; None leaves what is there. For editors."""
        self._do(
            "note_dataset",
            dataset_id=dataset_id,
            description=description,
            owners=None if owners is None else list(owners),
            tags=None if tags is None else list(tags),
        )

    def note_column(
        self,
        dataset_id: UUID,
        column: str,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        pii: str | None = None,
    ) -> None:
        """Says what a column is; None leaves what is there. For editors.

        Args:
            pii: yes, no, or unsaid: then its sources decide again.
        """
        self._do(
            "note_column",
            dataset_id=dataset_id,
            column=column,
            description=description,
            tags=None if tags is None else list(tags),
            pii=pii,
        )

    def masked_columns(self, project_id: UUID, env: str, tables: Sequence[str]) -> dict[str, list[str]]:
        """Table → columns whose values the caller may not see: personal data, known or suspected, for all below editor."""
        return dict(self._value("masked_columns", project_id=project_id, env=env, tables=list(tables)))


def schema_changes(versions: Sequence[Version]) -> list[SchemaChange]:
    """What each version changed in the columns; the first one adds them all."""
    found: list[SchemaChange] = []
    before: Mapping[str, str] = {}
    for each in versions:
        for column in dict.fromkeys((*before, *each.columns)):
            was, becomes = before.get(column), each.columns.get(column)
            if was != becomes:
                kind = "added" if was is None else "removed" if becomes is None else "retyped"
                found.append(SchemaChange(each.version, each.run_id, kind, column, was, becomes, each.recorded_at))
        before = each.columns
    return found
