"""SQL over the lake: the tables that a query names, at their last versions."""

from __future__ import annotations

import re

import polars as pl

from ops.errors import BadInput
from ops.model import Scope
from ops.settings import Settings
from pipelines.lake import Lake

_SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(bronze|silver|gold|quarantine)\.([a-z_][a-z0-9_]*)")


def ask(settings: Settings, query: str, env: str | None = None) -> pl.LazyFrame:
    """The answer, not yet computed.

    Raises:
        BadInput: no select, or SQL that Polars refuses.
        NotFound: a table that is not in the lake.
    """
    if not _SELECT.match(query):
        raise BadInput("only a select can be asked; write one over bronze., silver. or gold. tables")
    lake = Lake(settings.lake, Scope(settings.org, settings.project, env or settings.env), settings.storage_options)
    names = {f"{layer}.{name}" for layer, name in _TABLE.findall(query)}
    context = pl.SQLContext({name: lake.scan(name) for name in names if _is_table(lake, name, query)})
    try:
        answer = context.execute(query)
        answer.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"the query is refused: {str(error).splitlines()[0]}") from None
    return answer


def _is_table(lake: Lake, name: str, query: str) -> bool:
    """Whether a name stands for a table; the same text may be part of a literal, which needs no table."""
    return lake.version(name) is not None or f"'{name}" not in query
