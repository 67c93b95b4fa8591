"""Writes rows into a table's directory as Parquet files that no commit names yet.

Staging is the long part of a write and needs no fence: until a log entry names the files, no reader sees them. One pass
over the batches writes and fingerprints them, so memory is bounded by a row group, not by the table.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self, TypeAlias

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from ops.errors import BadInput
from pipelines.columns import conform, lake_schema
from pipelines.fingerprint import Digest, Fingerprinter
from pipelines.partition import Span
from pipelines.storage import Storage, storage_errors

Rows: TypeAlias = pl.DataFrame | pl.LazyFrame | pa.RecordBatchReader | Iterable[pl.DataFrame]

GROUP_ROWS = 65_536
GROUP_BYTES = 16 << 20
FILE_BYTES = 128 << 20
BATCH_ROWS = 65_536


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file below the table's directory.

    Attributes:
        path: relative to the directory.
        nulls: how many, by column; nested columns are not counted (Delta's statistics have their leaves only).
        newest: the greatest value of each column of times or dates, as ISO 8601 text.
    """

    path: str
    rows: int
    byte_size: int
    nulls: Mapping[str, int] = field(default_factory=dict)
    newest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Staged:
    """Rows that wait for a commit.

    Attributes:
        schema: as the lake keeps it.
        digest: fingerprint of the rows, lineage columns left out.
        keys: the key columns of the rows, where they were to be kept.
    """

    files: tuple[StagedFile, ...]
    schema: pl.Schema
    digest: Digest
    keys: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.digest.rows

    @property
    def byte_size(self) -> int:
        return sum(file.byte_size for file in self.files)


def batches(rows: Rows, what: str) -> tuple[pl.Schema, Iterator[pl.DataFrame]]:
    """The lake schema of ``rows`` and its batches, conformed to it.

    Raises:
        BadInput: a column's type or name is refused; nothing was read.
    """
    found, parts = _parts(rows)
    schema = lake_schema(found, what)
    return schema, (conform(part, schema, what) for part in parts)


def _parts(rows: Rows) -> tuple[pl.Schema, Iterable[pl.DataFrame]]:
    if isinstance(rows, pl.DataFrame):
        return rows.schema, rows.iter_slices(BATCH_ROWS)
    if isinstance(rows, pl.LazyFrame):
        return rows.collect_schema(), rows.collect_batches(chunk_size=BATCH_ROWS)
    if isinstance(rows, pa.RecordBatchReader):
        empty = pl.DataFrame(rows.schema.empty_table())
        return empty.schema, (pl.DataFrame(batch) for batch in rows)
    parts = iter(rows)
    first = next(parts, None)
    if first is None:
        return pl.Schema(), ()
    return first.schema, _chain(first, parts)


def _chain(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from rest


def stage(
    storage: Storage,
    table_url: str,
    rows: Rows,
    key: Sequence[str] = (),
    keep_keys: bool = False,
    within: Span | None = None,
) -> Staged:
    """Writes ``rows`` as files below ``table_url``.

    Args:
        key: columns that bind the fingerprint's column digests to their row.
        keep_keys: keep the keys in memory, for a merge.
        within: what all rows have to be in.

    Raises:
        BadInput: see :func:`batches`; a row is outside of ``within``.
        StorageFailed: the store refused; the files of this call are gone again.
    """
    schema, parts = batches(rows, table_url.rsplit("/", 1)[-1])
    with Staging(storage, table_url, schema, key, keep_keys, within) as staging:
        for part in parts:
            staging.add(part)
        return staging.staged()


class Staging:
    """One staging, fed batch by batch; leaving it with an error takes its files away.

    Args:
        schema: of every batch: the lake's, see :func:`batches`.
        key, keep_keys, within: as for :func:`stage`.

    Raises:
        BadInput: a key column, or that of ``within``, is not in the schema.
    """

    def __init__(
        self,
        storage: Storage,
        table_url: str,
        schema: pl.Schema,
        key: Sequence[str] = (),
        keep_keys: bool = False,
        within: Span | None = None,
    ) -> None:
        self._name = table_url.rsplit("/", 1)[-1]
        if lacking := [column for column in key if column not in schema]:
            raise BadInput(f"{self._name} has no key column {', '.join(lacking)}", {"columns": lacking})
        self._within, self._inside = within, within.holds(schema) if within else None
        self._schema, self._key, self._keep_keys = schema, key, keep_keys
        self._counted = Fingerprinter(schema, key)
        self._keys: list[pl.DataFrame] = [pl.DataFrame(schema={column: schema[column] for column in key})]
        self._waiting: list[pl.DataFrame] = []
        self._files = _Files(storage, table_url)
        self._beside = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.shutdown()
        self._files.__exit__(kind, error, trace)

    def add(self, part: pl.DataFrame) -> None:
        """Takes a batch; small ones are gathered into row groups."""
        self._waiting.append(part)
        rows = sum(one.height for one in self._waiting)
        if rows >= GROUP_ROWS or sum(one.estimated_size() for one in self._waiting) >= GROUP_BYTES:
            self._write()

    def staged(self) -> Staged:
        """Ends the last file. To be called once, after the last batch."""
        if any(one.height for one in self._waiting):
            self._write()
        self._files.close()
        return Staged(tuple(self._files.done), self._schema, self._counted.digest(), pl.concat(self._keys))

    def _write(self) -> None:
        part, self._waiting = pl.concat(self._waiting), []
        # The digest and the file are made of the same immutable batch, at the same time.
        digested = self._beside.submit(self._counted.update, part)
        if self._inside is not None and self._within is not None:
            refuse_outside(part, self._inside, self._within, self._name)
        self._files.write(part)
        if self._keep_keys:
            self._keys.append(part.select(self._key))
        digested.result()


def refuse_outside(part: pl.DataFrame, inside: pl.Expr, within: Span, name: str) -> None:
    """Raises BadInput: a row is of another partition, or of none; which one is named."""
    outside = part.filter(inside.not_().fill_null(True))
    if outside.height:
        found = outside[within.column][0]
        said = f"{within.first}" if within.until is None else f"{within.first} up to {within.until}"
        raise BadInput(
            f"{name}: a row has {within.column}={found}, and the run's partitions are {said}; filter by the run's parameters",
            {"table": name, "column": within.column, "value": str(found)},
        )


class _Files:
    """The files of one staging; a failure takes all of them away."""

    def __init__(self, storage: Storage, table_url: str) -> None:
        self._storage, self._table_url = storage, table_url
        self._open = ExitStack()
        self._writer: pq.ParquetWriter | None = None
        self._sink: IO[bytes] | None = None
        self._path, self._rows = "", 0
        self._nulls: Counter[str] = Counter()
        self._newest: dict[str, str] = {}
        self.done: list[StagedFile] = []
        self._name = uuid.uuid4().hex

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            return
        # Closed as if all were well: the reason is the caller's, and what is closed is deleted next.
        with suppress(Exception):
            self._open.close()
        for path in {self._path, *(file.path for file in self.done)} - {""}:
            self._storage.discard(f"{self._table_url}/{path}")

    def write(self, part: pl.DataFrame) -> None:
        if not part.height:
            return
        arrow = part.to_arrow(compat_level=pl.CompatLevel.oldest())
        with storage_errors(self._table_url):
            if self._writer is None:
                self._start(arrow.schema)
            assert self._writer is not None
            assert self._sink is not None
            self._writer.write_table(arrow, row_group_size=GROUP_ROWS)
            self._rows += part.height
            self._count(part)
            if self._sink.tell() >= FILE_BYTES:
                self.close()

    def _count(self, part: pl.DataFrame) -> None:
        nulls = part.select(~cs.nested()).null_count()
        self._nulls.update(nulls.row(0, named=True) if nulls.width else {})
        newest = part.select(cs.temporal().max())
        for name, value in newest.row(0, named=True).items() if newest.width else ():
            if value is not None:
                self._newest[name] = max(self._newest.get(name, ""), value.isoformat())

    def _start(self, schema: pa.Schema) -> None:
        # Never the same name twice: a zombie and the new owner must not write into one another's files.
        self._path = f"part-{len(self.done):05d}-{self._name}.parquet"
        self._sink = self._open.enter_context(self._storage.writer(f"{self._table_url}/{self._path}"))
        self._writer = self._open.enter_context(
            pq.ParquetWriter(
                self._sink,
                schema,
                compression="zstd",
                compression_level=1,
                store_schema=False,
            )
        )

    def close(self) -> None:
        """Ends the file at hand, if there is one."""
        if self._writer is None:
            return
        with storage_errors(self._table_url):
            self._open.close()
        self._open, self._writer, self._sink = ExitStack(), None, None
        size = self._storage.size(f"{self._table_url}/{self._path}")
        self.done.append(StagedFile(self._path, self._rows, size, dict(self._nulls), self._newest))
        self._path, self._rows, self._nulls, self._newest = "", 0, Counter(), {}
