"""The widgets of a pipeline's parameters, as its spec types them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import streamlit as st

from pipelines.spec import Param

# What a browser counts to without rounding.
EXACT = 2**53


def typed(params: Mapping[str, Param], of: str) -> dict[str, str]:
    """What was typed, without those that are left empty.

    Args:
        of: whose parameters they are, down to the version: what was typed for one is no other's, though it is called the same.
    """
    given = {name: _asked(name, param, f"param_{of}_{name}") for name, param in params.items()}
    return {name: value for name, value in given.items() if value is not None}


def _asked(name: str, param: Param, key: str) -> str | None:
    default, told = param.default, param.description or None
    needed = "must be given" if default is None else None
    match param.type:
        case "choice":
            choices = list(param.choices)
            return st.selectbox(
                name, choices, index=choices.index(str(default)) if default is not None else None, key=key, help=told
            )
        case "boolean" if default is not None:
            return str(st.checkbox(name, value=bool(default), key=key, help=told)).lower()
        case "boolean":
            # A box that nobody ticked would be an answer; it has to be given one.
            return st.selectbox(name, ["true", "false"], index=None, key=key, help=told)
        case "date":
            value = st.date_input(
                name, value=date.fromisoformat(str(default)) if default is not None else None, key=key, help=told
            )
            return value.isoformat() if isinstance(value, date) else None
        case "integer" if default is None or abs(int(default)) < EXACT:
            whole = st.number_input(
                name, value=None if default is None else int(default), step=1, key=key, placeholder=needed, help=told
            )
            return None if whole is None else str(whole)
        case _:
            # A number stays as it is typed: a field for numbers shows two decimals and keeps no more.
            given = "" if default is None else str(default)
            return st.text_input(name, value=given, key=key, placeholder=needed, help=told) or None
