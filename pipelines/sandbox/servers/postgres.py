"""Postgres as an engine: one prepared select in a transaction that only reads, Arrow out of binary COPY.

The server ends what nobody waits for: it looks each second whether its client is still there (session.sql).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_manager
import adbc_driver_postgresql
import polars as pl
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_postgresql import StatementOptions

from ops.errors import BadInput, ControlRoomError, NotAllowed, PhaseFailed, QueryLimitExceeded, SourceUnreachable
from pipelines.sandbox.engine import GRACE_SECONDS, LONGEST_PLAN, Carried
from pipelines.sandbox.job import Job
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.servers.postgres_rows import check_columns, framed

SESSION = Path(__file__).with_name("session.sql").read_text()
BATCH_BYTES = 8 << 20
_LOGIN = re.compile(r"authentication failed|no pg_hba\.conf entry|role .* does not exist|database .* does not exist|"
                    r"not permitted to log in|no password supplied|permission denied for database")  # fmt: skip
# An error amid the rows comes without its SQLSTATE; its text, where the server speaks English, is all there is.
_SAID = {
    "statement timeout": "57014", "read-only transaction": "25006", "permission denied": "42501",
    "terminating connection": "57P01", "server closed the connection": "08006", "could not connect": "08001",
}  # fmt: skip


class Postgres:
    """Implements ``pipelines.sandbox.engine.Engine``."""

    @property
    def identity(self) -> str:
        return f"adbc-driver-postgresql {adbc_driver_postgresql.__version__}"

    def carry_out(self, job: Job) -> Carried:
        assert job.server is not None
        with _connected(job.server.address) as connection:
            version, ends_after = _begun(connection, job.limits)
            with _typed_errors(job.limits, ends_after, told=True):
                plan = _planned(connection, job.sql)
            with _typed_errors(job.limits, ends_after, told=False):
                return Carried(_rows(connection, job), plan[:LONGEST_PLAN], f"PostgreSQL {version}")


@contextmanager
def _connected(address: str) -> Iterator[AdbcConnection]:
    """In a transaction. The driver without its DB-API, whose import takes in pandas and 1.6 seconds."""
    try:
        with adbc_driver_postgresql.connect(address) as database, AdbcConnection(database) as connection:
            connection.set_autocommit(False)
            yield connection
    except adbc_driver_manager.Error as error:
        said = _line(error)
        if _LOGIN.search(said):
            raise NotAllowed(
                f"the Postgres server refuses the login of its address: {said}; store one that may read"
            ) from None
        raise SourceUnreachable(f"the Postgres server does not answer: {said}; check its address and network") from None


@contextmanager
def _asked(connection: AdbcConnection, sql: str, copy: str = "true") -> Iterator[pa.RecordBatchReader]:
    with AdbcStatement(connection) as statement:
        options = {
            StatementOptions.USE_COPY.value: copy,
            StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES),
        }
        statement.set_options(**options)
        statement.set_sql_query(sql)
        stream, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as reader:
            yield reader


def _begun(connection: AdbcConnection, limits: QueryLimits) -> tuple[str, int]:
    """Binds the transaction; the server's version, and the milliseconds after which it ends a statement."""
    milliseconds = int((limits.seconds + GRACE_SECONDS) * 1000)
    try:
        with _asked(connection, SESSION.format(milliseconds=milliseconds)) as reader:
            rows = reader.read_all().to_pylist()
    except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
        raise SourceUnreachable(f"the Postgres server does not take a question: {_line(error)}") from None
    found = {row["name"]: row["value"] for row in rows}
    timeout = re.fullmatch(r"(\d+)(ms|s|min|h|d)?", str(found.get("statement_timeout", "")))
    units = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
    return str(rows[0]["version"]), int(timeout[1]) * units[timeout[2] or "ms"] if timeout else milliseconds


def _planned(connection: AdbcConnection, sql: str) -> str:
    # With options of ours before it no parenthesis of the query can be taken for some.
    with _asked(connection, f"explain (costs true) {sql}", copy="false") as reader:
        return "\n".join(str(line) for line in reader.read_all().column(0).to_pylist())


def _rows(connection: AdbcConnection, job: Job) -> pl.DataFrame:
    batches, height = [], 0
    with _asked(connection, job.sql) as reader:
        check_columns(reader.schema)
        while height < job.most:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                break
            batches.append(batch)
            height += batch.num_rows
        return framed(pa.Table.from_batches(batches, reader.schema).slice(0, job.most))


@contextmanager
def _typed_errors(limits: QueryLimits, ends_after: int, told: bool) -> Iterator[None]:
    """``told``: nothing was read yet, so that what the server says is of the SQL and of no value."""
    try:
        yield
    except MemoryError:
        raise
    except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
        raise _typed(error, limits, ends_after, told) from None


def _typed(error: Exception, limits: QueryLimits, ends_after: int, told: bool) -> ControlRoomError:
    said = _line(error)
    state = str(getattr(error, "sqlstate", None) or next((code for words, code in _SAID.items() if words in said), ""))
    found: ControlRoomError
    match state[:2], state:
        case _, "57014" if "timeout" in said:
            found = _late(limits, ends_after)
        case _, "42501" if told:
            found = NotAllowed(f"the Postgres login may not: {said}; have it granted, or ask for something else")
        case _, "25006":
            found = NotAllowed(f"a question only reads: {said}; take out what changes something")
        case _, "42601" if "multiple commands" in said:
            found = BadInput("one (and only one) statement can be asked at a time; take away what follows the first ;")
        case _, "08P01" if "bind message" in said:
            found = BadInput(
                "$1 and the like stand for nothing here; parameters are columns of the one row of a table params"
            )
        case (("42" | "3F" | "0A"), _) if told:
            found = BadInput(f"Postgres refuses the SQL: {said}", {"sqlstate": state})
        case (("08" | "57"), _):
            found = SourceUnreachable(f"the Postgres server ended the query: {said}")
        case _:
            # It may quote what it read, and whoever sees the run reads errors.
            found = PhaseFailed(
                f"Postgres refuses a value or the work ({state or 'without a code'}); what it says may quote data and is not "
                "kept: run the query in psql to read it",
                {"sqlstate": state},
            )
    return found


def _late(limits: QueryLimits, ends_after: int) -> QueryLimitExceeded:
    if ends_after >= limits.seconds * 1000:
        return limits.exceeded("seconds", f"ran longer than {limits.seconds:g} s")
    own = f"{ends_after / 1000:g} s"
    return QueryLimitExceeded(
        f"the query ran longer than the {own} that the server lets its login; ask for less, or have statement_timeout raised",
        {"limit": "statement_timeout", "value": own},
    )


def _line(error: Exception) -> str:
    """The server's own line, without the query that the driver puts behind it."""
    details = dict(getattr(error, "details", None) or ())
    if primary := details.get("PG_DIAG_MESSAGE_PRIMARY") or details.get(b"PG_DIAG_MESSAGE_PRIMARY"):
        return (primary.decode(errors="replace") if isinstance(primary, bytes) else str(primary))[:300]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), lines[0] if lines else "")
    return (re.sub(r"^.*?(ERROR|FATAL):\s*", "", said) or type(error).__name__)[:300]
