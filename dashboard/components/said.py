"""What came of a change, said above the page that is drawn again, or in the dialog where it was refused.

Above the page stays in sight of who has scrolled down (``style.css``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ops.errors import ControlRoomError

_KEY = "said"


def keep(said: str) -> None:
    """What the next page that is drawn says above itself."""
    st.session_state[_KEY] = said


def done(said: str) -> None:
    """Draws the page again, with this above it."""
    keep(said)
    st.rerun()


def in_sight() -> DeltaGenerator:
    """The place above the page that scrolls with it; for what was done a moment ago."""
    return st.container(key="in_sight")


def tell() -> None:
    """Says what was done, once."""
    if said := st.session_state.pop(_KEY, None):
        in_sight().success(said)


@contextmanager
def refused() -> Iterator[None]:
    """What the database refuses is told where it was asked for."""
    try:
        yield
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
