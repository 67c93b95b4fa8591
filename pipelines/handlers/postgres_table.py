"""A table published to Postgres: loaded beside the old one, then swapped in one transaction. Readers see one or the other.

The fingerprint is kept as the table's comment: publishing what is there already writes nothing, and a table without such a
comment is not ours to replace. Grants are taken over. Where more stands on the table (views, row-level security, triggers,
foreign keys, grants of columns, indexes), its rows are exchanged instead of the table; columns that changed then refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import adbc_driver_manager
import polars as pl
import psycopg
import pyarrow as pa
from adbc_driver_postgresql import dbapi
from psycopg import sql

from ops.errors import NotAllowed, PhaseFailed, SourceUnreachable
from ops.model import Fingerprint, LeaseToken
from pipelines.handler import Context
from pipelines.spec_ends import PostgresTarget

BATCH_ROWS = 65_536
LOADING = "controlroom loading"
"""Comment of a table that is not swapped yet. Nothing without it is ever dropped as a leftover, whatever its name."""
COMMENT = "select obj_description(to_regclass(format('%%I.%%I', %s::text, %s::text)), 'pg_class')"
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
VIEWS = """
select distinct r.ev_class::regclass::text
  from pg_depend d
  join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
 where d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass(%s) and r.ev_class <> d.refobjid
 order by 1
"""
# Everything else that a swap would silently take from the table.
STANDING = """
select 'row-level security' from pg_class where oid = to_regclass(%(table)s) and relrowsecurity
union all select 'policy ' || polname from pg_policy where polrelid = to_regclass(%(table)s)
union all select 'trigger ' || tgname from pg_trigger where tgrelid = to_regclass(%(table)s) and not tgisinternal
union all
select 'constraint ' || conname from pg_constraint
 where (conrelid = to_regclass(%(table)s) or confrelid = to_regclass(%(table)s)) and contype <> 'n'
union all
select 'grants of column ' || attname from pg_attribute
 where attrelid = to_regclass(%(table)s) and attacl is not null and not attisdropped
union all
select 'index ' || i.indexrelid::regclass::text from pg_index i join pg_class x on x.oid = i.indexrelid
 where i.indrelid = to_regclass(%(table)s) and not starts_with(x.relname, %(ours)s)
"""
COLUMNS = """
select array_agg(format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod)) order by a.attnum)
  from pg_attribute a
 where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
"""
GRANTS = """
select format(
           'grant %%s on %%s to %%s%%s', g.privilege_type, c.oid::regclass,
           case when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
           case when g.is_grantable then ' with grant option' else '' end)
  from pg_class c, aclexplode(c.relacl) g
 where c.oid = to_regclass(%s) and g.grantee <> c.relowner
"""


def publish_table(ctx: Context, target: PostgresTarget, table: str, version: int, fingerprint: Fingerprint) -> str:
    """Publishes one version of a lake table; returns ``swapped`` or ``unchanged``.

    Raises:
        SourceUnreachable: the database does not answer.
        LeaseLost: nothing was swapped.
        PhaseFailed: the database refused the rows, or a view stands on a column that is gone or retyped.
    """
    schema, name = target.table.split(".")
    comment = publication(table, version, fingerprint)
    with refusals(table, target), psycopg.connect(ctx.secrets.resolve(target.dsn), autocommit=True) as connection:
        if comment_of(connection, schema, name) == comment:
            return "unchanged"
        refuse_anothers(connection, target)
        with loaded(ctx, connection, target, name, table, version) as fresh:
            _swap(connection, target, fresh, comment)
    return "swapped"


def publication(table: str, version: int, fingerprint: Fingerprint) -> str:
    """What a published table's comment says: which rows stand there."""
    return f"controlroom {table} version {version} {fingerprint}"


@contextmanager
def refusals(table: str, target: PostgresTarget) -> Iterator[None]:
    """Says in our words what a database refuses."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise SourceUnreachable(f"the database of {target.table} does not answer: {_line(error)}") from None
    except (psycopg.Error, adbc_driver_manager.Error) as error:
        raise PhaseFailed(f"publishing {table} to {target.table} was refused: {_line(error)}") from None


@contextmanager
def loaded(
    ctx: Context, connection: psycopg.Connection, target: PostgresTarget, name: str, table: str, version: int
) -> Iterator[str]:
    """The name of a table with the rows, beside the one called ``name``. The block swaps them, in a transaction and fenced."""
    schema = target.table.partition(".")[0]
    fresh = _fresh(name, ctx.lease_token)
    ensure_schema(connection, schema)
    connection.execute(LOCK, [f"{schema}.{fresh}"])
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, fresh)))
    try:
        _drop_leftovers(connection, schema, name)
        _load(ctx, ctx.secrets.resolve(target.dsn), schema, fresh, table, version)
        with ctx.fence.hold(), connection.transaction():
            yield fresh
    except BaseException:
        with suppress(psycopg.Error):
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, fresh)))
        raise


def _fresh(name: str, token: LeaseToken | str) -> str:
    # The token is in the name: a zombie loads into a table of its own, and the swap is fenced.
    return f"{name[:40]}__{token}"


def _load(ctx: Context, dsn: str, schema: str, fresh: str, table: str, version: int) -> None:
    """Streams: memory is bounded by a batch, not by the table."""
    frame = ctx.lake.scan(table, version)
    oldest = pl.CompatLevel.oldest()
    shape = pl.DataFrame(schema=frame.collect_schema()).to_arrow(compat_level=oldest).schema
    failed: list[BaseException] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for part in frame.collect_batches(chunk_size=BATCH_ROWS):
                yield from part.to_arrow(compat_level=oldest).cast(shape).to_batches()
        except BaseException as error:
            # The driver would tell of it as an error of its own.
            failed.append(error)
            raise

    with dbapi.connect(dsn) as connection:
        with connection.cursor() as cursor:
            try:
                reader = pa.RecordBatchReader.from_batches(shape, batches())
                cursor.adbc_ingest(fresh, reader, mode="create", db_schema_name=schema)
            except (adbc_driver_manager.Error, OSError):
                if failed:
                    raise failed[0] from None
                raise
            target = sql.Identifier(schema, fresh).as_string(None)
            cursor.execute(f"comment on table {target} is '{LOADING}'")
        connection.commit()


def _swap(connection: psycopg.Connection, target: PostgresTarget, fresh: str, comment: str) -> None:
    schema, name = target.table.split(".")
    new, old = sql.Identifier(schema, fresh), sql.Identifier(schema, name)
    if target.key:
        columns = sql.SQL(", ").join(map(sql.Identifier, target.key))
        connection.execute(sql.SQL("create unique index on {} ({})").format(new, columns))
    there = old.as_string(None)
    standing = [f"view {row[0]}" for row in connection.execute(VIEWS, [there])]
    standing += [str(row[0]) for row in connection.execute(STANDING, {"table": there, "ours": _fresh(name, "")})]
    if not standing:
        grants = grants_of(connection, old)
        connection.execute(sql.SQL("drop table if exists {}").format(old))
        connection.execute(sql.SQL("alter table {} rename to {}").format(new, sql.Identifier(name)))
        for grant in grants:
            connection.execute(grant.encode())
    elif _columns(connection, old) == _columns(connection, new):
        # All that hangs on the table itself: the rows are exchanged, and readers see the old ones until the end.
        connection.execute(sql.SQL("delete from {}").format(old))
        connection.execute(sql.SQL("insert into {} table {}").format(old, new))
        connection.execute(sql.SQL("drop table {}").format(new))
    else:
        raise PhaseFailed(
            f"{target.table} has other columns now, and {', '.join(standing)} stands on the old ones; drop that, publish, "
            "create it anew",
            {"standing": standing},
        )
    connection.execute(sql.SQL("comment on table {} is {}").format(old, sql.Literal(comment)))


def grants_of(connection: psycopg.Connection, table: sql.Identifier) -> list[str]:
    """Statements that give a table's grants to one that takes its place."""
    return [str(row[0]) for row in connection.execute(GRANTS, [table.as_string(None)])]


def _drop_leftovers(connection: psycopg.Connection, schema: str, name: str) -> None:
    """Tables that former owners loaded and never swapped."""
    with connection.transaction():
        for (left,) in connection.execute(LEFTOVERS, [schema, _fresh(name, ""), LOADING]).fetchall():
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(schema, left)))


def _columns(connection: psycopg.Connection, table: sql.Identifier) -> object:
    return connection.execute(COLUMNS, [table.as_string(None)]).fetchone()


def refuse_anothers(connection: psycopg.Connection, target: PostgresTarget) -> None:
    """Only what was published before, or is empty, is replaced."""
    schema, name = target.table.split(".")
    table = sql.Identifier(schema, name)
    if _columns(connection, table) == (None,) or str(comment_of(connection, schema, name)).startswith("controlroom "):
        return
    kind = connection.execute("select relkind from pg_class where oid = to_regclass(%s)", [table.as_string(None)])
    if kind.fetchone() != ("r",) or connection.execute(sql.SQL("select 1 from {} limit 1").format(table)).fetchone():
        raise NotAllowed(
            f"{target.table} is there and was not published by us; publish under another name, or drop it first",
            {"table": target.table},
        )


def ensure_schema(connection: psycopg.Connection, schema: str) -> None:
    """Creates the schema where it is missing. Publishers may race: Postgres' own ``if not exists`` fails all but the first.

    One that exists is not touched, so its user needs no right to create schemas.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"schema {schema}"])
        if connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone() is None:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def comment_of(connection: psycopg.Connection, schema: str, name: str) -> str | None:
    """A table's comment, None where there is none."""
    row = connection.execute(COMMENT, [schema, name]).fetchone()
    return row[0] if row else None


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
