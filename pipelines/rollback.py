"""An earlier version of a published table put back; what stands and is kept there. For whoever holds the target's address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from ops.errors import Conflict, NotFound, SourceUnreachable
from pipelines.handlers import postgres_swap as swap
from pipelines.handlers.postgres_load import fresh_name
from pipelines.handlers.postgres_partition import is_shared, partition_of, replace_partition, take_turns
from pipelines.handlers.postgres_swap import Kept
from pipelines.published import SHARED, Published

PUBLISHED = """
select format('%s.%s', n.nspname, c.relname), obj_description(c.oid, 'pg_class') as said
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and not c.relispartition and obj_description(c.oid, 'pg_class') like 'controlroom %'
 order by 1
"""
KEEP_ALL = 1000
"""A rollback drops nothing: it keeps as many as there were."""


@dataclass(frozen=True)
class Shelf:
    """What stands in a published table for one project's environment, and what is kept of it, the last first."""

    table: str
    tenant: str
    shared: bool
    standing: Published | None
    kept: tuple[Kept, ...]

    def chosen(self, to: str | None) -> Kept:
        """The version to put back.

        Args:
            to: a version's number, or a fingerprint or its beginning; None: the last one that was not rolled back itself.

        Raises:
            NotFound: none such is kept.
            Conflict: several are meant.
        """
        held = self.standing.rolled_back if self.standing else frozenset()
        if to is None:
            able = [one for one in self.kept if one.published.fingerprint not in held][:1]
        else:
            able = [one for one in self.kept if _means(to, one.published)]
        if len({one.published.fingerprint for one in able}) > 1:
            raise Conflict(f"several versions kept of {self.table} begin with {to}; give more of the fingerprint")
        if not able:
            known = ", ".join(f"version {one.published.version} {one.published.fingerprint}" for one in self.kept)
            raise NotFound(
                f"no earlier version{f' {to}' if to else ''} of {self.table} is kept for {self.tenant}"
                + (f"; kept are {known}" if known else "; `keep` of the target says how many are")
            )
        return able[0]


@contextmanager
def opened(dsn: str, table: str) -> Iterator[psycopg.Connection]:
    """A connection to a target, with what it refuses in our words.

    Raises:
        SourceUnreachable: it does not answer, or somebody has held the table all the time.
    """
    try:
        with swap.opened(dsn) as connection:
            yield connection
    except psycopg.errors.LockNotAvailable:
        raise SourceUnreachable(f"somebody has held {table} all the time; end the query that does") from None
    except psycopg.OperationalError as error:
        raise SourceUnreachable(f"the database of {table} does not answer: {swap.line(error)}") from None


def tables(connection: psycopg.Connection) -> list[str]:
    """The tables of a database into which something was published, by anybody."""
    found = connection.execute(PUBLISHED).fetchall()
    told = [(str(table), Published.parse(said), said) for table, said in found]
    return [table for table, known, said in told if said == SHARED or (known is not None and known.kept_at is None)]


def shelf(connection: psycopg.Connection, table: str, tenant: str) -> Shelf:
    """What stands in a table, and what is kept. A plain table that is another project's shows nothing."""
    schema, name = table.split(".")
    shared = is_shared(connection, sql.Identifier(schema, name))
    base = partition_of(name, tenant) if shared else name
    standing = swap.published_at(connection, schema, base)
    own = standing if standing is None or standing.tenant in (None, tenant) else None
    kept = swap.kept(connection, schema, base) if own is not None else []
    return Shelf(table, tenant, shared, own, tuple(kept))


def roll_back(
    connection: psycopg.Connection,
    table: str,
    tenant: str,
    to: str | None,
    agreed: Callable[[Published, Published], None],
) -> tuple[Published, Published]:
    """Gives readers an earlier version back, at once, with all that stands on the table; what stood there is kept.

    It holds until a run publishes other rows than those that were rolled back.

    Args:
        agreed: told what goes and what comes, before anything is changed; raises where it may not be.

    Returns:
        What stood there and what stands there now.

    Raises:
        NotFound: nothing is published there, or no such version is kept.
        NotAllowed: something stands there that no other table can be given.
        PhaseFailed: something stands on columns that the earlier version has not.
        SourceUnreachable: somebody has held the table all the time.
    """
    for attempt in swap.tries():
        with attempt, swap.impatient(connection):
            return _put_back(connection, table, tenant, to, agreed)
    raise AssertionError("unreachable")


def _put_back(
    connection: psycopg.Connection,
    table: str,
    tenant: str,
    to: str | None,
    agreed: Callable[[Published, Published], None],
) -> tuple[Published, Published]:
    schema, name = table.split(".")
    whole = sql.Identifier(schema, name)
    take_turns(connection, table)
    if swap.exists(connection, whole):
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(whole))
    found = shelf(connection, table, tenant)
    if found.standing is None:
        raise NotFound(f"nothing of {tenant} is published in {table}; `controlroom publish list` shows what is")
    chosen = found.chosen(to)
    back = chosen.published.instead_of(found.standing)
    agreed(found.standing, back)
    if found.shared:
        replace_partition(connection, table, chosen.name, tenant, KEEP_ALL)
        swap.say(connection, schema, partition_of(name, tenant), back)
    else:
        swap.take_place(connection, schema, name, chosen.name, KEEP_ALL, fresh_name(name, ""))
        swap.say(connection, schema, name, back)
    return found.standing, back


def _means(to: str, one: Published) -> bool:
    text = to.removeprefix("v")
    return str(one.version) == text if text.isdigit() else one.fingerprint.startswith(to)
