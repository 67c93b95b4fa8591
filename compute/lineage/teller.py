"""The teller: a thread beside the steward that tells a receiver of lineage about every run, from the ledger in Postgres.

One tells at a time, elected by an advisory lock of its connection. An event counts as told after it was taken: one that was
under way when the teller died is told again, so a receiver may get an event twice, and never later ones of a run before
earlier ones. A receiver that is slow or gone holds up the teller and nobody else; executors know nothing of it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import structlog

from ops.database import Connection, connect, elected
from ops.errors import ControlRoomError
from ops.lineage import Due, LineageTelling
from ops.secrets import SecretStore
from ops.settings import Settings

if TYPE_CHECKING:
    from compute.lineage.receiver import Receiver

log = structlog.get_logger()
# Any number that nobody else locks; the same for every teller of a database.
ELECTION = 0x4C494E45
IDLE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0


class Teller:
    """Args:
    settings: ``openlineage`` says to whom; where it says nothing, :meth:`start` does nothing.
    """

    def __init__(self, url: str, settings: Settings, secrets: SecretStore) -> None:
        self._url, self._settings, self._secrets = url, settings, secrets
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lineage teller", daemon=True)
        self._failures = 0

    def start(self) -> None:
        if self._settings.openlineage:
            self._thread.start()

    def stop(self) -> None:
        """Ends after the event that is under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(30.0)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                with connect(self._url, autocommit=True, name="lineage teller") as connection:
                    self._serve(connection)
            except (ControlRoomError, psycopg.Error) as error:
                log.warning("telling of lineage interrupted", error=str(error))
                self._stopped.wait(IDLE_SECONDS)

    def _serve(self, connection: Connection) -> None:
        while not elected(connection, ELECTION):
            if self._stopped.wait(IDLE_SECONDS):
                return
        ledger = LineageTelling(connection)
        while not self._stopped.is_set():
            ledger.enroll()
            due = ledger.due()
            if not due:
                self._stopped.wait(IDLE_SECONDS)
            elif fault := self._tell(ledger, due):
                self._failures += 1
                pause = min(2.0 ** min(self._failures - 1, 10), LONGEST_PAUSE_SECONDS)
                log.warning("the receiver of lineage takes nothing", error=fault, pause_seconds=pause)
                self._stopped.wait(pause)

    def _tell(self, ledger: LineageTelling, due: list[Due]) -> str | None:
        """Tells of each run what is new; returns why the receiver takes nothing, if so."""
        # Late: the client and its HTTP library are loaded where somebody is told.
        from compute.lineage.receiver import Unreachable, opened

        receiver = opened(self._settings, self._secrets)
        if isinstance(receiver, str):
            ledger.refused(due[0].run_id, receiver, later=False)
            return receiver
        try:
            for one in due:
                if self._stopped.is_set():
                    break
                try:
                    self._tell_run(ledger, one, receiver)
                except Unreachable as gone:
                    ledger.refused(one.run_id, str(gone), later=False)
                    return str(gone)
        finally:
            receiver.close()
        return None

    def _tell_run(self, ledger: LineageTelling, due: Due, receiver: Receiver) -> None:
        from compute.lineage.events import told
        from compute.lineage.receiver import Refused

        story = ledger.story(due.run_id)
        try:
            news = list(told(story, self._settings.lake))
        except Exception as error:
            # A run that we cannot put into words, by a fault of ours, must not keep the others from being told.
            log.exception("a run cannot be told", run=str(due.run_id))
            ledger.refused(due.run_id, self._secrets.redact(f"{type(error).__name__}: {error}"), later=True)
            return
        for seq, events in news:
            if seq <= due.seq or not events:
                continue
            try:
                for event in events:
                    receiver.take(event)
            except Refused as refused:
                log.warning("an event of lineage was refused", run=str(due.run_id), seq=seq, error=str(refused))
                ledger.refused(due.run_id, str(refused), later=True)
                return
            ledger.told(due.run_id, seq, done=False)
            # Whoever takes something now and then is not gone.
            self._failures = 0
            if self._stopped.is_set():
                return
        ledger.told(due.run_id, story.last_seq, done=story.ended)
