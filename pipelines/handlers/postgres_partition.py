"""A Postgres table that several projects publish into: partitioned by ``tenant``, and each publish swaps its own partition.

The table itself stays, and with it what stands on it: grants, views, row-level security. Partitions carry no grants, so that
nobody reads past the table's rules. What was published is a partition's comment; the one before is kept, detached.
"""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql

from ops.errors import PhaseFailed
from pipelines.handler import Context, Hold
from pipelines.handlers import postgres_swap as swap
from pipelines.handlers.postgres_load import fresh_name, index, load
from pipelines.handlers.postgres_table import KIND, late, needless, refusals, refuse_anothers
from pipelines.published import SHARED, Published, tenant_of
from pipelines.spec_ends import PostgresTarget

TENANT = "tenant"
PARTITIONED = "select exists (select from pg_inherits where inhparent = to_regclass(%s))"
GRANTS = frozenset({"grant", "grants of column"})


def publish_partition(ctx: Context, target: PostgresTarget, mine: Published) -> str:
    """Publishes one version of a lake table as the rows of the run's project and environment; returns as the plain way does.

    Raises:
        SourceUnreachable: the database does not answer.
        LeaseLost: nothing was swapped.
        NotAllowed: the table is there and was not published by us.
        PhaseFailed: the database refused the rows, or a column has another type than in other projects' rows.
    """
    schema, name = target.table.split(".")
    tenant = tenant_of(ctx.scope)
    partition = partition_of(name, tenant)
    with refusals(mine.table, target), swap.opened(ctx.secrets.resolve(target.dsn)) as connection:
        whole = sql.Identifier(schema, name)
        if is_shared(connection, whole):
            if (idle := needless(swap.published_at(connection, schema, partition), mine)) is not None:
                return idle
        else:
            refuse_anothers(connection, target)

        def finish(fresh: str) -> str:
            _shape(connection, target, sql.Identifier(schema, fresh), tenant)
            index(connection, target, sql.Identifier(schema, fresh))
            others = swap.indexes_of(connection, whole, fresh_name(name, ""))
            swap.mirror_indexes(connection, target.table, fresh, others)
            return swap.swapped(ctx, connection, lambda hold: _swap(ctx, connection, target, fresh, mine, hold))

        return load(ctx, connection, target, partition, mine.table, mine.version, finish)


def partition_of(name: str, tenant: str) -> str:
    """The partition's name; a name may hold but 63 letters."""
    return f"{name[:24]}_{hashlib.sha256(f'{name}/{tenant}'.encode()).hexdigest()[:12]}"


def is_shared(connection: psycopg.Connection, whole: sql.Identifier) -> bool:
    return connection.execute(KIND, [whole.as_string(None)]).fetchone() == ("p",)


def take_turns(connection: psycopg.Connection, table: str) -> None:
    """Until the transaction ends nobody else changes what the shared table is made of."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"shared {table}"])


def replace_partition(connection: psycopg.Connection, table: str, new: str, tenant: str, keep: int) -> None:
    """Attaches a table as the tenant's rows; those before are detached and kept.

    Raises:
        PhaseFailed: a column has another type than in other projects' rows.
    """
    schema, name = table.split(".")
    partition = partition_of(name, tenant)
    whole, fresh, old = (sql.Identifier(schema, one) for one in (name, new, partition))
    there = swap.exists(connection, old)
    if there:
        connection.execute(sql.SQL("alter table {} detach partition {}").format(whole, old))
        swap.put_aside(connection, schema, partition, [])
    _ensure_whole(connection, whole, fresh)
    _agree(connection, table, whole, fresh)
    connection.execute(sql.SQL("alter table {} rename to {}").format(fresh, sql.Identifier(partition)))
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values in ({})").format(whole, old, sql.Literal(tenant))
    )
    swap.prune(connection, schema, partition, keep)


def _shape(connection: psycopg.Connection, target: PostgresTarget, fresh: sql.Identifier, tenant: str) -> None:
    if TENANT in swap.columns_of(connection, fresh):
        raise PhaseFailed(f"{target.table} is shared and has a column {TENANT} of its own; rename the column")
    # A constant default is not written into the rows: this costs the same for any number of them.
    connection.execute(
        sql.SQL("alter table {} add column {} text not null default {}").format(
            fresh, sql.Identifier(TENANT), sql.Literal(tenant)
        )
    )
    # Looked at now, so that attaching needs no look at the rows while readers wait.
    connection.execute(
        sql.SQL("alter table {} add constraint {} check ({} = {})").format(
            fresh, sql.Identifier(swap.TENANT_CHECK), sql.Identifier(TENANT), sql.Literal(tenant)
        )
    )


def _swap(
    ctx: Context, connection: psycopg.Connection, target: PostgresTarget, fresh: str, mine: Published, hold: Hold
) -> str:
    schema, name = target.table.split(".")
    tenant = tenant_of(ctx.scope)
    partition = partition_of(name, tenant)
    # Two projects may publish into one table for the first time at once.
    take_turns(connection, target.table)
    if (idle := late(ctx, hold, swap.published_at(connection, schema, partition), mine)) is not None:
        return idle
    replace_partition(connection, target.table, fresh, tenant, target.keep)
    swap.describe(connection, sql.Identifier(schema, name), dict(target.columns))
    swap.say(connection, schema, partition, mine)
    return "swapped"


def _ensure_whole(connection: psycopg.Connection, whole: sql.Identifier, new: sql.Identifier) -> None:
    """The partitioned table; one of ours from before it was shared makes room, and its grants are taken over."""
    if is_shared(connection, whole):
        return
    items = swap.standing_on(connection, whole)
    connection.execute(sql.SQL("drop table if exists {}").format(whole))
    connection.execute(
        sql.SQL("create table {} (like {}) partition by list ({})").format(whole, new, sql.Identifier(TENANT))
    )
    connection.execute(sql.SQL("comment on table {} is {}").format(whole, sql.Literal(SHARED)))
    for one in items:
        if one.kind in GRANTS and one.statement is not None:
            connection.execute(one.statement.encode())


def _agree(connection: psycopg.Connection, table: str, whole: sql.Identifier, new: sql.Identifier) -> None:
    """Makes the columns of both the same. What others' rows lack, or these, is null there; types must agree."""
    had, has = swap.columns_of(connection, whole), swap.columns_of(connection, new)
    row = connection.execute(PARTITIONED, [whole.as_string(None)]).fetchone()
    alone = row == (False,)
    alter = sql.SQL("alter table {} {} column {} {}")
    for column, kind in has.items():
        if column not in had:
            connection.execute(alter.format(whole, sql.SQL("add"), sql.Identifier(column), sql.SQL(kind)))
        elif had[column] != kind and not alone:
            raise PhaseFailed(
                f"{table} is shared, and its column {column} is {had[column]} in the rows of other projects, here "
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
