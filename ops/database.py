"""Connections: with a role and claims, with limits that end what is left idle, and errors translated.

Two ways to take a role. A connection of one owner (an executor, a fence) has it from its first moment, by a start-up
option. A pooled one that serves many users (the dashboard) takes it per transaction with :func:`acting_as`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from ops import embedded
from ops.errors import NotAllowed
from ops.settings import Settings
from ops.translation import translated

EXECUTOR = "controlroom_executor"
AUTHENTICATED = "authenticated"
SERVICE = "service_role"

# The subject of who works at the machine itself, where no sign-in is asked.
LOCAL_OPERATOR = "local"

Connection = psycopg.Connection[tuple[Any, ...]]
Claims = Mapping[str, object]
# As PostgREST passes a request's: small names. The audit log keeps `x-forwarded-for` and `user-agent`.
Headers = Mapping[str, str]

# All in one statement: one round trip, and never a role without its claims.
_ACT = """
select set_config('role', %(role)s, true), set_config('request.jwt.claims', %(claims)s, true),
    set_config('request.headers', %(headers)s, true)
"""


def database_url(settings: Settings) -> str:
    """URL of the database as its owner; starts the embedded server where no other is named."""
    return settings.database_url or embedded.ensure(settings.home, settings.pg_bin).url()


def login_url(settings: Settings) -> str:
    """URL for serving users: as ``controlroom_login``, which may do nothing until it takes a role.

    With a database of your own and no CONTROLROOM_LOGIN_URL it is the owner's URL; the role is still taken.
    """
    if settings.login_url or settings.database_url:
        return settings.login_url or settings.database_url or ""
    return embedded.ensure(settings.home, settings.pg_bin).login_url()


def token_connection(settings: Settings, name: str) -> Connection:
    """A connection, in autocommit, that is whoever the settings' access token says.

    Raises:
        NotAllowed: the token is unknown, expired or revoked, or the URL logs in as somebody who needs none.
    """
    url = settings.database_url or embedded.ensure(settings.home, settings.pg_bin).token_url()
    connection = connect(url, autocommit=True, name=name)
    try:
        with translated():
            row = connection.execute("select session_user").fetchone()
            if row != (embedded.HOLDER,):
                raise NotAllowed(
                    f"with CONTROLROOM_TOKEN the database's user must be {embedded.HOLDER}, not {row and row[0]}; "
                    "change CONTROLROOM_DATABASE_URL"
                )
            connection.execute("select set_config('controlroom.token', %s, false)", [settings.token])
            connection.execute("set role authenticated")
            connection.execute("select ops.use_access_token()")
    except BaseException:
        connection.close()
        raise
    return connection


def with_database(url: str, dbname: str) -> str:
    """``url`` with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(dbname, safe='')}"))


def connect(
    url: str,
    role: str | None = None,
    claims: Claims | None = None,
    autocommit: bool = False,
    idle_seconds: float | None = None,
    name: str = "controlroom",
) -> Connection:
    """Opens a connection that has ``role`` and ``claims`` for as long as it lives.

    Args:
        idle_seconds: the server ends the session when a transaction stays idle for longer.
        name: shown in ``pg_stat_activity``.

    Raises:
        DatabaseUnavailable: nobody answers.
        NotAllowed: the login is refused.
    """
    with translated():
        return psycopg.connect(url, autocommit=autocommit, **_arguments(url, role, claims, idle_seconds, name))


def _arguments(
    url: str, role: str | None, claims: Claims | None, idle_seconds: float | None, name: str
) -> dict[str, Any]:
    """libpq arguments: start-up options cost no round trip; a dead peer is noticed in seconds, not in hours."""
    wanted: dict[str, str] = {}
    if role is not None:
        wanted["role"] = role
    if claims is not None:
        wanted["request.jwt.claims"] = json.dumps(claims)
    if idle_seconds is not None:
        wanted["idle_in_transaction_session_timeout"] = str(int(idle_seconds * 1000))
    given = str(conninfo_to_dict(url).get("options") or "")
    options = [given, *(f"-c {key}={_escaped(value)}" for key, value in wanted.items())]
    return {
        "options": " ".join(filter(None, options)),
        "application_name": name,
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


class Pool:
    """Connections of one role, in autocommit: each call of an RPC is one round trip and one transaction.

    Raises DatabaseUnavailable where none can be had within ``wait_seconds``. Close it, or use it as a context.
    """

    def __init__(
        self,
        url: str,
        role: str | None = None,
        claims: Claims | None = None,
        min_size: int = 1,
        max_size: int = 8,
        wait_seconds: float = 10.0,
        name: str = "controlroom",
    ) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            kwargs={"autocommit": True, **_arguments(url, role, claims, None, name)},
            min_size=min_size,
            max_size=max_size,
            timeout=wait_seconds,
            open=True,
            name=name,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lends a connection for the block."""
        broken = False
        try:
            with translated(), self._pool.connection() as lent:
                try:
                    yield lent
                finally:
                    broken = lent.closed
        finally:
            if broken:
                # After one connection broke its idle neighbours probably are broken too: look now, not call by call.
                self._pool.check()

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def acting_as(
    connection: Connection, role: str, claims: Claims | None = None, headers: Headers | None = None
) -> Iterator[Connection]:
    """One transaction with ``role``, ``claims`` and ``headers``, which say from where; all are gone when it ends."""
    with translated(), connection.transaction():
        connection.execute(
            _ACT, {"role": role, "claims": json.dumps(claims or {}), "headers": json.dumps(headers or {})}
        )
        yield connection


def at_once(
    connection: Connection, query: str, role: str, claims: Claims | None = None, headers: Headers | None = None
) -> list[tuple[Any, ...]]:
    """What a query without arguments gives, as in :func:`acting_as`, in one message to the server instead of four.

    Args:
        connection: in autocommit, outside a transaction: the message is its own.
    """
    with translated(), psycopg.ClientCursor(connection) as cursor:
        cursor.execute(
            f"{_ACT}; {query}", {"role": role, "claims": json.dumps(claims or {}), "headers": json.dumps(headers or {})}
        )
        cursor.nextset()
        return cursor.fetchall()


@contextmanager
def one_moment(
    connection: Connection, role: str, claims: Claims | None = None, headers: Headers | None = None
) -> Iterator[Connection]:
    """As :func:`acting_as`, for reading only: everything, memberships too, is seen as it is at the beginning of the block."""
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    try:
        with acting_as(connection, role, claims, headers):
            yield connection
    finally:
        if not connection.closed:
            connection.isolation_level = connection.read_only = None


def elected(connection: Connection, election: int) -> bool:
    """Whether this session holds the place of that number, or has just taken it: one session of a database does, until it ends.

    Each True takes the place once more; ask until the first.
    """
    with translated():
        row = connection.execute("select pg_try_advisory_lock(%s)", [election]).fetchone()
    return bool(row and row[0])
