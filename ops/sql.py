"""SQL by name: every statement that Python sends lies in ``ops/queries/*.sql`` and is called by its name.

A file holds statements, each below a line ``-- name: the_name``. Comments between name and statement are for readers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Maps each name in ``text`` to its statement, without comment lines.

    Raises:
        ValueError: a name appears twice.
    """
    parts = _NAME.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"a query name appears twice among {sorted(names)}")
    return {name: _COMMENT.sub("", body).strip().removesuffix(";") for name, body in zip(names, bodies, strict=True)}


@cache
def queries(file: str) -> Mapping[str, LiteralString]:
    """The statements of ``ops/queries/<file>.sql``; read once, as they are part of the code."""
    text = files("ops").joinpath("queries", f"{file}.sql").read_text()
    return cast("Mapping[str, LiteralString]", parse(text))
