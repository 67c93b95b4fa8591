"""What came of a change, said above the page that is drawn again, or in the dialog where it was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ops.errors import ControlRoomError

ONLY_ADMINS = "Limits are changed by the admins of the org or project that they hold for; ask one of them."
_KEY = "caps_done"


def done(said: str) -> None:
    """Draws the page again, with this above it."""
    st.session_state[_KEY] = said
    st.rerun()


def tell() -> None:
    """Says what was done, once."""
    if said := st.session_state.pop(_KEY, None):
        st.success(said)


@contextmanager
def refused() -> Iterator[None]:
    """What the database refuses is told where it was asked for."""
    try:
        yield
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
