"""The widget of a run's parameter, as its spec types it."""

from __future__ import annotations

from datetime import date

import streamlit as st

from pipelines.spec import Param


def asked(name: str, param: Param, of: str) -> str | None:
    """What was typed; None where it is left empty.

    Args:
        of: whose parameter it is, down to the version: what was typed for one is no other's, though it is called the same.
    """
    key, default = f"param_{of}_{name}", param.default
    match param.type:
        case "choice":
            choices = list(param.choices)
            return st.selectbox(
                name, choices, index=choices.index(str(default)) if default is not None else None, key=key
            )
        case "boolean":
            return str(st.checkbox(name, value=bool(default), key=key)).lower()
        case "date":
            value = st.date_input(
                name, value=date.fromisoformat(str(default)) if default is not None else None, key=key
            )
            return value.isoformat() if isinstance(value, date) else None
        case _:
            return st.text_input(name, value="" if default is None else str(default), key=key) or None
