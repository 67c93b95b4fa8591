"""The fence: between a phase and everything that others can see stands one row lock.

``hold`` checks the lease and locks the run row FOR SHARE in a transaction of its own, so that no other owner can appear
(claim, requeue and fail wait or skip) until the block has written to the lake and recorded what it wrote. Both the
lock and the record end in one commit.

A stopped process must not hold a run for ever. While the block works a thread pings the transaction; a process that is
stopped, frozen or cut off stops pinging, and the server's ``idle_in_transaction_session_timeout`` ends the hold. What
the process tries after that fails here, and Delta's own conflict check keeps it out of the table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ops.database import EXECUTOR, Connection, connect
from ops.errors import ControlRoomError
from ops.model import DatasetVersion, LeaseToken, RunId
from ops.rpc import Rpc
from ops.translation import translated

IDLE_SECONDS = 15.0
"""How long the server lets a silent hold live."""


def connector(url: str, role: str | None = EXECUTOR, idle_seconds: float = IDLE_SECONDS) -> Callable[[], Connection]:
    """Opens the connection of a fence when it is first needed: a phase that writes nothing costs none."""
    return lambda: connect(url, role, idle_seconds=idle_seconds, name="controlroom-fence")


class DatabaseFence:
    """Implements ``pipelines.handler.Fence`` for one phase of one claimed run.

    Holds of one fence exclude each other, as they share a connection. Close it when the phase ends.

    Args:
        open_connection: see :func:`connector`; called at most once unless the connection breaks.
        idle_seconds: the limit that the connection was opened with; pings go three times as often.
    """

    def __init__(
        self,
        open_connection: Callable[[], Connection],
        run_id: RunId,
        lease_token: LeaseToken,
        phase: str,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._open = open_connection
        self._run_id, self._lease_token, self._phase = run_id, lease_token, phase
        self._idle_seconds = idle_seconds
        self._one_at_a_time = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def hold(self) -> Iterator[DatabaseHold]:
        """Checks the lease and holds the run row until the block ends; what was recorded is then visible.

        Raises:
            LeaseLost: the token is not current, or the lease has expired by the database's clock.
            DatabaseUnavailable: Postgres does not answer, or it ended the hold because this process was frozen. If
                the block had written already, the phase tried again finds its commit in the table and adopts it.
        """
        with self._one_at_a_time:
            connection = self._begun()
            try:
                with _pinged(connection, self._idle_seconds / 3):
                    yield DatabaseHold(Rpc(connection), self._run_id, self._lease_token, self._phase)
                with translated():
                    connection.commit()
            except BaseException:
                with suppress(Exception):
                    connection.rollback()
                raise

    def record_adopted(self, dataset: DatasetVersion) -> None:
        """Registers a commit that a former owner left in the table; same check, same errors as ``hold``."""
        with self.hold() as held:
            held.record(dataset)

    def secrets(self) -> frozenset[str]:
        """References that the run may resolve; the same check as ``hold``, on a connection of its own.

        Raises:
            LeaseLost: the token is not current.
        """
        with self._open() as connection:
            return Rpc(connection).run_secrets(self._run_id, self._lease_token)

    def close(self) -> None:
        """Closes the connection, if there was need for one."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _begun(self) -> Connection:
        """A connection whose transaction holds the run."""
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        try:
            Rpc(self._connection).hold_run(self._run_id, self._lease_token)
        except ControlRoomError:
            with suppress(Exception):
                self._connection.rollback()
            raise
        return self._connection


class DatabaseHold:
    """Implements ``pipelines.handler.Hold``."""

    def __init__(self, rpc: Rpc, run_id: RunId, lease_token: LeaseToken, phase: str) -> None:
        self._rpc, self._run_id, self._lease_token, self._phase = rpc, run_id, lease_token, phase

    def build_on(self, table: str) -> int | None:
        """The version that a commit to the table builds upon; no swap comes between this and the end of the hold."""
        return self._rpc.build_on(self._run_id, self._lease_token, table)

    def record(self, dataset: DatasetVersion) -> None:
        """Registers a Delta commit in the hold's transaction."""
        self._rpc.record_dataset(self._run_id, self._lease_token, self._phase, dataset)


@contextmanager
def _pinged(connection: Connection, every_seconds: float) -> Iterator[None]:
    """Keeps the transaction from looking idle while the block works, for as long as this process really runs."""
    done = threading.Event()

    def ping() -> None:
        while not done.wait(every_seconds):
            try:
                connection.execute("select 1")
            except Exception:
                # The block's own next call reports it, in the thread that can act on it.
                return

    thread = threading.Thread(target=ping, name="fence-ping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
