"""SQL over the lake: the tables that a query names, at the versions that readers get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from compute.inputs import outsiders_version
from controlroom.session import Session
from ops.catalog import Catalog
from ops.errors import NotFound, SchemaDrift
from ops.model import Scope
from pipelines.frames import unfit
from pipelines.lake import TABLE, Lake
from pipelines.sandbox.gate import admit
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox


def ask(
    session: Session,
    query: str,
    env: str | None = None,
    first: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """The answer, computed in a process of its own that can read the named tables and nothing else.

    What is or may be personal data reads as null for whoever is no editor of the project there.

    Args:
        first: only that many rows; without it an answer of more rows than the limit is an error.
        tell: gets a line for each table of which columns are kept from this person.

    Raises:
        BadInput: no select, or SQL that the gate or Polars refuses.
        NotFound: a project or environment that is not the token's; a table that is not in the lake, or of which no run has
            succeeded.
        QueryLimitExceeded: it needs more memory, time or rows than a query may.
    """
    settings = session.settings
    scope = Scope(settings.org, settings.project, env or settings.env)
    lake = Lake(settings.lake, scope, settings.storage_options)
    names = admit(query).relations
    if settings.token:
        session.tenancy.require_env(session.project_id(), scope.env)
    released = _released(session, scope) if names else {}
    masked = Catalog(session.connection).masked_columns(session.project_id(), scope.env, names) if names else {}
    for table, columns in masked.items():
        tell(f"{table}: {', '.join(columns)} read as null, for personal data needs the role editor")
    # What Postgres does not know it cannot keep from anybody: only whoever works at the machine itself reads it.
    known_only = settings.token is not None
    tables = {name: _given(lake, name, released, masked.get(name, ()), known_only) for name in names}
    limits = QueryLimits(settings.sql_memory_mb, settings.sql_seconds, settings.sql_rows, settings.sql_result_mb)
    with Sandbox(limits) as sandbox:
        try:
            return sandbox.ask(query, tables, first=first)
        except SchemaDrift as error:
            raise unfit(error) from None


def _released(session: Session, scope: Scope) -> dict[str, int]:
    own = (scope.org, scope.project)
    return {each.table: each.version for each in session.reads.datasets(scope.env) if (each.org, each.project) == own}


def _given(lake: Lake, name: str, released: Mapping[str, int], masked: Sequence[str], known_only: bool) -> GivenTable:
    if not TABLE.fullmatch(name):
        raise NotFound(
            f"there is no table {name[:100]!r}; tables are named like gold.revenue_by_month", {"table": name[:100]}
        )
    version = released.get(name)
    if version is None and not known_only:
        version = outsiders_version(lake, name)
    if version is None:
        raise NotFound(
            f"table {name} does not exist in {lake.scope.project}/{lake.scope.env}, or no run that wrote it has succeeded",
            {"table": name},
        )
    return GivenTable(lake.path(name), version, lake.storage.options, tuple(masked))
