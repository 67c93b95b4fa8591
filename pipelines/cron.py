"""Cron: whether a text is one, and when it is due. The library is ``cronsim``, which does what Debian's cron does.

At a change of the clocks: a fixed time (``30 2 * * *``) that does not exist that day is due at the first moment after the gap,
and one that exists twice is due the first time. With ``*`` in minute or hour, real time counts: what lies in the gap does not
happen, what lies in the doubled hour happens twice. See docs/schedules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import timezone as fixed
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31"),
    ("month", "1-12"),
    ("day of week", "0-7"),
)
MINUTE, DAY = timedelta(minutes=1), 1440
SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def cron_fault(text: str) -> str | None:
    """What is wrong with a cron expression, in one line; None where nothing is.

    Five fields: minute, hour, day of month, month, day of week; each of ``*``, values, ranges, steps and lists.
    """
    fields = text.split()
    if len(fields) != len(FIELDS):
        return f"{text!r} has {len(fields)} fields; cron has five, such as '*/15 * * * *'"
    for at, (field, (name, span)) in enumerate(zip(fields, FIELDS, strict=True)):
        for part in field.split(","):
            alone = ["*"] * len(FIELDS)
            alone[at] = part
            if not _parses(" ".join(alone)):
                return f"{part!r} is no {name}; write {span}, a range such as {span}, * or */n"
    try:
        next(CronSim(text, SOME_DAY))
    except (CronSimError, StopIteration):
        return f"{text!r} is never due: no month has such a day"
    return None


def _parses(text: str) -> bool:
    try:
        CronSim(text, SOME_DAY)
    except CronSimError:
        return False
    return True


def timezone_fault(name: str) -> str | None:
    """A name of the IANA database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"no time zone {name!r}; write one such as UTC or Asia/Manila"
    return None


def ticks(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """The moments, in UTC and rising, at which ``cron`` is due after ``after`` by the clocks of ``timezone``.

    Raises:
        CronSimError, ZoneInfoNotFoundError: what :func:`cron_fault` and :func:`timezone_fault` tell before.
    """
    zone = ZoneInfo(timezone)
    minute, hour = cron.split()[:2]
    if minute.startswith("*") or hour.startswith("*"):
        yield from _in_real_time(cron, zone, after)
        return
    last = after
    # Two local times may be one moment (both in the gap), and the second of two equal hours may be answered with the first.
    for local in CronSim(cron, after.astimezone(zone)):
        moment = local.astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def _in_real_time(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """From one change of the clocks to the next: in between, a zone is a fixed offset.

    Left to itself ``cronsim`` loses ticks where clocks change by half an hour (Australia/Lord_Howe).
    """
    start = after
    while True:
        end = next((change for change in _changes(zone, start.year) if change > start), None)
        # Its last change of the year lies behind us: the next year begins with the offset that holds now.
        end = end or datetime(start.year + 1, 1, 1, tzinfo=UTC)
        offset = start.astimezone(zone).utcoffset() or timedelta()
        begin = start if start == after else start - timedelta(seconds=1)
        found = False
        for local in CronSim(cron, begin.astimezone(fixed(offset))):
            found = True
            moment = local.astimezone(UTC)
            if moment >= end:
                break
            yield moment
        if not found:
            return
        start = end


@lru_cache(maxsize=1024)
def _changes(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    """The moments of a year at which the clocks of a zone change, to the minute."""
    changes = []
    for day in range(366):
        start = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)
        offsets = [(start + minute * MINUTE).astimezone(zone).utcoffset() for minute in (0, DAY)]
        if offsets[0] != offsets[1]:
            minutes = [(start + minute * MINUTE).astimezone(zone).utcoffset() for minute in range(DAY + 1)]
            changes.append(start + next(m for m, offset in enumerate(minutes) if offset != offsets[0]) * MINUTE)
    return tuple(changes)
