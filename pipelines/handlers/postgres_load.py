"""A lake table loaded beside the one that readers have: rows, indexes, checks, everything that may take long, before the swap.

Rows go by binary COPY into a table that nobody may read, in the transaction that makes it; reading and encoding run ahead of
sending. What was loaded is then counted and added up by the database and compared with what was read, so that half a load is
never swapped in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import TypeVar

import polars as pl
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from ops.errors import PhaseFailed
from ops.model import LeaseToken
from pipelines.handler import Context
from pipelines.spec_ends import PostgresTarget

T = TypeVar("T")
BATCH_ROWS = 65_536
LOADING = "controlroom loading"
"""Comment of a table that is not swapped yet. Nothing without it is ever dropped as a leftover, whatever its name."""
LOCK = "select pg_advisory_lock(hashtextextended(%s, 0))"
# A loader holds a lock of its table's name as long as its session lives, so what can be locked is nobody's.
LEFTOVERS = """
select c.relname
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = %s and c.relkind = 'r' and starts_with(c.relname, %s)
   and obj_description(c.oid, 'pg_class') = %s
   and pg_try_advisory_xact_lock(hashtextextended(n.nspname || '.' || c.relname, 0))
"""
# What default privileges of the schema gave to others: past a table's rules nobody reads.
GIVEN = """
select distinct case when g.grantee = 0 then 'public' else g.grantee::regrole::text end
  from pg_class c, aclexplode(c.relacl) g
 where c.oid = to_regclass(%s) and g.grantee <> c.relowner
"""
# Larger ones might not add up within 38 digits.
ADDS_UP = Decimal(10) ** 28
SUM_DIGITS = 80


@dataclass(frozen=True)
class Shape:
    """A column as Postgres has it, and how its values are read from Polars."""

    name: str
    kind: str
    adds_up: bool = False


@dataclass
class Sums:
    """What was read: rows, values that are not null, and sums of what adds up exactly."""

    rows: int = 0
    values: dict[str, int] = field(default_factory=dict)
    sums: dict[str, Decimal] = field(default_factory=dict)

    def add(self, part: pl.DataFrame, shapes: list[Shape]) -> None:
        with localcontext(prec=SUM_DIGITS):
            self._add(part, shapes)

    def _add(self, part: pl.DataFrame, shapes: list[Shape]) -> None:
        self.rows += part.height
        for shape in shapes:
            column = part[shape.name]
            self.values[shape.name] = self.values.get(shape.name, 0) + column.len() - column.null_count()
            if shape.adds_up:
                self.sums[shape.name] = self.sums.get(shape.name, Decimal(0)) + _sum(column)


def _sum(column: pl.Series) -> Decimal:
    if column.dtype.is_decimal() and column.len() > column.null_count():
        low, high = column.min(), column.max()
        if max(abs(Decimal(str(low))), abs(Decimal(str(high)))) >= ADDS_UP:
            return sum(column.drop_nulls(), Decimal(0))
    elif column.dtype.is_integer():
        column = column.cast(pl.Int128)
    return Decimal(str(column.sum() or 0))


def fresh_name(name: str, token: LeaseToken | str) -> str:
    """The token is in the name: a zombie loads into a table of its own, and the swap is fenced."""
    return f"{name[:40]}__{token}"


def load(
    ctx: Context,
    connection: psycopg.Connection,
    target: PostgresTarget,
    name: str,
    table: str,
    version: int,
    finish: Callable[[str], T],
) -> T:
    """Loads the rows into a table beside the one called ``name`` and hands over its name, to be shaped and swapped.

    Args:
        finish: gets the name of a table with all the rows; whatever it does not swap away is dropped.

    Raises:
        PhaseFailed: the database has other rows than were read.
    """
    schema, fresh = target.table.partition(".")[0], fresh_name(name, ctx.lease_token)
    ensure_schema(connection, schema)
    connection.execute(LOCK, [f"{schema}.{fresh}"])
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, fresh)))
    try:
        _drop_leftovers(connection, schema, name)
        read = _copy(ctx, connection, sql.Identifier(schema, fresh), table, version)
        _compare(ctx, connection, sql.Identifier(schema, fresh), table, version, read)
        return finish(fresh)
    finally:
        # What was not swapped away; where it was, there is none of that name any more.
        with suppress(psycopg.Error):
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, fresh)))


def index(connection: psycopg.Connection, target: PostgresTarget, fresh: sql.Identifier) -> None:
    """The indexes of the target's settings, and what the planner knows of the rows."""
    for columns, unique in ((target.key, "unique "), *((one, "") for one in target.indexes)):
        if columns:
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            connection.execute(sql.SQL("create {}index on {} ({})").format(sql.SQL(unique), fresh, names))
    connection.execute(sql.SQL("analyze {}").format(fresh))


def ensure_schema(connection: psycopg.Connection, schema: str) -> None:
    """Creates the schema where it is missing. Publishers may race: Postgres' own ``if not exists`` fails all but the first.

    One that exists is not touched, so its user needs no right to create schemas.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"schema {schema}"])
        if connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone() is None:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def _copy(
    ctx: Context, connection: psycopg.Connection, fresh: sql.Identifier, table: str, version: int
) -> tuple[Sums, list[Shape]]:
    """Streams: memory is bounded by a few batches, not by the table."""
    frame = ctx.lake.scan(table, version)
    arrow = _arrow(pl.DataFrame(schema=frame.collect_schema())).schema
    shapes = [_shape(table, one) for one in arrow]
    columns = sql.SQL(", ").join(sql.SQL(f"{{}} {one.kind}").format(sql.Identifier(one.name)) for one in shapes)
    sums, encoder = Sums(), ArrowToPostgresBinaryEncoder(arrow)

    def encoded() -> Iterator[bytes]:
        yield encoder.write_header()
        for part in frame.collect_batches(chunk_size=BATCH_ROWS):
            sums.add(part, shapes)
            for batch in _arrow(part).cast(arrow).to_batches():
                yield encoder.write_batch(batch)
        yield encoder.finish()

    with connection.transaction():
        connection.execute(sql.SQL("create table {} ({})").format(fresh, columns))
        connection.execute(sql.SQL("comment on table {} is {}").format(fresh, sql.Literal(LOADING)))
        for (who,) in connection.execute(GIVEN, [fresh.as_string(None)]).fetchall():
            connection.execute(sql.SQL("revoke all on {} from {}").format(fresh, sql.SQL(who)))
        # Frozen: nobody can have a snapshot from before the table, so its rows need no second look, nor a vacuum later.
        statement = sql.SQL("copy {} from stdin (format binary, freeze)").format(fresh)
        with connection.cursor().copy(statement) as copy:
            for data in _ahead(encoded()):
                copy.write(data)
    return sums, shapes


def _ahead(parts: Iterator[T]) -> Iterator[T]:
    """The same parts, the next one being made while one is used."""
    end = object()
    with ThreadPoolExecutor(1, "publish") as beside:
        coming = beside.submit(next, parts, end)
        while (part := coming.result()) is not end:
            coming = beside.submit(next, parts, end)
            yield part  # type: ignore[misc]


def _arrow(frame: pl.DataFrame) -> pa.Table:
    narrow = [pl.col(name).cast(pl.Int16) for name, kind in frame.schema.items() if kind == pl.Int8]
    return frame.with_columns(narrow).to_arrow(compat_level=pl.CompatLevel.oldest())


def _shape(table: str, column: pa.Field) -> Shape:
    match str(column.type).partition("[")[0].partition("(")[0]:
        case "int16" | "int32" | "int64" as kind:
            return Shape(column.name, {"int16": "smallint", "int32": "integer", "int64": "bigint"}[kind], True)
        case "decimal128":
            return Shape(column.name, "numeric", True)
        case "timestamp":
            return Shape(column.name, "timestamptz" if column.type.tz else "timestamp")
        case kind if kind in KINDS:
            return Shape(column.name, KINDS[kind])
    raise PhaseFailed(
        f"column {column.name} of {table} is {column.type}, which Postgres gets no column of; take it apart or make it text",
        {"column": column.name},
    )


KINDS = {
    "bool": "boolean", "float": "real", "double": "double precision", "string": "text", "large_string": "text",
    "binary": "bytea", "large_binary": "bytea", "date32": "date", "time64": "time",
}  # fmt: skip


def _compare(
    ctx: Context,
    connection: psycopg.Connection,
    fresh: sql.Identifier,
    table: str,
    version: int,
    read: tuple[Sums, list[Shape]],
) -> None:
    """Raises PhaseFailed where the database has other rows than were read, or others than the version has."""
    sums, shapes = read
    asked: list[sql.Composable] = [sql.SQL("count(*)")]
    asked += [sql.SQL("count({})").format(sql.Identifier(one.name)) for one in shapes]
    asked += [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(one.name)) for one in shapes if one.adds_up]
    row = connection.execute(sql.SQL("select {} from {}").format(sql.SQL(", ").join(asked), fresh)).fetchone()
    assert row is not None
    names = ["rows", *(f"values of {one.name}" for one in shapes), *(f"sum of {each}" for each in sums.sums)]
    expected = [ctx.lake.rows(table, version), *sums.values.values(), *sums.sums.values()]
    if not sums.rows:
        expected, row, names = expected[:1], row[:1], names[:1]
    for name, wanted, got in zip(names, expected, row, strict=True):
        if Decimal(str(wanted)) != Decimal(str(got)):
            raise PhaseFailed(
                f"what was loaded of {table} version {version} is not what was read: {name} is {got}, not {wanted}; readers "
                "keep what they have, run it again",
                {"what": name, "wanted": str(wanted), "got": str(got)},
            )


def _drop_leftovers(connection: psycopg.Connection, schema: str, name: str) -> None:
    """Tables that former owners loaded and never swapped."""
    with connection.transaction():
        for (left,) in connection.execute(LEFTOVERS, [schema, fresh_name(name, ""), LOADING]).fetchall():
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, left)))
