"""The widgets of a pipeline's parameters, as its spec types them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import streamlit as st

from pipelines.spec import Param


def typed(params: Mapping[str, Param], of: str) -> dict[str, str]:
    """What was typed, without those that are left empty.

    Args:
        of: whose parameters they are, down to the version: what was typed for one is no other's, though it is called the same.
    """
    given = {name: _asked(name, param, f"param_{of}_{name}") for name, param in params.items()}
    return {name: value for name, value in given.items() if value is not None}


def _asked(name: str, param: Param, key: str) -> str | None:
    default = param.default
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
