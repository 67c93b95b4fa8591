"""How a method of ours becomes a query of ours: named SQL from a file of ``ops/queries``, over a connection or a pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from psycopg.rows import dict_row

from ops.database import Connection, Pool
from ops.sql import queries
from ops.translation import translated


class Calls:
    """Base of the typed faces of the schema; ``file`` names their queries."""

    file: ClassVar[str]

    def __init__(self, source: Connection | Pool) -> None:
        self.source = source

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if isinstance(self.source, Pool):
            with self.source.connection() as lent:
                yield lent
        else:
            with translated():
                yield self.source

    def _rows(self, query: str, /, **arguments: object) -> list[dict[str, Any]]:
        with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(queries(self.file)[query], arguments).fetchall()

    def _value(self, query: str, /, **arguments: object) -> Any:
        with self._connection() as connection:
            row = connection.execute(queries(self.file)[query], arguments).fetchone()
        return row[0] if row else None

    def _do(self, query: str, /, **arguments: object) -> None:
        with self._connection() as connection:
            connection.execute(queries(self.file)[query], arguments)
