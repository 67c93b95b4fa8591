"""The steward's part in freshness: it reads datasets' own clocks from the lake; what is too old is decided in SQL."""

from __future__ import annotations

import structlog

from ops.database import Connection
from ops.errors import BadInput, NotFound, StorageFailed
from ops.model import Scope
from ops.schedules import Freshness, UnreadClock
from ops.settings import Settings

log = structlog.get_logger()


def check(connection: Connection, settings: Settings) -> None:
    """The duty: the clocks of new versions, then states and breaches."""
    freshness = Freshness(connection)
    read_clocks(freshness, settings)
    freshness.check()


def read_clocks(freshness: Freshness, settings: Settings) -> None:
    """Reads the event columns of released versions that nobody has looked at."""
    for each in freshness.unread():
        _read(freshness, each, settings)


def _read(freshness: Freshness, each: UnreadClock, settings: Settings) -> None:
    # Late: a steward without such rules needs no Polars.
    from pipelines.data_clock import data_clock
    from pipelines.lake import Lake

    try:
        lake = Lake(settings.lake, Scope(each.org, each.project, each.env), settings.storage_options)
        found = data_clock(lake, each.dataset, each.version, each.event_column)
    except StorageFailed as error:
        # Its next turn tries again; until then the clock before counts.
        log.warning("a dataset's clock cannot be read now", dataset=each.dataset, error=error.message)
        return
    except (BadInput, NotFound) as error:
        log.warning("a dataset has no such clock; its release counts", dataset=each.dataset, error=error.message)
        found = None
    freshness.record_event_time(each.version_id, found)
