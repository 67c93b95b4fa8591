"""Waiting for a NOTIFY on a connection of its own. A notification only says "look now": whoever waits must also poll.

After a lost connection nothing is known about what was missed, so ``wait`` then answers with every channel.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql

from ops.database import Connection, connect
from ops.errors import DatabaseUnavailable

RUNS = "ops_runs"
CONTROL = "ops_control"

_RECONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class Notification:
    """``payload`` is empty where the connection was lost and anything may have happened."""

    channel: str
    payload: str


class Listener:
    """Listens on ``channels`` from its first ``wait``. One thread waits; any thread may ``wake`` it or close."""

    def __init__(self, url: str, *channels: str, role: str | None = None) -> None:
        self._url, self._channels, self._role = url, channels, role
        self._connection: Connection | None = None
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._lost = False
        self._closed = threading.Event()

    def wait(self, timeout: float) -> set[Notification]:
        """What arrived, at latest after ``timeout`` seconds: perhaps nothing.

        A lost database raises nothing here: it reconnects, and then answers with an empty notification per channel.
        """
        deadline = time.monotonic() + timeout
        try:
            connection = self._connected()
            if self._lost:
                self._lost = False
                return {Notification(channel, "") for channel in self._channels}
            return self._received(connection, deadline)
        except (psycopg.Error, DatabaseUnavailable, OSError):
            self._drop()
            self._rest(min(_RECONNECT_SECONDS, max(0.0, deadline - time.monotonic())))
            return set()

    def wake(self) -> None:
        """Makes the present or the next ``wait`` return at once. Safe in a signal handler."""
        try:
            self._rope.send(b"!")
        except OSError:
            return

    def close(self) -> None:
        """Ends listening; a ``wait`` in another thread returns."""
        if self._closed.is_set():
            return
        self._closed.set()
        self.wake()
        if self._connection is not None:
            self._connection.close()
        self._rope.close()
        self._bell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = connect(self._url, self._role, autocommit=True, name="controlroom-listen")
            for channel in self._channels:
                connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            self._connection = connection
        return self._connection

    def _received(self, connection: Connection, deadline: float) -> set[Notification]:
        # Notifications can lie in libpq's buffer already, where select does not see them: ask first, then sleep.
        found = self._drain(connection)
        if found or self._closed.is_set():
            return found
        remaining = max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select([connection.fileno(), self._bell.fileno()], [], [], remaining)
        if self._bell.fileno() in readable:
            self._silence()
        return self._drain(connection) if connection.fileno() in readable else set()

    def _drain(self, connection: Connection) -> set[Notification]:
        return {Notification(each.channel, each.payload) for each in connection.notifies(timeout=0)}

    def _silence(self) -> None:
        try:
            while self._bell.recv(1024):
                pass
        except BlockingIOError:
            return

    def _rest(self, seconds: float) -> None:
        if not self._closed.is_set() and select.select([self._bell], [], [], seconds)[0]:
            self._silence()

    def _drop(self) -> None:
        self._lost = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None
