"""What a command works with: settings and a connection that may read and write as the database's owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from ops.database import Connection, connect, database_url
from ops.reads import Reads
from ops.rpc import Rpc
from ops.settings import Settings


@dataclass(frozen=True)
class Session:
    settings: Settings
    connection: Connection
    rpc: Rpc
    reads: Reads

    def project_id(self) -> UUID:
        """The project of the settings; made where it is missing."""
        return self.rpc.ensure_project(self.settings.org, self.settings.project)


@contextmanager
def session(settings: Settings | None = None) -> Iterator[Session]:
    """Opens a session; starts the embedded Postgres where it does not run and no other is named.

    Raises:
        DatabaseUnavailable, StackFailed: there is none to be had.
    """
    settings = settings or Settings.load()
    with connect(database_url(settings), autocommit=True, name="controlroom cli") as connection:
        yield Session(settings, connection, Rpc(connection), Reads(connection))
