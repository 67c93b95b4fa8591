"""Odoo-shaped tables in any Postgres: created from the contract, filled by COPY."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import polars as pl
import psycopg
from psycopg import sql

from pipelines.contract import Table
from pipelines.odoo.demo.world import Bools, Ints
from pipelines.odoo.silver import contract

POSTGRES_TYPES = {
    "bool": "boolean",
    "int32": "integer",
    "int64": "bigint",
    "float64": "double precision",
    "text": "varchar",
    "json": "jsonb",
    "date": "date",
    "timestamp": "timestamp",
    "binary": "bytea",
}
Connection = psycopg.Connection[tuple[object, ...]]


def create(connection: Connection) -> None:
    """Creates every table of the contract, without keys: they are cheaper after the load."""
    for name, table in contract().tables.items():
        columns = [
            sql.SQL("{} {}{}").format(
                sql.Identifier(column),
                # Odoo's numeric columns are unbounded; the contract alone knows their scale.
                sql.SQL(POSTGRES_TYPES.get(spec.type, "numeric")),
                sql.SQL(" not null" if column in table.key else ""),
            )
            for column, spec in table.columns.items()
        ]
        connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(columns)))


def add_keys(connection: Connection) -> None:
    """Adds the primary keys, and gathers statistics."""
    for name, table in contract().tables.items():
        key = sql.SQL(", ").join(map(sql.Identifier, table.key))
        connection.execute(sql.SQL("alter table {} add primary key ({})").format(sql.Identifier(name), key))
    connection.execute("analyze")


def copy(connection: Connection, name: str, frame: pl.DataFrame) -> int:
    """Appends the rows of ``frame``, a subset of the table's columns in any order; the others become null."""
    if frame.is_empty():
        return 0
    table: Table = contract().tables[name]
    if unknown := set(frame.columns) - set(table.columns):
        raise AssertionError(f"{name} has no columns {sorted(unknown)}")
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(sql.Identifier(name), columns)
    text = frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f")
    with connection.cursor() as cursor, cursor.copy(statement) as sink:
        sink.write(text)
    return frame.height


def money(hundredths: Ints) -> pl.Series:
    """Int64 hundredths as Decimal with two digits, without passing through floats."""
    values = pl.Series("value", hundredths).cast(pl.Decimal(38, 0)).to_frame()
    return values.select(pl.col("value") * pl.lit(Decimal("0.01"))).to_series()


def where(values: Ints, keep: Bools) -> pl.Series:
    """``values`` where ``keep``, null elsewhere."""
    series = pl.Series(values)
    return series.set(pl.Series(~keep), None)


def pick(choices: Mapping[int, str], index: Ints) -> pl.Series:
    """The text of each index."""
    return pl.Series(index).replace_strict(choices, return_dtype=pl.String)


class Ids:
    """Hands out consecutive ids per table, across blocks."""

    def __init__(self, last: Mapping[str, int] | None = None) -> None:
        self.last: dict[str, int] = dict(last or {})

    def take(self, table: str, count: int) -> Ints:
        """The next ``count`` ids of a table."""
        start = self.last.get(table, 0) + 1
        self.last[table] = start + count - 1
        return np.arange(start, start + count, dtype=np.int64)
