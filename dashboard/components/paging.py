"""Below a list that is longer than a page: back to its beginning, and on. Where a page begins stands in the address."""

from __future__ import annotations

import streamlit as st


def begin(place: str) -> None:
    """Back to the first page, as every filter that changes goes. ``place``: its name in the address."""
    st.query_params.pop(place, None)


def turn(place: str, further: bool, then: str | None, back: str = "Newest", onward: str = "Older") -> None:
    """The buttons, where there is somewhere to go.

    Args:
        further: whether this is a page behind the first.
        then: where the next page begins; None where there is none.
    """
    if not further and then is None:
        return
    left, right = st.columns([1, 9])
    # Told before the rerun that a press makes anyway: none is made to find out that another one is needed.
    if further:
        left.button(back, key=f"{place}_{back}", on_click=begin, args=(place,))
    if then is not None:
        right.button(onward, key=f"{place}_{onward}", on_click=_go, args=(place, then))


def _go(place: str, then: str) -> None:
    st.query_params[place] = then
