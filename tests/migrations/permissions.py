"""What each role may do to each table and function, asked of the database itself, and what it should be.

The expectation is one line a rule, never one a table: a table that is added without a word here is expected to be a team's
own and closed for writing, and fails the matrix when it is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from tests.migrations.tenants import Team

ROLES = (
    "anon",
    "authenticated",
    "service_role",
    "controlroom_executor",
    "controlroom_bi",
    "controlroom_login",
    "controlroom_token",
)
VERBS = ("select", "insert", "update", "delete", "truncate")
# Facts about the installation, which anyone who is signed in may read.
SHARED = frozenset({"executors", "capabilities", "routing_matrix", "signal_weights", "channels"})
APPEND_ONLY = frozenset({"run_events", "run_artifacts", "audit_log", "promotions", "queries"})


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[str, ...]
    partition: bool


def tables(connection: psycopg.Connection) -> list[Table]:
    """Every relation of the schema that has rows: tables, partitioned tables, partitions, views, materialised views."""
    found = connection.execute(
        """
        select c.relname, c.relispartition,
          array(select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                order by a.attnum)
        from pg_class c
        where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
        order by c.relname
        """
    )
    return [Table(name, tuple(columns), partition) for name, partition, columns in found.fetchall()]


def expected(table: Table, role: str, verb: str) -> bool:
    """May the role use the verb on the table at all?"""
    if table.partition or verb == "truncate":
        return False
    if role == "service_role":
        return not (table.name in APPEND_ONLY and verb in ("update", "delete"))
    return role == "authenticated" and verb == "select"


@contextmanager
def acting(connection: psycopg.Connection, role: str, subject: str | None = None) -> Iterator[None]:
    """One transaction in the role, with the claims of a person; rolled back whatever happened."""
    claims = json.dumps({"sub": subject} if subject else {})
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield


def allowed(connection: psycopg.Connection, table: Table, role: str, verb: str, subject: str | None) -> bool:
    """Tries it. Whatever the table itself objects to (a null, a key in use) comes after permission was given."""
    name, column = sql.Identifier("ops", table.name), sql.Identifier(table.columns[0])
    attempts: dict[str, LiteralString] = {
        "select": "select * from {0}",
        "insert": "insert into {0} default values",
        "update": "update {0} set {1} = {1}",
        "delete": "delete from {0}",
        "truncate": "truncate {0} cascade",
    }
    try:
        with acting(connection, role, subject):
            connection.execute(sql.SQL(attempts[verb]).format(name, column))
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType):
        return False
    except psycopg.errors.IntegrityError:
        return True
    except psycopg.DatabaseError as error:
        # A trigger of ours refused: permission was given.
        if not (error.sqlstate or "").startswith("CR"):
            raise
    return True


def seen(connection: psycopg.Connection, table: Table, subject: str | None) -> set[str]:
    """Whose rows a signed-in person sees, as project or org ids; ``{"*"}`` for rows of nobody's."""
    keys = ("id",) if table.name in ("orgs", "projects") else ("project_id", "org_id")
    owners: list[sql.Composable] = [sql.Identifier(each) for each in keys if each in table.columns]
    wanted = sql.SQL("coalesce({})::text").format(sql.SQL(", ").join(owners or [sql.Literal("*")]))
    with acting(connection, "authenticated", subject):
        rows = connection.execute(
            sql.SQL("select distinct {} from {}").format(wanted, sql.Identifier("ops", table.name))
        )
        return {str(each) for (each,) in rows.fetchall()}


def faults(connection: psycopg.Connection, ours: Team, theirs: Team) -> list[str]:
    """Every cell of the matrix that is not as expected, as a line that names it."""
    found: list[str] = []
    for table in tables(connection):
        found += [
            f"{role} may {verb} ops.{table.name}" if got else f"{role} may not {verb} ops.{table.name}"
            for role in ROLES
            for verb in VERBS
            if (got := allowed(connection, table, role, verb, ours.member)) != expected(table, role, verb)
        ]
        if expected(table, "authenticated", "select"):
            found += _tenancy_faults(connection, table, ours, theirs)
    return found + _unprotected(connection)


def _tenancy_faults(connection: psycopg.Connection, table: Table, ours: Team, theirs: Team) -> list[str]:
    found: list[str] = []
    try:
        if unknown := seen(connection, table, None):
            found.append(f"without a subject {len(unknown)} owners' rows of ops.{table.name} are seen")
        mine = seen(connection, table, ours.member)
    except psycopg.errors.InsufficientPrivilege:
        return found  # already said, as a cell of the matrix
    if table.name in SHARED:
        return found if mine else [*found, f"ops.{table.name} is shared, and {ours.member} sees nothing of it"]
    own = {str(ours.project), str(ours.org)}
    if mine & {str(theirs.project), str(theirs.org)}:
        found.append(f"{ours.member} sees rows of {theirs.slug} in ops.{table.name}")
    if mine - own:
        found.append(f"{ours.member} sees rows in ops.{table.name} that are nobody's or others'")
    if not mine & own:
        found.append(f"{ours.member} sees no row of ops.{table.name}: nothing was tried")
    return found


def _unprotected(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        """
        select c.relname, c.relrowsecurity, c.relforcerowsecurity,
          exists (select from pg_policy p where p.polrelid = c.oid)
        from pg_class c
        where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p')
        """
    )
    return [
        f"ops.{name} has row-level security {'on' if on else 'off'}, forced {forced}, policy {policy}"
        for name, on, forced, policy in rows.fetchall()
        if not (on and forced and policy)
    ]


def callers(connection: psycopg.Connection, role: str) -> set[str]:
    """Names of the functions in ops that the role may execute."""
    query = (
        "select p.proname from pg_proc p where p.pronamespace = 'ops'::regnamespace "
        "and has_function_privilege(%s, p.oid, 'execute')"
    )
    return {cast(str, name) for (name,) in connection.execute(query, [role]).fetchall()}
