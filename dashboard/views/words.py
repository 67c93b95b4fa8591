"""How values read: spans, sizes, counts, and the tone of a status. The one owner of what a status looks like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from dashboard.views.zone import viewers

TONES: Mapping[str, str] = {
    "succeeded": "good",
    "running": "busy",
    "claimed": "busy",
    "queued": "waits",
    "pending": "quiet",
    "skipped": "quiet",
    "failed": "bad",
    "canceled": "stopped",
}


def tone(status: str) -> str:
    """The stylesheet's class for a status; raises KeyError for a word that is none."""
    return TONES[status]


def span(length: timedelta) -> str:
    """``40 ms``, ``0.4 s``, ``12 s``, ``3 min 4 s``, ``2 h 5 min``, ``3 d 4 h``."""
    seconds = max(length.total_seconds(), 0.0)
    if 0 < seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def ago(moment: datetime, now: datetime) -> str:
    """``12 s ago`` in one unit; ``now`` within a second."""
    passed = max((now - moment).total_seconds(), 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if passed >= size:
            return f"{passed // size:.0f} {unit} ago"
    return "now"


def exact(moment: datetime, seconds: bool = True) -> str:
    """``2026-11-26 23:10:05 CET`` in the viewer's zone; ``+05:45`` where the zone has no letters."""
    there = _there(moment)
    offset, letters = f"{there:%z}", there.tzname() or ""
    zone = letters if letters.isalpha() else f"{offset[:3]}:{offset[3:5]}"
    return f"{there:%Y-%m-%d %H:%M:%S} {zone}" if seconds else f"{there:%Y-%m-%d %H:%M} {zone}"


def clock(moment: datetime) -> str:
    """``23:10:05.250`` in the viewer's zone."""
    there = _there(moment)
    return f"{there:%H:%M:%S}.{there.microsecond // 1000:03d}"


def _there(moment: datetime) -> datetime:
    try:
        return moment.astimezone(viewers())
    except OverflowError:
        # A price that holds until the calendar's last day has no such day further east.
        return moment


def size(byte_size: int) -> str:
    """``812 B``, ``1.4 MB``, in powers of 1000."""
    value = float(byte_size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number: int, noun: str) -> str:
    """``1 phase``, ``1,234 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
