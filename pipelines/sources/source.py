"""The protocol of an upstream: one moment of it, read by several readers at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import polars as pl

from pipelines.contract import Table


@dataclass(frozen=True)
class Read:
    """What to read of one table.

    Attributes:
        name: the table's name at the source.
        table: its contract.
        only_key: the key columns alone.
        since: rows whose cursor is not before it; rows without a cursor value are read too.
        keys: rows of these keys alone.
    """

    name: str
    table: Table
    only_key: bool = False
    since: datetime | None = None
    keys: pl.DataFrame | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.table.key if self.only_key else tuple(self.table.columns)


class Snapshot(Protocol):
    """The source at one moment.

    Attributes:
        taken_at: the moment by the source's clock.
        position: a number that grows with every change of the source (Postgres: the WAL position).
    """

    taken_at: datetime
    position: int

    def columns(self, tables: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The source as it is: table → column → type name; tables that do not exist are left out."""
        ...

    def estimated_rows(self, tables: Sequence[str]) -> Mapping[str, int]:
        """Rows by the source's own statistics, for progress only."""
        ...

    def read(self, what: Read) -> Iterator[pl.DataFrame]:
        """Rows in the contract's types, in batches of a few MiB. May be called from several threads.

        Raises:
            SourceUnreachable: the source did not answer.
            SchemaDrift: a value does not fit the contract's type.
        """
        ...


class Source(Protocol):
    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Opens a moment of the source; readers of it see nothing later.

        Raises:
            SourceUnreachable: the source did not answer.
        """
        ...
