"""When cron is due, found by looking at every minute: slow, simple, and nothing of the library that is judged by it.

At a change of the clocks as Debian's cron has it. With ``*`` in minute or hour: every minute that the clock on the wall shows
and that matches, as often as it shows it. Otherwise: a time that the wall never shows is due when the wall has jumped over
it, one that it shows twice the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def values(field: str, low: int, high: int) -> set[int]:
    """What a field of numbers, ranges, lists and steps stands for."""
    found: set[int] = set()
    for part in field.split(","):
        body, _, step = part.partition("/")
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = map(int, body.split("-"))
        else:
            first, last = int(body), high if step else int(body)
        found |= set(range(first, last + 1, int(step or 1)))
    return found


@cache
def wall(zone: str, start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime, tuple[datetime, ...]]]:
    """Each minute in UTC, what the wall shows then, and which times of the wall come to be with it: itself the first time
    that it is shown, and those that were jumped over."""
    found, latest = [], (start - MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    moment = start
    while moment <= end:
        shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        new = []
        while latest < shown:
            latest += MINUTE
            new.append(latest)
        found.append((moment, shown, tuple(new)))
        moment += MINUTE
    return found


def naive_ticks(cron: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Every moment after ``start`` and up to ``end`` at which it is due."""
    fields = cron.split()
    minutes, hours, days, months, weekdays = (values(f, *span) for f, span in zip(fields, SPANS, strict=True))
    weekdays = {day % 7 for day in weekdays}
    both = fields[2].startswith("*") or fields[4].startswith("*")
    real = fields[0].startswith("*") or fields[1].startswith("*")

    def matches(shown: datetime) -> bool:
        if shown.minute not in minutes or shown.hour not in hours or shown.month not in months:
            return False
        day, weekday = shown.day in days, shown.isoweekday() % 7 in weekdays
        return (day and weekday) if both else (day or weekday)

    return [
        moment
        for moment, shown, new in wall(zone, start.astimezone(UTC), end.astimezone(UTC))
        if moment > start and (matches(shown) if real else any(map(matches, new)))
    ]
