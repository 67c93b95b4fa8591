"""The steward's part in being watched: that it lives, and what has ended."""

from __future__ import annotations

from ops.database import Connection
from ops.settings import Settings
from ops.watching import Watching


def pulse(connection: Connection, _: Settings) -> None:
    """Says that the steward goes its rounds, and counts what has ended since the last time."""
    Watching(connection).steward_round()
