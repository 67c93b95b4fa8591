"""A Postgres table that several projects publish into: partitioned by ``tenant``, and each publish swaps its own partition.

The table itself stays, and with it what stands on it: grants, views, row-level security. Partitions carry no grants, so that
nobody reads past the table's rules; the fingerprint is kept as a partition's comment.
"""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql

from ops.errors import PhaseFailed
from ops.model import Fingerprint, Scope
from pipelines.handler import Context
from pipelines.handlers.postgres_table import comment_of, grants_of, loaded, publication, refusals, refuse_anothers
from pipelines.spec_ends import PostgresTarget

TENANT = "tenant"
KIND = "select relkind from pg_class where oid = to_regclass(%s)"
COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod)
  from pg_attribute a
 where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped
 order by a.attnum
"""
PARTITIONED = "select exists (select from pg_inherits where inhparent = to_regclass(%s))"


def tenant_of(scope: Scope) -> str:
    """How the column ``tenant`` names a project's environment."""
    return f"{scope.org}/{scope.project}/{scope.env}"


def publish_partition(ctx: Context, target: PostgresTarget, table: str, version: int, fingerprint: Fingerprint) -> str:
    """Publishes one version of a lake table as the rows of the run's project and environment; ``swapped`` or ``unchanged``.

    Raises:
        SourceUnreachable: the database does not answer.
        LeaseLost: nothing was swapped.
        NotAllowed: the table is there and was not published by us.
        PhaseFailed: the database refused the rows, or a column has another type than in other projects' rows.
    """
    schema, name = target.table.split(".")
    tenant = tenant_of(ctx.scope)
    partition = _partition(name, tenant)
    comment = publication(table, version, fingerprint)
    with refusals(table, target), psycopg.connect(ctx.secrets.resolve(target.dsn), autocommit=True) as connection:
        if _kind(connection, sql.Identifier(schema, name)) == "p":
            if comment_of(connection, schema, partition) == comment:
                return "unchanged"
        else:
            refuse_anothers(connection, target)
        with loaded(ctx, connection, target, partition, table, version) as fresh:
            _swap(connection, target, fresh, tenant, comment)
    return "swapped"


def _partition(name: str, tenant: str) -> str:
    return f"{name[:24]}_{hashlib.sha256(f'{name}/{tenant}'.encode()).hexdigest()[:12]}"


def _swap(connection: psycopg.Connection, target: PostgresTarget, fresh: str, tenant: str, comment: str) -> None:
    schema, name = target.table.split(".")
    whole, new, old = (sql.Identifier(schema, one) for one in (name, fresh, _partition(name, tenant)))
    # Two projects may publish into one table for the first time at once.
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"shared {target.table}"])
    if TENANT in _columns(connection, new):
        raise PhaseFailed(f"{target.table} is shared and has a column {TENANT} of its own; rename the column")
    # A constant default is not written into the rows: this costs the same for any number of them.
    connection.execute(
        sql.SQL("alter table {} add column {} text not null default {}").format(
            new, sql.Identifier(TENANT), sql.Literal(tenant)
        )
    )
    if target.key:
        columns = sql.SQL(", ").join(map(sql.Identifier, target.key))
        connection.execute(sql.SQL("create unique index on {} ({})").format(new, columns))
    connection.execute(sql.SQL("drop table if exists {}").format(old))
    _ensure_whole(connection, whole, new)
    _agree(connection, target, whole, new)
    connection.execute(sql.SQL("alter table {} rename to {}").format(new, sql.Identifier(_partition(name, tenant))))
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values in ({})").format(whole, old, sql.Literal(tenant))
    )
    connection.execute(sql.SQL("comment on table {} is {}").format(old, sql.Literal(comment)))


def _ensure_whole(connection: psycopg.Connection, whole: sql.Identifier, new: sql.Identifier) -> None:
    """The partitioned table; one of ours from before it was shared makes room, and its grants are taken over."""
    if _kind(connection, whole) == "p":
        return
    grants = grants_of(connection, whole)
    connection.execute(sql.SQL("drop table if exists {}").format(whole))
    connection.execute(
        sql.SQL("create table {} (like {}) partition by list ({})").format(whole, new, sql.Identifier(TENANT))
    )
    connection.execute(sql.SQL("comment on table {} is 'controlroom shared'").format(whole))
    for grant in grants:
        connection.execute(grant.encode())


def _agree(connection: psycopg.Connection, target: PostgresTarget, whole: sql.Identifier, new: sql.Identifier) -> None:
    """Makes the columns of both the same. What others' rows lack, or these, is null there; types must agree."""
    had, has = _columns(connection, whole), _columns(connection, new)
    row = connection.execute(PARTITIONED, [whole.as_string(None)]).fetchone()
    alone = row == (False,)
    alter = sql.SQL("alter table {} {} column {} {}")
    for column, kind in has.items():
        if column not in had:
            connection.execute(alter.format(whole, sql.SQL("add"), sql.Identifier(column), sql.SQL(kind)))
        elif had[column] != kind and not alone:
            raise PhaseFailed(
                f"{target.table} is shared, and its column {column} is {had[column]} in the rows of other projects, here "
                f"{kind}; publish under another name, or let all projects change it",
                {"column": column},
            )
        elif had[column] != kind:
            connection.execute(alter.format(whole, sql.SQL("drop"), sql.Identifier(column), sql.SQL("")))
            connection.execute(alter.format(whole, sql.SQL("add"), sql.Identifier(column), sql.SQL(kind)))
    for column, kind in had.items():
        if column not in has and alone:
            connection.execute(alter.format(whole, sql.SQL("drop"), sql.Identifier(column), sql.SQL("")))
        elif column not in has:
            connection.execute(alter.format(new, sql.SQL("add"), sql.Identifier(column), sql.SQL(kind)))


def _columns(connection: psycopg.Connection, table: sql.Identifier) -> dict[str, str]:
    return {str(name): str(kind) for name, kind in connection.execute(COLUMNS, [table.as_string(None)])}


def _kind(connection: psycopg.Connection, table: sql.Identifier) -> str | None:
    row = connection.execute(KIND, [table.as_string(None)]).fetchone()
    return str(row[0]) if row else None
