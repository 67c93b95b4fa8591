"""SQL over the lake: the tables that a query names, at their last versions."""

from __future__ import annotations

import polars as pl

from ops.errors import BadInput, NotFound, SchemaDrift
from ops.model import Scope
from ops.settings import Settings
from pipelines.lake import TABLE, Lake
from pipelines.sandbox.gate import admit
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox


def ask(settings: Settings, query: str, env: str | None = None, first: int | None = None) -> pl.DataFrame:
    """The answer, computed in a process of its own that can read the named tables and nothing else.

    Args:
        first: only that many rows; without it an answer of more rows than the limit is an error.

    Raises:
        BadInput: no select, or SQL that the gate or Polars refuses.
        NotFound: a table that is not in the lake.
        QueryLimitExceeded: it needs more memory, time or rows than a query may.
    """
    lake = Lake(settings.lake, Scope(settings.org, settings.project, env or settings.env), settings.storage_options)
    tables = {name: _given(lake, name) for name in admit(query).relations}
    limits = QueryLimits(settings.sql_memory_mb, settings.sql_seconds, settings.sql_rows, settings.sql_result_mb)
    with Sandbox(limits) as sandbox:
        try:
            return sandbox.ask(query, tables, first=first)
        except SchemaDrift as error:
            # No spec expected anything here: it is the person's question that does not fit the tables.
            raise BadInput(f"the query is refused: {error.message.partition(';')[0]}", error.data) from None


def _given(lake: Lake, name: str) -> GivenTable:
    if not TABLE.fullmatch(name):
        raise NotFound(
            f"there is no table {name[:100]!r}; tables are named like gold.revenue_by_month", {"table": name[:100]}
        )
    return GivenTable(lake.path(name), lake.handle(name).version(), lake.storage.options)
