"""A dataset's own clock: the newest value of a column that says when something happened."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import polars as pl

from ops.errors import BadInput
from pipelines.lake import Lake
from pipelines.storage import storage_errors


def data_clock(lake: Lake, table: str, version: int, column: str) -> datetime | None:
    """The newest value of ``column``, of Delta's statistics where they have it (to the millisecond), else of the rows.

    A time without a zone is UTC's, a date its first moment. None where the column is empty.

    Raises:
        NotFound: no such table or version.
        BadInput: no such column, or not one of times.
        StorageFailed: it cannot be read.
    """
    handle = lake.handle(table, version)
    with storage_errors(f"reading the log of {table}"):
        files = pl.DataFrame(handle.get_add_actions(flatten=True))
    columns = lake.schema(table, version)
    if column not in columns:
        raise BadInput(f"{table} has no column {column!r}; it has {', '.join(columns)}")
    # A null is a column that is empty only where as many nulls are counted as rows; else the file has no statistics of it.
    counted = {f"max.{column}", f"null_count.{column}", "num_records"} <= set(files.columns)
    empty = pl.col(f"null_count.{column}").eq_missing(pl.col("num_records"))
    if counted and files.filter(pl.col(f"max.{column}").is_null() & ~empty).is_empty():
        newest = files[f"max.{column}"].max()
    else:
        with storage_errors(f"reading {table}"):
            newest = lake.scan(table, version).select(pl.col(column).max()).collect().item()
    return _moment(newest, table, column)


def _moment(value: object, table: str, column: str) -> datetime | None:
    match value:
        case None:
            return None
        case datetime():
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        case date():
            return datetime.combine(value, time(), UTC)
        case _:
            raise BadInput(f"column {column} of {table} holds no times but such as {value!r}; name another")
