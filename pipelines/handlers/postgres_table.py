"""A table published to Postgres: loaded beside the old one, then swapped in one transaction. Readers see one or the other.

The fingerprint is kept as the table's comment: publishing what is there already writes nothing.
"""

from __future__ import annotations

import adbc_driver_manager
import psycopg
from adbc_driver_postgresql import dbapi
from psycopg import sql

from ops.errors import PhaseFailed, SourceUnreachable
from ops.model import Fingerprint
from pipelines.handler import Context
from pipelines.spec import PostgresTarget


def publish_table(ctx: Context, target: PostgresTarget, table: str, version: int, fingerprint: Fingerprint) -> str:
    """Publishes one version of a lake table; returns ``swapped`` or ``unchanged``.

    Raises:
        SourceUnreachable: the database does not answer.
        LeaseLost: nothing was swapped.
        PhaseFailed: the database refused the rows.
    """
    dsn = ctx.secrets.resolve(target.dsn)
    schema, name = target.table.split(".")
    # The token is in the name: a zombie loads into a table of its own, and the swap is fenced.
    fresh = f"{name[:40]}__{ctx.lease_token}"
    comment = f"controlroom {table} version {version} {fingerprint}"
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            if _comment(connection, schema, name) == comment:
                return "unchanged"
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, fresh)))
            _load(ctx, dsn, schema, fresh, table, version)
            with ctx.fence.hold(), connection.transaction():
                _swap(connection, target, fresh, comment)
    except psycopg.OperationalError as error:
        raise SourceUnreachable(f"the database of {target.table} does not answer: {error}") from error
    except (psycopg.Error, adbc_driver_manager.Error) as error:
        raise PhaseFailed(f"publishing {table} to {target.table} was refused: {error}") from error
    return "swapped"


def _load(ctx: Context, dsn: str, schema: str, fresh: str, table: str, version: int) -> None:
    rows = ctx.lake.scan(table, version).collect(engine="streaming").to_arrow()
    with dbapi.connect(dsn) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest(fresh, rows, mode="create", db_schema_name=schema)
        connection.commit()


def _swap(connection: psycopg.Connection, target: PostgresTarget, fresh: str, comment: str) -> None:
    schema, name = target.table.split(".")
    new, old = sql.Identifier(schema, fresh), sql.Identifier(schema, name)
    if target.key:
        columns = sql.SQL(", ").join(map(sql.Identifier, target.key))
        connection.execute(sql.SQL("create unique index on {} ({})").format(new, columns))
    connection.execute(sql.SQL("drop table if exists {}").format(old))
    connection.execute(sql.SQL("alter table {} rename to {}").format(new, sql.Identifier(name)))
    connection.execute(sql.SQL("comment on table {} is {}").format(old, sql.Literal(comment)))


def _comment(connection: psycopg.Connection, schema: str, name: str) -> str | None:
    row = connection.execute(
        "select obj_description(to_regclass(format('%%I.%%I', %s::text, %s::text)), 'pg_class')", [schema, name]
    ).fetchone()
    return row[0] if row else None
