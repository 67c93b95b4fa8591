"""Incremental sync: which rows of a source differ from what bronze holds.

A cursor such as ``write_date`` says when the writing transaction BEGAN, so a row may appear behind a watermark that has
moved on, and a delete moves no cursor at all. Hence three reads inside one snapshot: the rows from the watermark less
an overlap; all keys, of which bronze lacks some (they came late) and has some too many (they were deleted); the late
ones by key. Rows of the overlap that bronze holds unchanged are dropped by their hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from pipelines.contract import Table
from pipelines.fingerprint import row_hashes
from pipelines.sources.source import Read, Snapshot

OP, LSN = "_op", "_source_lsn"
READ, UPSERT, DELETE = "r", "u", "d"
HASHES = ["_hash_0", "_hash_1"]


def whole(snapshot: Snapshot, name: str, table: Table) -> Iterator[pl.DataFrame]:
    """Every row, with its operation ``r``."""
    for batch in snapshot.read(Read(name, table)):
        yield batch.with_columns(pl.lit(READ).alias(OP))


def changed(snapshot: Snapshot, name: str, table: Table, bronze: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Rows that are new or different (``u``) and keys that are gone (``d``, all other columns null).

    Memory: the keys of the table, and key and hash of the rows in the overlap.
    """
    assert table.cursor is not None
    since = watermark(bronze, table)
    known = _known(bronze, table, since)
    seen: list[pl.DataFrame] = []
    for batch in snapshot.read(Read(name, table, since=since)):
        seen.append(batch.select(table.key))
        hashed = pl.concat([batch, row_hashes(batch, list(table.columns))], how="horizontal")
        new = hashed.join(known, on=[*table.key, *HASHES], how="anti", maintain_order="left").drop(HASHES)
        yield new.with_columns(pl.lit(UPSERT).alias(OP))
    yield from _by_key(snapshot, name, table, bronze, pl.concat(seen))


def watermark(bronze: pl.LazyFrame, table: Table) -> datetime | None:
    """Where the next incremental read begins: the latest cursor value of bronze less the overlap."""
    assert table.cursor is not None
    last = bronze.select(pl.col(table.cursor).max()).collect(engine="streaming").item()
    return last - table.overlap if isinstance(last, datetime) else None


def _known(bronze: pl.LazyFrame, table: Table, since: datetime | None) -> pl.DataFrame:
    """Key and hashes of the last row that bronze has of each key that the cursor read can bring."""
    held = bronze.collect_schema()
    lacking = [pl.lit(None).alias(name) for name in table.columns if name not in held]
    rows = bronze.with_columns(lacking)
    if since is not None and table.cursor is not None:
        rows = rows.filter(pl.col(table.cursor).is_null() | (pl.col(table.cursor) >= since))
    parts = [
        pl.concat([batch.select(*table.key, LSN), row_hashes(batch, list(table.columns))], how="horizontal")
        for batch in rows.select(*table.columns, LSN).collect_batches(chunk_size=65_536)
    ]
    if not parts:
        return pl.DataFrame(schema={**{name: held[name] for name in table.key}, **dict.fromkeys(HASHES, pl.UInt64())})
    return pl.concat(parts).sort(LSN).unique(table.key, keep="last").drop(LSN)


def _by_key(
    snapshot: Snapshot, name: str, table: Table, bronze: pl.LazyFrame, seen: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    key = list(table.key)
    there = pl.concat(list(snapshot.read(Read(name, table, only_key=True))))
    live = live_keys(bronze, key)
    late = there.join(live, on=key, how="anti").join(seen, on=key, how="anti")
    for batch in snapshot.read(Read(name, table, keys=late)) if late.height else ():
        yield batch.with_columns(pl.lit(UPSERT).alias(OP))
    gone = live.join(there, on=key, how="anti")
    if gone.height:
        yield gone.with_columns(pl.lit(DELETE).alias(OP))


def live_keys(bronze: pl.LazyFrame, key: list[str]) -> pl.DataFrame:
    """Keys whose last operation in bronze is not a delete."""
    is_delete = pl.col(OP) == DELETE
    last = bronze.group_by(key).agg(
        pl.col(LSN).filter(~is_delete).max().alias("_written"), pl.col(LSN).filter(is_delete).max().alias("_deleted")
    )
    alive = pl.col("_deleted").is_null() | (pl.col("_written") > pl.col("_deleted"))
    return last.filter(pl.col("_written").is_not_null() & alive).select(key).collect(engine="streaming")
