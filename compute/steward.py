"""The steward: requeues runs whose lease ended and does its duties. One works at a time.

It is elected by an advisory lock of its session, so a dead one's place is free as soon as Postgres sees its connection end.
It is a loop of its own and not a run: a sweeper that stands in the queue stalls with the queue.
"""

from __future__ import annotations

import signal
import threading

import psycopg
import structlog

from compute.courier import Courier
from compute.duties import DUTIES, Rota
from compute.lineage.teller import Teller
from ops import logs
from ops.database import Connection, connect, database_url, elected
from ops.errors import ControlRoomError
from ops.rpc import Rpc
from ops.secrets import SecretStore
from ops.settings import Settings
from ops.upkeep import Upkeep

log = structlog.get_logger()
# Any number that nobody else locks; the same for every steward of a database.
ELECTION = 0x57455741


class Steward:
    """Args:
    every_seconds: how often stale runs are looked for.
    lost_after_seconds: how long an executor may be silent.
    """

    def __init__(self, url: str, settings: Settings, every_seconds: float, lost_after_seconds: float) -> None:
        self._url, self._settings = url, settings
        self._every, self._lost_after = every_seconds, lost_after_seconds
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def work(self) -> None:
        """Stands for election and works while elected; a lost connection means a new election."""
        while not self._stopped.is_set():
            try:
                with connect(self._url, autocommit=True, name="steward") as connection:
                    self._serve(connection)
            except (ControlRoomError, psycopg.Error) as error:
                log.warning("steward interrupted", error=str(error))
                self._stopped.wait(min(self._every, 1.0))

    def _serve(self, connection: Connection) -> None:
        while not elected(connection, ELECTION):
            if self._stopped.wait(self._every):
                return
        log.info("steward elected")
        rpc, upkeep, rota = Rpc(connection), Upkeep(connection), Rota(DUTIES, self._settings)
        while not self._stopped.wait(self._every):
            if requeued := rpc.requeue_stale_runs(0.0):
                log.warning("stale runs dealt with", runs=requeued)
            if lost := upkeep.mark_lost_executors(self._lost_after):
                log.warning("executors lost", executors=lost)
            rota.round(connection)


def main() -> None:
    """``python -m compute.steward``: works until SIGTERM or SIGINT."""
    settings = Settings.load()
    logs.configure(SecretStore(settings.home).redact)
    lease = settings.lease_seconds
    steward = Steward(database_url(settings), settings, every_seconds=min(1.0, lease / 4), lost_after_seconds=2 * lease)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: steward.stop())
    courier = Courier(database_url(settings), SecretStore(settings.home), lease)
    teller = Teller(database_url(settings), settings, SecretStore(settings.home))
    courier.start()
    teller.start()
    steward.work()
    courier.stop()
    teller.stop()


if __name__ == "__main__":
    main()
