"""What is exported: the catalog of one project's environment as its reader sees it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ops.catalog import Catalog, ColumnEdge, Entry, Lineage
from ops.database import Connection
from ops.lineage import ColumnOrigin
from ops.model import Scope
from ops.settings import Settings

ALL_ROWS = "*"


@dataclass(frozen=True)
class Snapshot:
    """Attributes:
    scope: whose it is.
    lake: where its tables lie, as in the settings.
    writers: table → pipeline and phase that left its newest version.
    """

    scope: Scope
    lake: str
    entries: Sequence[Entry]
    lineage: Lineage
    writers: Mapping[str, tuple[str, str]]

    def sources(self, table: str) -> list[str]:
        """The tables that a table was made from, by its newest version and by its columns."""
        of_version = {source for made, source in self.lineage.tables if made == table}
        return sorted(of_version | {each.input_table for each in self.lineage.columns if each.table == table})

    def edges(self, table: str) -> dict[str, list[ColumnEdge]]:
        """Column → where it comes from; ``*`` → what decides which rows there are."""
        found: dict[str, list[ColumnEdge]] = defaultdict(list)
        for each in sorted(self.lineage.columns):
            if each.table == table:
                found[each.column].append(each)
        return found

    def origins(self, table: str) -> list[ColumnOrigin]:
        return [
            ColumnOrigin(each.column, each.input_table, each.input_column, each.kind, each.subtype)
            for edges in self.edges(table).values()
            for each in edges
        ]


def taken(connection: Connection, project_id: UUID, settings: Settings, env: str) -> Snapshot:
    """As whoever the connection is: row-level security decides what is in it."""
    catalog = Catalog(connection)
    return Snapshot(
        Scope(settings.org, settings.project, env),
        settings.lake,
        catalog.entries(project_id, env),
        catalog.lineage(project_id, env),
        catalog.writers(project_id, env),
    )
