"""The follower: publishes to Superset what phases asked for, when their runs have ended. One follows at a time.

It stands beside Superset and not in the steward or an executor: a publish takes seconds and asks a server that may be gone.
What it cannot do waits in Postgres, with the reason, and is tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog

from controlroom.bi import publish_gold
from ops.bi import Bi, Wish
from ops.checkup import FOLLOWER_ELECTION
from ops.database import Connection, connect, database_url, elected
from ops.errors import ControlRoomError
from ops.secrets import SecretStore
from ops.settings import Settings
from superset.publish import Report

log = structlog.get_logger()
IDLE_SECONDS = 1.0


class Follower:
    """Args:
    publish: publishes the project and environment of the settings that it is given.
    """

    def __init__(self, settings: Settings, publish: Callable[[Settings], Report] | None = None) -> None:
        self._settings, self._redact = settings, SecretStore(settings.home).redact
        self._publish = publish or (lambda given: publish_gold(given, lambda _: None))
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends after the publish that is under way."""
        self._stopped.set()

    def work(self) -> None:
        """Stands for election and follows while elected; a lost connection means a new election."""
        while not self._stopped.is_set():
            try:
                with connect(database_url(self._settings), autocommit=True, name="superset follower") as connection:
                    self._serve(connection)
            except (ControlRoomError, psycopg.Error) as error:
                log.warning("following interrupted", error=self._redact(str(error)))
                self._stopped.wait(IDLE_SECONDS)

    def _serve(self, connection: Connection) -> None:
        while not elected(connection, FOLLOWER_ELECTION):
            if self._stopped.wait(IDLE_SECONDS):
                return
        bi = Bi(connection)
        while not self._stopped.wait(IDLE_SECONDS):
            for wish in bi.due_wishes():
                if self._stopped.is_set():
                    return
                self._grant(bi, wish)

    def _grant(self, bi: Bi, wish: Wish) -> None:
        told = log.bind(run=str(wish.run_id), project=f"{wish.org}/{wish.project}", env=wish.env)
        mine = self._settings.model_copy(update={"org": wish.org, "project": wish.project, "env": wish.env})
        try:
            report = self._publish(mine)
        except ControlRoomError as error:
            said = self._redact(f"{error.message} ({error.code})")
            told.warning("not published to superset", error=said)
            bi.refused(wish, said)
            return
        except Exception as error:
            # A project that we cannot publish, by a fault of ours, must not keep the others from being published.
            told.exception("a publish to superset broke")
            bi.refused(wish, self._redact(f"{type(error).__name__}: {error}"))
            return
        bi.granted(wish)
        certified = sum(one.certified for one in report.datasets)
        told.info("published to superset", datasets=len(report.datasets), certified=certified)
