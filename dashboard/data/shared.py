"""What many sessions look at is read once: the answer is kept for a moment and given to whoever has the same reach.

Before every use Postgres is asked what the person at the page may see now (:meth:`ops.access_reads.Access.my_reach`), and
that is part of the key: nobody gets what somebody of another reach has read, and who loses a project loses it with the
next look, kept answers or not. What is kept was read in one moment together with its reach; a membership that changes
between the two looks therefore shows nobody's rows to anybody (tests/dashboard/test_shared.py).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from dashboard.data.source import asking, looking
from ops.access_reads import Access
from ops.database import Connection

T = TypeVar("T")
# A page that is live asks every two or three seconds: no session sees anything older than its own last look.
KEPT_SECONDS = 1.5
TRIES = 5


class _Moved(Exception):
    """What the person may see changed between two looks at it."""


def shared(name: str, key: Hashable, make: Callable[[Connection], T]) -> T:
    """What ``make`` gives, or has just given to somebody of the same reach.

    Args:
        name: of what is made; one for each ``make``.
        key: all that it depends on beside what the person may see; its ``repr`` tells one from another.
        make: reads over the connection that it is given and nothing else. It must depend on nothing that is a person's own,
            and what it gives must not be changed. What it raises is kept for nobody.
    """
    for _ in range(TRIES):
        with asking() as connection:
            reach = Access(connection).my_reach()
        try:
            return _kept((name, reach, repr(key)), make)
        except _Moved:
            continue
    # Memberships that change faster than they can be looked at: then for this session alone.
    with looking() as connection:
        return make(connection)


@st.cache_resource(ttl=KEPT_SECONDS, max_entries=500, show_spinner=False)
def _kept(key: tuple[str, str, str], _make: Callable[[Connection], T]) -> T:
    with looking() as connection:
        if Access(connection).my_reach() != key[1]:
            raise _Moved
        return _make(connection)
