"""Gold in Postgres as readers see it: which rows stand there, and a login of each project's environment that sees its own.

Superset's rules are the first line; this is the second, and what Metabase or psql meet. Policies ask who logged in
(``session_user``), which no ``set role`` changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

import psycopg
from psycopg import sql

from ops.errors import NotAllowed, SourceUnreachable
from ops.model import Scope
from superset.bundle import MASK, SCHEMA

READERS = "controlroom_bi"
QUERY_SECONDS = 60
SHARED = """
select c.relname, p.relname, obj_description(p.oid, 'pg_class'), pg_get_expr(p.relpartbound, p.oid)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_inherits i on i.inhparent = c.oid
  join pg_class p on p.oid = i.inhrelid
 where n.nspname = %s and c.relkind = 'p' and obj_description(c.oid, 'pg_class') = 'controlroom shared'
 order by 1
"""
# The owner of the tables sees everything, and readers what their login stands for. The function alone knows who that is.
ACCESS = """
create schema if not exists gold_access;
create table if not exists gold_access.readers (login name not null, tenant text not null, primary key (login, tenant));
create or replace function gold_access.my_tenants() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select r.tenant from gold_access.readers r where r.login = session_user;
end;
revoke all on all tables in schema gold_access from public, {readers};
grant usage on schema gold_access, {schema} to {readers};
grant execute on function gold_access.my_tenants() to {readers};
"""
PROTECT = """
alter table {table} enable row level security;
drop policy if exists controlroom_tenants on {table};
create policy controlroom_tenants on {table} for select to {readers}
  using (tenant = any (array(select gold_access.my_tenants())));
grant select on {table} to {readers};
"""
# More may follow: pipelines.published says what.
PUBLISHED = re.compile(r"controlroom (?P<table>\S+) version (?P<version>\d+) (?P<fingerprint>\S+)(?: .*)?")


@dataclass(frozen=True)
class Standing:
    """What a shared table holds of one project's environment."""

    name: str
    version: int
    fingerprint: str


@contextmanager
def opened(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection to gold.

    Raises:
        SourceUnreachable: it does not answer.
        NotAllowed: it refuses what was asked.
    """
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=15) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise SourceUnreachable(
            f"the gold database does not answer: {_line(error)}; check secret://file/gold_dsn"
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowed(
            f"the gold database refuses: {_line(error)}; its user must own the schema {SCHEMA} and may need CREATEROLE"
        ) from None


def standing(connection: psycopg.Connection, tenant: str) -> Mapping[str, Standing]:
    """The shared tables that hold rows of the tenant, by name."""
    found = {}
    bound = f"FOR VALUES IN ({sql.Literal(tenant).as_string(connection)})"
    for name, _, comment, where in connection.execute(SHARED, [SCHEMA]).fetchall():
        if where == bound and (said := PUBLISHED.fullmatch(comment or "")):
            found[name] = Standing(name, int(said["version"]), said["fingerprint"])
    return found


def count_rows(connection: psycopg.Connection, name: str, tenant: str) -> int:
    """Rows of one tenant, as the owner sees them."""
    query = sql.SQL("select count(*) from {} where tenant = %s").format(sql.Identifier(SCHEMA, name))
    row = connection.execute(query, [tenant]).fetchone()
    return int(row[0]) if row else 0


def login_of(project_id: UUID, scope: Scope) -> str:
    """The name of a project environment's login; roles belong to the whole server."""
    digest = hashlib.sha256(f"{project_id}/{scope.env}".encode()).hexdigest()[:8]
    return f"bi_{scope.project[:30]}_{scope.env}_{digest}".replace("-", "_")


def ensure_reader(connection: psycopg.Connection, login: str, password: str, tenant: str) -> None:
    """Protects the shared tables and makes the tenant's login. Harmless to repeat, and safe when two do it at once."""
    names = {name for name, *_ in connection.execute(SHARED, [SCHEMA]).fetchall()}
    readers, who = sql.Identifier(READERS), sql.Identifier(login)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended('controlroom bi', 0))")
        for role, more in ((READERS, "nologin"), (login, "login")):
            # Roles are the whole server's and the lock this database's: another's readers may be made at the same time.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation), connection.transaction():
                if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
                    connection.execute(sql.SQL("create role {} " + more).format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("alter role {} login inherit nosuperuser nocreatedb nocreaterole password {}").format(
                who, sql.Literal(password)
            )
        )
        connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(who))
        connection.execute(
            sql.SQL("alter role {} set statement_timeout = {}").format(who, sql.Literal(f"{QUERY_SECONDS}s"))
        )
        connection.execute(sql.SQL("grant {} to {}").format(readers, who))
        connection.execute(sql.SQL(ACCESS).format(readers=readers, schema=sql.Identifier(SCHEMA)))
        for name in sorted(names):
            connection.execute(sql.SQL(PROTECT).format(table=sql.Identifier(SCHEMA, name), readers=readers))
        connection.execute("delete from gold_access.readers where login = %s and tenant <> %s", [login, tenant])
        connection.execute("insert into gold_access.readers values (%s, %s) on conflict do nothing", [login, tenant])


def drop_reader(connection: psycopg.Connection, login: str) -> None:
    """Takes a login away; the tables stay protected."""
    with connection.transaction():
        if connection.execute("select to_regclass('gold_access.readers')").fetchone() != (None,):
            connection.execute("delete from gold_access.readers where login = %s", [login])
        if connection.execute("select 1 from pg_roles where rolname = %s", [login]).fetchone() is not None:
            connection.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(READERS), sql.Identifier(login)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login)))


def reader_url(dsn: str, login: str, password: str = MASK) -> str:
    """The owner's URL as the reader's; for Superset's own driver, and by default without the password."""
    parts = urlsplit(dsn)
    where = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(scheme="postgresql", netloc=f"{quote(login, safe='')}:{quote(password, safe='')}@{where}")
    )


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
