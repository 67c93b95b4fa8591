"""A table published to Postgres: loaded beside the old one, then swapped in one transaction. Readers see one or the other.

What was published is the table's comment (:mod:`pipelines.published`): the same rows are not written again, and a table without
such a comment is not ours to replace. Grants, row-level security, policies, triggers, constraints, indexes, comments and views
are put on the new table in the transaction that swaps it; the old one is kept for a rollback. What no statement can move –
a materialized view, another table's foreign key – stays where it is: then rows are exchanged instead of tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from ops.errors import NotAllowed, PhaseFailed, SourceUnreachable
from pipelines.handler import Context, Hold
from pipelines.handlers import postgres_swap as swap
from pipelines.handlers.postgres_load import fresh_name, index, load
from pipelines.published import Published
from pipelines.spec_ends import PostgresTarget

KIND = "select relkind from pg_class where oid = to_regclass(%s)"


def publish_table(ctx: Context, target: PostgresTarget, mine: Published) -> str:
    """Publishes one version of a lake table.

    Returns ``swapped``, or ``exchanged`` where only the rows could be, and why nothing was written: ``unchanged``, ``held``
    (these rows were rolled back), ``superseded`` (a newer version came first).

    Raises:
        SourceUnreachable: the database does not answer.
        LeaseLost: nothing was swapped.
        NotAllowed: the table is there and was not published by us.
        PhaseFailed: the database refused the rows, or something stands on a column that is gone or retyped.
    """
    schema, name = target.table.split(".")
    with refusals(mine.table, target), swap.opened(ctx.secrets.resolve(target.dsn)) as connection:
        standing = swap.published_at(connection, schema, name)
        if (idle := needless(standing, mine)) is not None:
            return idle
        refuse_anothers(connection, target)

        def finish(fresh: str) -> str:
            new = sql.Identifier(schema, fresh)
            index(connection, target, new)
            others = swap.indexes_of(connection, sql.Identifier(schema, name), fresh_name(name, ""))
            swap.mirror_indexes(connection, target.table, fresh, others)
            return swap.swapped(ctx, connection, lambda hold: _swap(ctx, connection, target, fresh, mine, hold))

        return load(ctx, connection, target, name, mine.table, mine.version, finish)


def needless(standing: Published | None, mine: Published) -> str | None:
    """Why nothing is to be written, None where something is."""
    if standing is None:
        return None
    if standing.same_as(mine):
        return "unchanged"
    return "held" if mine.fingerprint in standing.rolled_back else None


def late(ctx: Context, hold: Hold, standing: Published | None, mine: Published) -> str | None:
    """The same, asked in the transaction of the swap: another run, or a rollback, may have come first.

    An older version gives way to a newer one, unless the newer one was set aside in the lake, or the lake begun anew.
    """
    if standing is None or (idle := needless(standing, mine)) is not None:
        return None if standing is None else idle
    mine_too = standing.table == mine.table and standing.tenant in (None, mine.tenant)
    if not mine_too or standing.version <= mine.version or (ctx.lake.version(mine.table) or 0) < standing.version:
        return None
    return "superseded" if hold.build_on(mine.table) is None else None


@contextmanager
def refusals(table: str, target: PostgresTarget) -> Iterator[None]:
    """Says in our words what a database refuses."""
    try:
        yield
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise PhaseFailed(f"publishing {table} to {target.table} was refused: {swap.line(error)}") from None
    except psycopg.OperationalError as error:
        raise SourceUnreachable(f"the database of {target.table} does not answer: {swap.line(error)}") from None
    except psycopg.Error as error:
        raise PhaseFailed(f"publishing {table} to {target.table} was refused: {swap.line(error)}") from None


def _swap(
    ctx: Context, connection: psycopg.Connection, target: PostgresTarget, fresh: str, mine: Published, hold: Hold
) -> str:
    schema, name = target.table.split(".")
    old, new = sql.Identifier(schema, name), sql.Identifier(schema, fresh)
    if swap.exists(connection, old):
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(old))
    if (idle := late(ctx, hold, swap.published_at(connection, schema, name), mine)) is not None:
        return idle
    ours = fresh_name(name, "")
    items = swap.standing_on(connection, old)
    bound = [str(one) for one in items if one.statement is None]
    bound += [f"index {one.name}" for one in swap.indexes_of(connection, old, ours) if one.tail is None]
    if not bound:
        swap.take_place(connection, schema, name, fresh, target.keep, ours)
    elif swap.columns_of(connection, old) == swap.columns_of(connection, new):
        # All that hangs on the table itself: the rows are exchanged, and readers see the old ones until the end.
        connection.execute(sql.SQL("delete from {}").format(old))
        connection.execute(sql.SQL("insert into {} table {}").format(old, new))
    else:
        raise PhaseFailed(
            f"{target.table} has other columns now, and {', '.join(bound)} stands on the old ones; drop that, publish, "
            "create it anew",
            {"standing": bound},
        )
    swap.describe(connection, old, dict(target.columns))
    swap.say(connection, schema, name, mine)
    return "exchanged" if bound else "swapped"


def refuse_anothers(connection: psycopg.Connection, target: PostgresTarget) -> None:
    """Only what was published before, or is empty, is replaced."""
    schema, name = target.table.split(".")
    table = sql.Identifier(schema, name)
    said = swap.comment_of(connection, schema, name)
    if not swap.exists(connection, table) or str(said).startswith("controlroom "):
        return
    kind = connection.execute(KIND, [table.as_string(None)]).fetchone()
    if kind != ("r",) or connection.execute(sql.SQL("select 1 from {} limit 1").format(table)).fetchone():
        raise NotAllowed(
            f"{target.table} is there and was not published by us; publish under another name, or drop it first",
            {"table": target.table},
        )
