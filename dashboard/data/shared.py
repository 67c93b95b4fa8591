"""What many sessions look at is read once: the answer is kept for a moment and given to whoever has the same reach.

Before every use Postgres is asked what the person at the page may see now (:meth:`ops.access_reads.Access.my_reach`), and
that is part of the key: nobody gets what somebody of another reach has read, and who loses a project loses it with the
next look, kept answers or not. What is kept was read in one moment together with its reach; a membership that changes
between the two looks therefore shows nobody's rows to anybody (tests/dashboard/test_shared.py).

The zone in which the person reads times is part of the key too: what is kept may be drawn already.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar, cast

from dashboard.data.moments import Moments
from dashboard.data.source import looking, reach
from dashboard.views.zone import zone_name
from ops.access_reads import Access
from ops.database import Connection

T = TypeVar("T")
# A page that is live asks every two or three seconds: no session sees anything older than its own last look, and not
# older than three seconds where a look takes that long.
KEPT_SECONDS, STALE_SECONDS = 1.5, 3.0
MOST = 500
TRIES = 5
_KEPT: Moments[Any] = Moments(KEPT_SECONDS, STALE_SECONDS, MOST)


class _Moved(Exception):
    """What the person may see changed between two looks at it."""


def shared(name: str, key: Hashable, make: Callable[[Connection], T], seen: str | None = None) -> T:
    """What ``make`` gives, or has just given to somebody of the same reach.

    Args:
        name: of what is made; one for each ``make``.
        key: all that it depends on beside what the person may see and their zone; its ``repr`` tells one from another.
        make: reads over the connection that it is given and nothing else. It must depend on nothing that is a person's own,
            and what it gives must not be changed. What it raises is kept for nobody.
        seen: the person's reach, where it was asked a moment ago for the same drawing.
    """
    for _ in range(TRIES):
        now = seen or reach()
        try:
            return cast("T", _KEPT.of((name, now, zone_name(), repr(key)), partial(_read, now, make)))
        except _Moved:
            seen = None
    # Memberships that change faster than they can be looked at: then for this session alone.
    with looking() as connection:
        return make(connection)


def _read(seen: str, make: Callable[[Connection], T]) -> T:
    with looking() as connection:
        if Access(connection).my_reach() != seen:
            raise _Moved
        return make(connection)
