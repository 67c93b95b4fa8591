"""Pinned tables as lazy frames, and SQL over them. Whatever Polars has to say against a query comes out as our errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import polars as pl
from polars import exceptions as refused

from ops.errors import BadInput, NotFound, SchemaDrift
from ops.model import TableVersion
from pipelines.handler import Context
from pipelines.sandbox.gate import admit, admit_condition
from pipelines.sandbox.refusals import refusal
from pipelines.sandbox.sources import check_sources


def pinned(ctx: Context, table: str) -> TableVersion:
    """The version that the run reads.

    Raises:
        NotFound: the run pinned none: the table does not exist.
    """
    if table not in ctx.inputs:
        raise NotFound(f"table {table} does not exist in {ctx.scope.project}/{ctx.scope.env}", {"table": table})
    return ctx.inputs[table]


def scans(ctx: Context, inputs: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Alias → rows of the pinned version of its table."""
    return {alias: ctx.lake.scan(table, pinned(ctx, table).version) for alias, table in inputs.items()}


def query(
    frames: Mapping[str, pl.LazyFrame], sql: str, params: Mapping[str, object], roots: Collection[str] | None = None
) -> pl.LazyFrame:
    """The query's rows, lazily. Parameters are the one row of a table ``params``: values never become SQL text.

    Args:
        roots: where the frames' tables are; the plan is then made, and must scan nothing else.

    Raises:
        BadInput: the gate refuses the query (see :mod:`pipelines.sandbox.gate`), Polars cannot parse it, or its plan
            would read something else than ``roots``.
    """
    tables = dict(frames)
    if params:
        tables["params"] = pl.LazyFrame({name: [value] for name, value in params.items()})
    admitted = admit(sql, tables)
    with polars_errors("sql"):
        plan = pl.SQLContext(tables, register_globals=False).execute(admitted.sql)
        if roots is not None:
            check_sources(plan, roots)
    return plan


def condition(sql: str) -> pl.Expr:
    """A SQL condition over the columns of one table, as an expression.

    Raises:
        BadInput: the gate refuses it, or Polars cannot parse it.
    """
    admitted = admit_condition(sql)
    with polars_errors(sql):
        return pl.sql_expr(admitted)


@contextmanager
def polars_errors(what: str) -> Iterator[None]:
    """Raises what Polars raises in the block as our errors.

    Raises:
        BadInput: the SQL is wrong.
        SchemaDrift: a column is gone, has another type, or holds values that the query cannot take.
    """
    try:
        yield
    except (refused.SQLSyntaxError, refused.SQLInterfaceError, refused.DuplicateError) as error:
        raise BadInput(f"{what}: {refusal(_line(error))}", {"what": what}) from error
    except (refused.ColumnNotFoundError, refused.SchemaError, refused.StructFieldNotFoundError) as error:
        raise SchemaDrift(
            f"{what}: {_line(error)}; the input has another shape than the spec", {"what": what}
        ) from error
    except (refused.InvalidOperationError, refused.ComputeError) as error:
        # A column of another type shows as an operation or a comparison that its type has not.
        raise SchemaDrift(
            f"{what}: {_line(error)}; a type or a value is another than the spec expects", {"what": what}
        ) from error
    except refused.PanicException as error:
        # No Exception to Python: it would pass every handler and take the process with it.
        raise BadInput(f"{what}: the engine cannot carry it out: {_line(error)}", {"what": what}) from error


def unfit(error: SchemaDrift) -> BadInput:
    """The same of a person's question: no spec expected anything, it is the question that does not fit the tables."""
    return BadInput(f"the query is refused: {error.message.partition(';')[0]}", error.data)


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
