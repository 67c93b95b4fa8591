"""The database: who answers, as whom we come, whether its clock is ours, whether the schema is the newest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from controlroom.checkups.finding import Check, Fault
from ops.checkup import Checkup
from ops.database import Connection

OLDEST_SERVER = 150000
SKEW_SECONDS = 2.0
FULL = 0.9
LONG_TRANSACTION_SECONDS = 600.0


def checks(connection: Connection) -> Iterator[Check]:
    """Those that need no schema first."""
    checkup = Checkup(connection)
    yield "postgres", lambda: _server(checkup)
    yield "clock", lambda: _clock(checkup)
    yield "connections", lambda: _connections(checkup)
    yield "transactions", lambda: _transactions(checkup)
    yield "schema", lambda: _schema(checkup)


def schema_checks(connection: Connection) -> Iterator[Check]:
    """Those that do."""
    checkup = Checkup(connection)
    yield "role", lambda: _role(checkup)
    yield "partitions", lambda: _partitions(checkup)


def _server(checkup: Checkup) -> str:
    server = checkup.server()
    if server.number < OLDEST_SERVER:
        raise Fault(f"Postgres {server.version}", "move to Postgres 15 or later")
    return f"Postgres {server.version} answers; the database has {server.byte_size // 2**20} MiB"


def _clock(checkup: Checkup) -> str:
    """Leases go by the database's clock alone; logs, traces and what people read do not."""
    before = datetime.now(UTC)
    there = checkup.server().now
    after = datetime.now(UTC)
    # The answer was made somewhere between the two.
    apart = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if apart > SKEW_SECONDS:
        raise Fault(f"the database's clock and this machine's are {apart:.1f} s apart", "run an NTP client on both")
    return "the database's clock and this machine's agree"


def _connections(checkup: Checkup) -> str:
    server = checkup.server()
    if server.connections > FULL * server.allowed:
        raise Fault(
            f"{server.connections} of {server.allowed} connections are taken",
            "raise max_connections, put a pooler in between, or lower the slots of the executors",
        )
    return f"{server.connections} of {server.allowed} are taken"


def _transactions(checkup: Checkup) -> str:
    seconds, who = checkup.oldest_transaction()
    if seconds > LONG_TRANSACTION_SECONDS:
        raise Fault(
            f"{who} has had a transaction open for {seconds / 60:.0f} min: dead rows stay, and the queue grows slow",
            "end it with pg_terminate_backend, and set idle_in_transaction_session_timeout",
        )
    return "none has been open for long"


def _schema(checkup: Checkup) -> str:
    from migrations.apply import revisions

    newest, applied = revisions()[-1], checkup.revision()
    if checkup.owner() is None or applied is None:
        raise Fault("schema ops is not there", "controlroom migrate")
    if applied != newest:
        known = applied in revisions()
        raise Fault(
            f"schema ops is at {applied}, this code at {newest}",
            "controlroom migrate" if known else "the database is newer than this code: upgrade the package",
        )
    return f"schema ops is there, at the newest revision {newest}"


def _role(checkup: Checkup) -> str:
    owner, login = checkup.owner(), checkup.server().login
    if owner is None or not checkup.may_act_as(owner):
        raise Fault(
            f"{login} is not the owner of schema ops ({owner})",
            "let CONTROLROOM_DATABASE_URL log in as the owner; services for people use CONTROLROOM_LOGIN_URL",
        )
    return f"{login} may do what the owner may"


def _partitions(checkup: Checkup) -> str:
    this_month, next_month = checkup.partitions()
    if not this_month:
        raise Fault("events of this month have no place: every run fails", "controlroom migrate")
    if not next_month:
        raise Fault("events of the next month have no place yet", "start the steward, or run `controlroom migrate`")
    return "events of this month and the next have a place"
