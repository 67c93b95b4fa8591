"""The steward's part in backfills: it takes the step, again and again; what a step is, is decided in SQL."""

from __future__ import annotations

import structlog

from ops.backfills import Backfills
from ops.database import Connection
from ops.settings import Settings

log = structlog.get_logger()


def advance(connection: Connection, _settings: Settings) -> None:
    """The duty: notes what ended, keeps as many runs open as each backfill may have, ends what is done."""
    if moved := Backfills(connection).advance():
        log.info("backfills advanced", chunks=moved)
