"""Merge and scd2 as copy-on-write: only files that hold a touched key are written again.

A plan is made from one table version and is worth nothing on another; the commit protocol asks for it anew when another
writer came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
from deltalake import DeltaTable

from ops.errors import BadInput
from pipelines.columns import UTC_MICROSECONDS, frame_schema
from pipelines.partition import Span
from pipelines.staging import Staged, stage
from pipelines.storage import Storage, storage_errors

VALID_FROM, VALID_TO, CURRENT = "_valid_from", "_valid_to", "_current"
SCD2_COLUMNS = pl.Schema({VALID_FROM: UTC_MICROSECONDS, VALID_TO: UTC_MICROSECONDS, CURRENT: pl.Boolean()})
FILE = "_lake_file"
SMALL_ROWS = 100_000
SMALL_FILES = 16
"""More than this many files below ``SMALL_ROWS``: the next merge writes them into one."""


def active_files(handle: DeltaTable | None) -> dict[str, tuple[int, int]]:
    """Path → (bytes, rows) of each file of the table at the handle's version."""
    if handle is None:
        return {}
    found = pl.DataFrame(handle.get_add_actions(flatten=True))
    return {row["path"]: (row["size_bytes"], row["num_records"]) for row in found.iter_rows(named=True)}


def check_keys(keys: pl.DataFrame, what: str) -> None:
    """Raises:
    BadInput: a key is null or there twice; which one is named.
    """
    if nulls := keys.filter(pl.any_horizontal(pl.all().is_null())).height:
        raise BadInput(
            f"{what}: {nulls} rows have a null key in ({', '.join(keys.columns)})",
            {"table": what},
        )
    twice = keys.filter(keys.is_duplicated()).unique(maintain_order=True)
    if twice.height:
        example = ", ".join(f"{name}={value}" for name, value in twice.row(0, named=True).items())
        raise BadInput(
            f"{what}: {twice.height} keys come more than once, first {example}",
            {"table": what},
        )


class TableFiles:
    """The files of one table version, for reading with their names."""

    def __init__(self, storage: Storage, url: str, handle: DeltaTable) -> None:
        self.storage, self.url = storage, url
        self.files = active_files(handle)
        self.schema = frame_schema(handle.schema())

    def scan(self, paths: Sequence[str]) -> pl.LazyFrame:
        """Rows of some files, each with its path in ``FILE``; columns that an older file lacks are null."""
        if not paths:
            return pl.LazyFrame(schema={**self.schema, FILE: pl.String()})
        scanned = pl.scan_parquet(
            [f"{self.url}/{path}" for path in paths],
            schema=self.schema,
            missing_columns="insert",
            include_file_paths=FILE,
            storage_options=self.storage.options or None,
        )
        return scanned.with_columns(pl.col(FILE).str.split("/").list.last())

    def holding(self, keys: pl.DataFrame, among: pl.Expr | None = None) -> list[str]:
        """Paths of the files with a row of one of ``keys`` (``among`` those rows)."""
        rows = self.scan(list(self.files))
        if among is not None:
            rows = rows.filter(among)
        found = rows.select(*keys.columns, FILE).join(keys.lazy(), on=keys.columns, how="semi", nulls_equal=True)
        with storage_errors(self.url):
            touched = set(found.select(pl.col(FILE).unique()).collect(engine="streaming")[FILE])
        return self._with_small(touched)

    def where(self, condition: pl.Expr) -> list[str]:
        """Paths of the files with a row for which it holds, and of small ones where they have become many."""
        with storage_errors(self.url):
            found = self.scan(list(self.files)).filter(condition).select(pl.col(FILE).unique())
            return self._with_small(set(found.collect(engine="streaming")[FILE]))

    def _with_small(self, touched: set[str]) -> list[str]:
        small = [path for path, (_, rows_in) in self.files.items() if rows_in < SMALL_ROWS]
        return sorted(touched | set(small if len(small) > SMALL_FILES else ()))

    def rewritten(self, rows: pl.LazyFrame) -> Staged:
        """Stages what is left of some files: their :meth:`scan` with the change applied."""
        return stage(self.storage, self.url, rows.drop(FILE))

    def removed(self, paths: Sequence[str]) -> dict[str, int]:
        return {path: self.files[path][0] for path in paths}


def without(files: TableFiles, span: Span) -> tuple[list[str], Staged, int]:
    """The files that hold rows of a span, what is left of them, and how many rows go."""
    inside = span.holds(files.schema)
    touched = files.where(inside)
    kept = files.rewritten(files.scan(touched).filter(inside.not_().fill_null(True)))
    return touched, kept, sum(files.files[path][1] for path in touched) - kept.rows


def versions_of(
    current: pl.LazyFrame,
    frame: pl.DataFrame,
    key: Sequence[str],
    deletes: pl.DataFrame | None,
    at: datetime,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a new state of a dimension means for its history.

    Args:
        current: the rows that are valid now, without the scd2 columns.
        frame: rows by key as they are from ``at`` on; keys that are not in it stay as they are.
        deletes: keys that end at ``at``.

    Returns:
        The rows to add, with the scd2 columns, and the keys whose current row ends.
    """
    standing = (
        current.join(frame.lazy().select(key), on=key, how="semi").select(frame.columns).collect(engine="streaming")
    )
    changed = frame.join(standing, on=frame.columns, how="anti", nulls_equal=True)
    ended = changed.select(key)
    if deletes is not None:
        ended = pl.concat([ended, deletes.select(key)]).unique()
    added = changed.with_columns(
        pl.lit(at).cast(UTC_MICROSECONDS).alias(VALID_FROM),
        pl.lit(None, UTC_MICROSECONDS).alias(VALID_TO),
        pl.lit(True).alias(CURRENT),
    )
    return added, ended


def closed(rows: pl.LazyFrame, ended: pl.DataFrame, at: datetime) -> pl.LazyFrame:
    """``rows`` with the current ones of the ended keys closed at ``at``."""
    ending = ended.lazy().with_columns(pl.lit(True).alias("_ends"))
    ends = pl.col(CURRENT) & pl.col("_ends").fill_null(False)
    return (
        rows.join(
            ending,
            on=ended.columns,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .with_columns(
            pl.when(ends).then(pl.lit(at).cast(UTC_MICROSECONDS)).otherwise(pl.col(VALID_TO)).alias(VALID_TO),
            pl.when(ends).then(pl.lit(False)).otherwise(pl.col(CURRENT)).alias(CURRENT),
        )
        .drop("_ends")
    )
