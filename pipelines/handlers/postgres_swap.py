"""Taking a table's place: what stands on the old one is put on the new one, and the old one is kept aside, in one transaction.

Kept tables are read by nobody: they lose grants, policies, triggers and constraints, which go to the table that readers have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TypeVar

import psycopg
import structlog
import tenacity
from psycopg import sql
from psycopg.rows import dict_row

from ops.errors import NotAllowed, PhaseFailed, SourceUnreachable
from pipelines.handler import Context, Hold
from pipelines.published import Published

log = structlog.get_logger()
T = TypeVar("T")
PREVIOUS = "__previous_"
TENANT_CHECK = "controlroom_tenant"
"""Constraint of a partition that stays with it while it is kept: with it a partition is attached without a look at its rows."""
LOCK_SECONDS = 2
"""How long a swap waits for readers of the old rows: those who come after it wait behind it meanwhile."""
ATTEMPTS = 30
COMMENT = "select obj_description(to_regclass(%s), 'pg_class')"
COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod)
  from pg_attribute a
 where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
 order by a.attnum
"""
KEPT = """
select c.relname, obj_description(c.oid, 'pg_class')
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = %s and c.relkind = 'r' and not c.relispartition and starts_with(c.relname, %s)
"""
NOW = "select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


@dataclass(frozen=True)
class Item:
    """Something that stands on a table; without a statement it cannot be put on another."""

    kind: str
    name: str
    statement: str | None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Index:
    name: str
    is_unique: bool
    tail: str | None


@dataclass(frozen=True)
class Kept:
    """An earlier version, kept for a rollback."""

    name: str
    published: Published


@contextmanager
def opened(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection for publishing: nothing is found by its bare name, so that what Postgres says of a table names all of it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set search_path = pg_catalog")
        yield connection


def swapped(ctx: Context, connection: psycopg.Connection, work: Callable[[Hold], T]) -> T:
    """Does the work in one fenced transaction. Where readers are slow to let go of a table, it steps back and tries again.

    Raises:
        SourceUnreachable: somebody held the table all the time.
    """
    try:
        for attempt in tries():
            with attempt, ctx.fence.hold() as hold, impatient(connection):
                return work(hold)
    except psycopg.errors.LockNotAvailable:
        raise SourceUnreachable(
            "somebody has held the table all the time; end the query that does, and run it again"
        ) from None
    raise AssertionError("unreachable")


def tries() -> tenacity.Retrying:
    """Tries of a transaction that steps back from a table which readers are slow to let go of; raises the last refusal."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(psycopg.errors.LockNotAvailable),
        wait=tenacity.wait_random_exponential(0.1, max=2.0),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        reraise=True,
    )


@contextmanager
def impatient(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction that waits for nobody longer than readers may be made to wait."""
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'".encode())
        yield


def take_place(connection: psycopg.Connection, schema: str, name: str, new: str, keep: int, ours: str) -> None:
    """Puts table ``new`` in the place of ``name``, with what stands there; the old one is kept aside where it was published.

    Raises:
        PhaseFailed: something stands on columns that the new one has not, or refuses its rows.
        NotAllowed: something stands there that no other table can be given.
    """
    old = sql.Identifier(schema, name)
    items = standing_on(connection, old)
    if bound := [str(one) for one in items if one.statement is None]:
        raise NotAllowed(f"{schema}.{name} cannot be swapped: {', '.join(bound)} stands on it", {"standing": bound})
    indexes = indexes_of(connection, old, ours)
    there = exists(connection, old)
    aside = put_aside(connection, schema, name, indexes) if there else None
    connection.execute(sql.SQL("alter table {} rename to {}").format(sql.Identifier(schema, new), sql.Identifier(name)))
    _put_on(connection, old, items)
    _put_indexes_on(connection, schema, old, indexes)
    if aside is not None and published_at(connection, schema, aside) is None:
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, aside)))
    prune(connection, schema, name, keep)


def standing_on(connection: psycopg.Connection, table: sql.Identifier) -> list[Item]:
    """What would be lost with the table, but for indexes: see ``standing.sql``."""
    found = connection.execute(_text("standing.sql"), {"table": table.as_string(None)}).fetchall()
    return [Item(*map(_optional, row)) for row in found]  # type: ignore[arg-type]


def indexes_of(connection: psycopg.Connection, table: sql.Identifier, ours: str) -> list[Index]:
    """Its indexes, but for those whose names begin with ``ours``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_text("indexes.sql"), {"table": table.as_string(None), "ours": ours}).fetchall()
    return [Index(**row) for row in found]


def mirror_indexes(connection: psycopg.Connection, table: str, fresh: str, indexes: Sequence[Index]) -> None:
    """Builds people's indexes of a table on the one that will take its place, before it does: nobody waits for them."""
    schema = table.partition(".")[0]
    for number, one in enumerate(indexes):
        if one.tail is not None:
            _create_index(connection, sql.Identifier(schema, fresh), f"{fresh}_i{number}", one, table)


def put_aside(connection: psycopg.Connection, schema: str, name: str, indexes: Sequence[Index]) -> str:
    """Renames a table out of the way, with what is to be said of it while it is kept; its new name."""
    row = connection.execute(NOW).fetchone()
    assert row is not None
    aside, table = _aside_name(name, str(row[0])), sql.Identifier(schema, name)
    for number, one in enumerate(indexes):
        connection.execute(
            sql.SQL("alter index {} rename to {}").format(
                sql.Identifier(schema, one.name), sql.Identifier(f"{aside[:58]}_i{number}")
            )
        )
    arguments = {"table": table.as_string(None), "kept": TENANT_CHECK}
    for (statement,) in connection.execute(_text("strip.sql"), arguments).fetchall():
        connection.execute(str(statement).encode())
    if (known := published_at(connection, schema, name)) is not None:
        say(connection, schema, name, replace(known, kept_at=str(row[0])))
    connection.execute(sql.SQL("alter table {} rename to {}").format(table, sql.Identifier(aside)))
    return aside


def kept(connection: psycopg.Connection, schema: str, name: str) -> list[Kept]:
    """Earlier versions that are kept, the last one first."""
    rows = connection.execute(KEPT, [schema, _aside_name(name, "")]).fetchall()
    found = [Kept(str(table), said) for table, comment in rows if (said := Published.parse(comment)) and said.kept_at]
    return sorted(found, key=lambda one: one.published.kept_at or "", reverse=True)


def prune(connection: psycopg.Connection, schema: str, name: str, keep: int) -> None:
    """Drops what is kept beyond that number; a table that somebody built something on stays."""
    for one in kept(connection, schema, name)[keep:]:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, one.name)))
        except psycopg.errors.DependentObjectsStillExist:
            log.warning("something stands on a version that is kept no longer; drop both", table=f"{schema}.{one.name}")


def exists(connection: psycopg.Connection, table: sql.Identifier) -> bool:
    return connection.execute("select to_regclass(%s)", [table.as_string(None)]).fetchone() != (None,)


def columns_of(connection: psycopg.Connection, table: sql.Identifier) -> dict[str, str]:
    """Name → type, in column order."""
    return {str(name): str(kind) for name, kind in connection.execute(COLUMNS, [table.as_string(None)])}


def comment_of(connection: psycopg.Connection, schema: str, name: str) -> str | None:
    """A table's comment, None where there is none."""
    row = connection.execute(COMMENT, [sql.Identifier(schema, name).as_string(None)]).fetchone()
    return row[0] if row else None


def published_at(connection: psycopg.Connection, schema: str, name: str) -> Published | None:
    """What was published there, None where nothing was."""
    return Published.parse(comment_of(connection, schema, name))


def say(connection: psycopg.Connection, schema: str, name: str, published: Published) -> None:
    """Writes what stands in a table down where it stands."""
    table = sql.Identifier(schema, name)
    connection.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(published.comment)))


def describe(connection: psycopg.Connection, table: sql.Identifier, columns: dict[str, str]) -> None:
    """Comments of columns."""
    for name, said in columns.items():
        column = sql.SQL("{}.{}").format(table, sql.Identifier(name))
        connection.execute(sql.SQL("comment on column {} is {}").format(column, sql.Literal(said)))


def _put_on(connection: psycopg.Connection, table: sql.Identifier, items: Sequence[Item]) -> None:
    columns = columns_of(connection, table)
    for one in items:
        if one.statement is None or (one.kind == "comment of column" and one.name not in columns):
            continue
        try:
            connection.execute(one.statement.encode())
        except psycopg.errors.IntegrityError as error:
            raise PhaseFailed(f"{one} stands on {_dotted(table)} and refuses its new rows: {line(error)}") from None
        except psycopg.errors.ProgrammingError as error:
            raise PhaseFailed(
                f"{_dotted(table)} has other columns now, and {one} stands on the old ones ({line(error)}); drop that, "
                "publish, create it anew",
                {"standing": str(one)},
            ) from None


def _put_indexes_on(
    connection: psycopg.Connection, schema: str, table: sql.Identifier, indexes: Sequence[Index]
) -> None:
    """People's indexes keep their names; one that was built before is renamed."""
    # No name begins with this.
    built = {(one.is_unique, one.tail): one.name for one in indexes_of(connection, table, "\n")}
    for one in indexes:
        if (name := built.get((one.is_unique, one.tail))) is not None:
            connection.execute(
                sql.SQL("alter index {} rename to {}").format(sql.Identifier(schema, name), sql.Identifier(one.name))
            )
        else:
            _create_index(connection, table, one.name, one, _dotted(table))


def _create_index(connection: psycopg.Connection, table: sql.Identifier, name: str, like: Index, told: str) -> None:
    if like.tail is None:
        raise NotAllowed(f"{told} cannot be swapped: index {like.name} stands on it")
    statement = sql.SQL("create {}index {} on {} ").format(
        sql.SQL("unique " if like.is_unique else ""), sql.Identifier(name), table
    )
    try:
        connection.execute((statement.as_string(connection) + like.tail).encode())
    except psycopg.errors.UndefinedColumn as error:
        raise PhaseFailed(
            f"{told} has other columns now, and index {like.name} stands on the old ones ({line(error)}); drop that, "
            "publish, create it anew",
            {"standing": like.name},
        ) from None


def _aside_name(name: str, stamp: str) -> str:
    """Of a kept table; without a stamp how the names of all of them begin."""
    which = hashlib.sha256(name.encode()).hexdigest()[:4]
    return f"{name[:40]}{PREVIOUS}{which}" + (hashlib.sha256(stamp.encode()).hexdigest()[:8] if stamp else "")


def _dotted(table: sql.Identifier) -> str:
    return ".".join(table._obj)


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


@cache
def _text(name: str) -> bytes:
    return files("pipelines.handlers").joinpath(name).read_bytes()


def line(error: Exception) -> str:
    """The first line of what a driver says."""
    return next((each.strip() for each in str(error).splitlines() if each.strip()), type(error).__name__)[:300]
