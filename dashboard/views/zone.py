"""The zone in which whoever looks reads times: UTC until a page takes its viewer's.

It goes with the script that draws, so that whatever is drawn need not be handed it.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_VIEWERS: ContextVar[tzinfo] = ContextVar("viewers_zone", default=UTC)


def named(name: str | None) -> tzinfo:
    """The zone that a browser says it is in; UTC for what is none, for a browser may say anything."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: the name of a folder of zones, or one that is too long for a file.
        return UTC


def take(name: str | None) -> None:
    """Times that are drawn from here on are those of this zone."""
    _VIEWERS.set(named(name))


def viewers() -> tzinfo:
    return _VIEWERS.get()


def zone_name() -> str:
    """``Asia/Kolkata``: what tells one viewer's times from another's."""
    return str(viewers())
