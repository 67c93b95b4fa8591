"""Postgres as a source: one exported snapshot, any number of readers in it, Arrow batches over binary COPY.

A session of our own exports the snapshot and keeps its transaction open; each reader is an ADBC connection that takes
the same snapshot, so a journal entry and its lines are never of different moments, whoever reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import psycopg
import pyarrow as pa
from adbc_driver_postgresql import StatementOptions
from psycopg import sql

from ops.errors import ControlRoomError, SchemaDrift, SourceUnreachable
from pipelines.contract import Table
from pipelines.sources.decimals import precision_and_scale, selected, unscaled
from pipelines.sources.source import Read

BATCH_BYTES = 8 << 20
KEYS_A_QUERY = 5_000
# Value out of range, NaN into a whole number, text that is no number: the data outgrew the contract.
DOES_NOT_FIT = {"22003", "0A000", "22P02"}
DOES_NOT_FIT_WORDS = ("out of range", "cannot convert NaN", "cannot convert infinity", "numeric field overflow")

MOMENT = """
select pg_export_snapshot(), now(),
       ((case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end) - '0/0')::bigint
"""
COLUMNS = """
select c.relname, a.attname, t.typname
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
 where n.nspname = %s and c.relname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
"""
ESTIMATES = """
select c.relname, greatest(c.reltuples, 0)::bigint
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = %s and c.relname = any(%s)
"""


class PostgresSource:
    """One Postgres database.

    Args:
        dsn: libpq URL or key-value text; it may hold a password and is never logged.
        schema: where the tables are.
        connect_timeout_seconds: for each connection.
    """

    def __init__(self, dsn: str, schema: str = "public", connect_timeout_seconds: int = 10) -> None:
        self._dsn, self._schema, self._timeout = dsn, schema, connect_timeout_seconds

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """See :class:`pipelines.sources.source.Source`."""
        # A reader or another table may take long; the exporting session must not be ended for waiting.
        options = "-c idle_in_transaction_session_timeout=0 -c statement_timeout=0"
        try:
            session = psycopg.connect(
                self._dsn,
                connect_timeout=self._timeout,
                options=options,
                application_name="controlroom ingest",
            )
        except psycopg.Error as error:
            raise _unreachable(error) from None
        with closing(session):
            try:
                session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                session.read_only = True
                row = session.execute(MOMENT).fetchone()
            except psycopg.Error as error:
                raise _unreachable(error) from None
            assert row is not None
            yield PostgresSnapshot(self._dsn, self._schema, session, row[0], row[1], row[2])


class PostgresSnapshot:
    """See :class:`pipelines.sources.source.Snapshot`."""

    def __init__(
        self,
        dsn: str,
        schema: str,
        session: psycopg.Connection,
        name: str,
        taken_at: datetime,
        position: int,
    ) -> None:
        self._dsn, self._schema, self._session, self._name = dsn, schema, session, name
        self.taken_at, self.position = taken_at, position

    def columns(self, tables: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self._ask(COLUMNS, tables):
            found.setdefault(str(table), {})[str(column)] = str(kind)
        return found

    def estimated_rows(self, tables: Sequence[str]) -> Mapping[str, int]:
        return {str(table): int(str(rows)) for table, rows in self._ask(ESTIMATES, tables)}

    def _ask(self, query: str, tables: Sequence[str]) -> list[tuple[object, ...]]:
        try:
            return self._session.execute(query, [self._schema, list(tables)]).fetchall()
        except psycopg.Error as error:
            raise _unreachable(error) from None

    def read(self, what: Read) -> Iterator[pl.DataFrame]:
        if what.keys is None:
            yield from self._stream(what, "")
            return
        for part in what.keys.iter_slices(KEYS_A_QUERY):
            names = sql.SQL(", ").join(map(sql.Identifier, part.columns))
            rows = sql.SQL(", ").join(
                sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row))) for row in part.iter_rows()
            )
            yield from self._stream(
                what,
                sql.SQL(" where ({}) in ({})").format(names, rows).as_string(None),
            )

    def _stream(self, what: Read, where: str) -> Iterator[pl.DataFrame]:
        query = self._query(what, where)
        try:
            with (
                closing(adbc.connect(self._dsn)) as connection,
                closing(connection.cursor()) as cursor,
            ):
                cursor.execute("set transaction isolation level repeatable read read only")
                cursor.execute(f"set transaction snapshot '{self._name}'")
                cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)})
                cursor.execute(query)
                with closing(cursor.fetch_record_batch()) as reader:
                    yield empty(what.table, what.columns)
                    for batch in reader:
                        yield typed(batch, what.table)
        except (adbc_driver_manager.Error, OSError) as error:
            raise _refused(error, what.name) from None
        except pl.exceptions.InvalidOperationError as error:
            raise _does_not_fit(what.name, str(error)) from None

    def _query(self, what: Read, where: str) -> str:
        columns = []
        for name in what.columns:
            quoted = sql.Identifier(name).as_string(None)
            digits = precision_and_scale(what.table.columns[name])
            if digits is not None:
                quoted = f"{selected(quoted, *digits)} as {quoted}"
            elif what.table.columns[name].type in ("text", "json"):
                quoted = f"{quoted}::text as {quoted}"
            columns.append(quoted)
        table = sql.Identifier(self._schema, what.name).as_string(None)
        if what.since is not None and what.table.cursor is not None:
            cursor = sql.Identifier(what.table.cursor).as_string(None)
            # Without a zone: the sessions' zone is UTC, so it compares with columns of either kind.
            since = sql.Literal(what.since.astimezone(UTC).replace(tzinfo=None).isoformat()).as_string(None)
            where = f" where {cursor} is null or {cursor} >= {since}::timestamp"
        return f"select {', '.join(columns)} from {table}{where}"  # noqa: S608 - every part is quoted above


TYPES: Mapping[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
    "text": pl.String(),
    "json": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "binary": pl.Binary(),
}


def empty(table: Table, columns: Sequence[str]) -> pl.DataFrame:
    """No rows in the contract's types."""
    kinds: dict[str, pl.DataType] = {}
    for name in columns:
        digits = precision_and_scale(table.columns[name])
        kinds[name] = pl.Decimal(*digits) if digits else TYPES[table.columns[name].type]
    return pl.DataFrame(schema=kinds)


def typed(batch: pa.RecordBatch, table: Table) -> pl.DataFrame:
    """A batch from the wire in the contract's types."""
    series: list[pl.Series] = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        digits = precision_and_scale(table.columns[name])
        if digits is not None:
            series.append(unscaled(values, *digits).alias(name))
            continue
        one = pl.Series(name, values)
        wanted = TYPES[table.columns[name].type]
        if isinstance(one.dtype, pl.Datetime) and one.dtype.time_zone is None:
            one = one.dt.replace_time_zone("UTC")
        series.append(one if one.dtype == wanted else one.cast(wanted, strict=True))
    return pl.DataFrame(series)


def _unreachable(error: Exception) -> SourceUnreachable:
    reason = next(
        (line.strip() for line in str(error).splitlines() if line.strip()),
        type(error).__name__,
    )
    return SourceUnreachable(f"the source database does not answer: {reason[:300]}. Check its DSN, network and server")


def _refused(error: Exception, table: str) -> ControlRoomError:
    # An error amid the stream comes as an OSError without its SQLSTATE; its text is all there is.
    state, text = str(getattr(error, "sqlstate", "") or ""), str(error)
    if state in DOES_NOT_FIT or any(words in text for words in DOES_NOT_FIT_WORDS):
        return _does_not_fit(table, text)
    return _unreachable(error)


def _does_not_fit(table: str, reason: str) -> SchemaDrift:
    line = reason.splitlines()[0][:300]
    return SchemaDrift(
        f"a value of {table} does not fit the contract: {line}. Widen the column's type in the contract",
        {"table": table},
    )
