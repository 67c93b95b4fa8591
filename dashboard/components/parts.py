"""A page of several parts, one of which is shown; which stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.components.said import tell


def show(parts: Mapping[str, Callable[[], None]]) -> None:
    """The choice, what was just done, and the part; the first one, unless another is chosen."""
    part = st.segmented_control(
        "Part", list(parts), default=next(iter(parts)), required=True, key="part", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    tell()
    parts[part]()
