"""Which tables of the lake a query names."""

from __future__ import annotations

from functools import lru_cache

from ops.errors import BadInput
from pipelines.sandbox.gate import admit
from pipelines.table_names import TABLE


@lru_cache(256)
def named_tables(sql: str) -> tuple[str, ...]:
    """``layer.name``, with the version behind @ where one is named; nothing for SQL that the gate refuses."""
    try:
        return tuple(name for name in admit(sql).relations if TABLE.fullmatch(table_of(name)))
    except BadInput:
        return ()


def table_of(name: str) -> str:
    """``gold.x`` of ``gold.x@v12``."""
    return name.partition("@")[0]
