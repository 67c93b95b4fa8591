"""What a command works with: settings and a connection, as the database's owner or as an access token's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from ops.database import LOCAL_OPERATOR, Connection, connect, database_url, token_connection
from ops.reads import Reads
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy

CLI = "controlroom cli"


@dataclass(frozen=True)
class Session:
    settings: Settings
    connection: Connection
    rpc: Rpc
    reads: Reads
    tenancy: Tenancy

    def project_id(self) -> UUID:
        """The project of the settings; the owner makes it where it is missing."""
        if self.settings.token:
            return self.reads.project_id(self.settings.org, self.settings.project)
        return self.rpc.ensure_project(self.settings.org, self.settings.project)


@contextmanager
def session(settings: Settings | None = None) -> Iterator[Session]:
    """Opens a session; starts the embedded Postgres where it does not run and no other is named.

    With an access token in the settings it is that token's; else the owner's, who in the audit log is the operator of this
    machine.

    Raises:
        DatabaseUnavailable, StackFailed: there is none to be had.
    """
    settings = settings or Settings.load()
    with _connection(settings) as connection:
        yield Session(settings, connection, Rpc(connection), Reads(connection), Tenancy(connection))


def _connection(settings: Settings) -> Connection:
    if settings.token:
        return token_connection(settings, CLI)
    return connect(database_url(settings), claims={"sub": LOCAL_OPERATOR}, autocommit=True, name=CLI)
