"""Below a list that is longer than a page: back to its beginning, and on. Where a page begins stands in the address.

It stands there with a mark of the filters that it belongs to: a browser's Back brings an old place back and not the old
filters, and a place of another list would hide rows of this one.
"""

from __future__ import annotations

import hashlib

import streamlit as st


def place(name: str, of: object) -> str | None:
    """Where the page begins; None at the beginning.

    Args:
        name: what it is called in the address.
        of: the filters; their ``repr`` tells one choice from another.
    """
    mark, _, where = st.query_params.get(name, "").partition("~")
    return where if where and mark == _mark(of) else None


def turn(name: str, of: object, then: str | None, back: str = "Newest", onward: str = "Older") -> None:
    """The buttons, where there is somewhere to go.

    Args:
        then: where the next page begins; None where there is none.
    """
    further = place(name, of) is not None
    if not further and then is None:
        return
    left, right = st.columns([1, 9])
    # Told before the rerun that a press makes anyway: none is made to find out that another one is needed.
    if further:
        left.button(back, key=f"{name}_{back}", on_click=begin, args=(name,))
    if then is not None:
        right.button(onward, key=f"{name}_{onward}", on_click=_go, args=(name, f"{_mark(of)}~{then}"))


def begin(name: str) -> None:
    """Back to the first page, as every filter that changes goes."""
    st.query_params.pop(name, None)


def _go(name: str, where: str) -> None:
    st.query_params[name] = where


def _mark(of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:8]
