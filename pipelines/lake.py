"""The lake: Delta tables in layers, below one URL, one directory a scope.

``<url>/<org>/<project>/<env>/<layer>/<name>``. Reading pins a version; writing goes through the fenced commit of
:mod:`pipelines.commit` and no other way. A table is named ``layer.name``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import get_args

import polars as pl
from deltalake import DeltaTable

from ops.errors import BadInput, NotFound, SchemaDrift
from ops.model import DatasetVersion, Scope, TableVersion
from pipelines.columns import conform, delta_schema, described, widened
from pipelines.commit import Change, FencedCommit, Mode, open_table
from pipelines.commit_record import CommitRef
from pipelines.fingerprint import Digest, fingerprint
from pipelines.handler import Fence
from pipelines.merging import (
    CURRENT,
    FILE,
    SCD2_COLUMNS,
    TableFiles,
    active_files,
    check_keys,
    closed,
    versions_of,
    without,
)
from pipelines.partition import Span
from pipelines.staging import Rows, Staged, Staging, batches, stage
from pipelines.storage import Storage, storage_errors
from pipelines.table_names import LAYERS, TABLE, check_table, owner_of

SCOPE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

__all__ = ["LAYERS", "TABLE", "CommitRef", "Lake", "Mode", "Rows", "Staged", "check_table", "owner_of"]


class Lake:
    """The tables of one scope, and for reading those of other projects in the same environment.

    Whether another's table may be read is not for the lake to say: whoever pins the inputs of a run asks Postgres.

    Args:
        url: a local directory or ``s3://bucket/prefix``.
        storage_options: for ``s3://``, by their environment names (``AWS_ENDPOINT_URL``, ``AWS_REGION``, …).

    Raises:
        BadInput: a part of the scope cannot be a directory's name.
    """

    def __init__(self, url: str, scope: Scope, storage_options: Mapping[str, str] | None = None) -> None:
        for part in (scope.org, scope.project, scope.env):
            if not SCOPE.fullmatch(part):
                raise BadInput(f"{part!r} cannot name a part of a scope; use a-z, 0-9, _ and -")
        self.scope = scope
        self.storage = Storage(url, storage_options)
        self.root = f"{self.storage.url}/{scope.org}/{scope.project}/{scope.env}"

    def path(self, table: str) -> str:
        """URL of the directory of a table, one's own or another's; the table need not exist."""
        if anothers := owner_of(table):
            org, project, table = anothers
            layer, name = check_table(table).split(".")
            return f"{self.storage.url}/{org}/{project}/{self.scope.env}/{layer}/{name}"
        layer, name = check_table(table).split(".")
        return f"{self.root}/{layer}/{name}"

    def version(self, table: str) -> int | None:
        """The last Delta version, None where there is no such table."""
        handle = open_table(self.storage, self.path(table))
        return None if handle is None else handle.version()

    def handle(self, table: str, version: int | None = None) -> DeltaTable:
        """deltalake's own handle, for reading only.

        Raises:
            NotFound: no such table, or not that version of it.
        """
        handle = open_table(self.storage, self.path(table))
        if handle is None:
            raise NotFound(
                f"table {table} does not exist in {self.scope.project}/{self.scope.env}",
                {"table": table},
            )
        if version is None or version == handle.version():
            return handle
        if version > handle.version() or version < 0:
            raise NotFound(
                f"table {table} has no version {version}, the last is {handle.version()}",
                {"table": table},
            )
        with storage_errors(table):
            handle.load_as_version(version)
        return handle

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        """The rows of one version (default: the last), lazily.

        Raises:
            NotFound: see :meth:`handle`.
        """
        handle = self.handle(table, version)
        with storage_errors(table):
            return pl.scan_delta(handle, storage_options=self.storage.options or None)

    def schema(self, table: str, version: int | None = None) -> dict[str, str]:
        """Column name → Delta type, in column order.

        Raises:
            NotFound: see :meth:`handle`.
        """
        return described(self.handle(table, version).schema())

    def rows(self, table: str, version: int | None = None) -> int:
        """Rows of one version, from the log alone."""
        return sum(rows for _, rows in active_files(self.handle(table, version)).values())

    def fingerprint(self, table: str, version: int | None = None, key: Sequence[str] = ()) -> Digest:
        """Content fingerprint of a whole version, lineage columns left out.

        Raises:
            StorageFailed: a file of it cannot be read.
        """
        with storage_errors(table):
            return fingerprint(self.scan(table, version), key)

    def stage(
        self, table: str, rows: Rows, *, key: Sequence[str] = (), keep_keys: bool = False, within: Span | None = None
    ) -> Staged:
        """Writes rows beside the table, where no reader sees them; :meth:`commit` makes them part of it.

        Streams: memory is bounded by a row group. ``rows`` is a DataFrame, a LazyFrame, a pyarrow RecordBatchReader or
        an iterable of DataFrames of one schema. A merge needs ``key`` and ``keep_keys``; ``within``: what all of
        them have to be in.

        Raises:
            BadInput: a column's type or name cannot be kept; nothing was written.
            StorageFailed: the store refused; nothing is left behind.
        """
        return stage(self.storage, self.path(check_table(table)), rows, key, keep_keys, within)

    def staging(
        self,
        table: str,
        schema: pl.Schema,
        *,
        key: Sequence[str] = (),
        keep_keys: bool = False,
        within: Span | None = None,
    ) -> Staging:
        """As :meth:`stage`, for rows that come batch by batch, of the lake's schema
        (:func:`pipelines.staging.batches`)."""
        return Staging(self.storage, self.path(check_table(table)), schema, key, keep_keys, within)

    def discard(self, table: str, staged: Staged) -> None:
        """Deletes staged files. Only for files of which no commit was tried: a commit whose answer was lost may
        have named them."""
        for file in staged.files:
            self.storage.discard(f"{self.path(table)}/{file.path}")

    def committed(self, table: str, ref: CommitRef, fence: Fence) -> DatasetVersion | None:
        """The commit that this run, phase and chunk has in the table already, registered as adopted; None if there
        is none. Asked before the work, it saves the work.

        Raises:
            LeaseLost: this owner is not the run's any more.
        """
        commit = FencedCommit(self.storage, self.path(table), table, fence, ref)
        found = commit.adoptable(open_table(self.storage, self.path(table)))
        if found is not None:
            fence.record_adopted(found)
        return found

    def commit(
        self,
        fence: Fence,
        ref: CommitRef,
        table: str,
        rows: Rows | Staged,
        mode: Mode,
        key: Sequence[str] = (),
        *,
        inputs: Sequence[TableVersion] = (),
        deletes: pl.DataFrame | None = None,
        effective_at: datetime | None = None,
        since: int | None = None,
        span: Span | None = None,
        at: Callable[[str], None] | None = None,
    ) -> DatasetVersion:
        """Brings rows into a table exactly once for ``ref``'s run, phase and chunk, whoever has tried before.

        Args:
            rows: as for :meth:`stage`, or what it returned.
            mode: ``append``; ``replace`` (the schema too); ``merge`` (upsert by ``key``, then ``deletes``);
                ``scd2`` (history by ``key``: a row that differs from the current one ends it and begins anew);
                ``partition`` (the rows of ``span`` go, these come).
            key: columns that name a row; for merge and scd2, and to bind the fingerprint's column digests.
            inputs: table versions that the rows were made from: the lineage edges.
            deletes: keys of rows to remove (merge) or to end (scd2).
            effective_at: for scd2: when the new state began, from the source and not from a clock, so that a
                repeat is the same.
            since: the version that the rows were computed against, -1 for a table that was not there; None where they
                hold whatever the table has become.
            span: for partition: what the rows are all of, and take the place of.
            at: called after each step of the protocol, for tests.

        Returns:
            The dataset version; ``adopted`` where a former owner had made the commit.

        Raises:
            LeaseLost: the table is unchanged.
            BadInput: a refused column, a null or doubled key, a mode without its arguments; nothing was written.
            SchemaDrift: a column has another type than the table's; nothing was written.
            CommitConflict: other writers came first each time.
            StorageFailed: the store refused.
        """
        check_table(table)
        self._check(table, mode, key, rows, deletes, effective_at, span)
        commit = FencedCommit(self.storage, self.path(table), table, fence, ref, at)
        if isinstance(rows, Staged):
            return commit.run(
                lambda handle: self._plan(table, mode, key, rows, deletes, handle, span),
                tuple(inputs),
                since,
            )
        # Asked before staging: the rows of a commit that is there already need not be made again.
        if (found := self.committed(table, ref, fence)) is not None:
            return found
        if mode == "scd2":
            assert effective_at is not None
            return commit.run(
                self._scd2(table, _collected(rows, table), key, deletes, effective_at),
                tuple(inputs),
                since,
            )
        staged = self.stage(table, rows, key=key, keep_keys=mode == "merge", within=span)
        try:
            return commit.run(
                lambda handle: self._plan(table, mode, key, staged, deletes, handle, span),
                tuple(inputs),
                since,
            )
        except (BadInput, SchemaDrift):
            # Raised by the plan, before any commit was tried; after any other error one may have named the files.
            self.discard(table, staged)
            raise

    def _check(
        self,
        table: str,
        mode: Mode,
        key: Sequence[str],
        rows: Rows | Staged,
        deletes: pl.DataFrame | None,
        at: datetime | None,
        span: Span | None,
    ) -> None:
        self.path(table)
        faults = {
            f"mode {mode} is not {', '.join(get_args(Mode))}": mode not in get_args(Mode),
            f"mode {mode} needs a key": mode in ("merge", "scd2") and not key,
            f"mode {mode} takes no deletes": mode not in ("merge", "scd2") and deletes is not None,
            "mode scd2 needs effective_at, with a time zone": mode == "scd2" and (at is None or at.tzinfo is None),
            "mode partition needs a span, and no other mode takes one": (mode == "partition") != (span is not None),
            "mode scd2 takes rows that are not staged": mode == "scd2" and isinstance(rows, Staged),
        }
        if found := [fault for fault, there in faults.items() if there]:
            raise BadInput(f"{table}: {'; '.join(found)}", {"table": table, "faults": found})

    def _plan(
        self,
        table: str,
        mode: Mode,
        key: Sequence[str],
        staged: Staged,
        deletes: pl.DataFrame | None,
        handle: DeltaTable | None,
        span: Span | None = None,
    ) -> Change:
        came = delta_schema(staged.schema)
        digest = staged.digest
        if mode == "merge":
            if tuple(staged.keys.columns) != tuple(key):
                raise BadInput(f"{table}: a merge by ({', '.join(key)}) needs rows that were staged with that key")
            check_keys(staged.keys, table)
        if mode == "replace" or handle is None:
            return Change(
                mode, staged.files, came, digest.rows, digest.rows, digest.root, digest.columns,
                replaces=handle is not None, span=span,
            )  # fmt: skip
        _, schema = widened(handle.schema(), came, table)
        before = sum(rows for _, rows in active_files(handle).values())
        if mode == "append":
            total = before + digest.rows
            return Change(mode, staged.files, schema, digest.rows, total, digest.root, digest.columns)
        lacking = [field.name for field in handle.schema().fields if field.name not in staged.schema]
        if lacking:
            raise BadInput(f"{table}: a {mode} needs every column of the table; it lacks {', '.join(lacking)}")
        files = TableFiles(self.storage, self.path(table), handle)
        if span is not None:
            touched, kept, gone_rows = without(files, span)
            return Change(
                mode, (*staged.files, *kept.files), schema, digest.rows, before - gone_rows + digest.rows, digest.root,
                digest.columns, removed=files.removed(touched), span=span, overwrites=gone_rows > 0,
            )  # fmt: skip
        gone = staged.keys if deletes is None else pl.concat([staged.keys, _conformed(deletes, staged.keys)])
        touched = files.holding(gone)
        left = files.scan(touched).join(gone.lazy(), on=list(key), how="anti")
        kept = files.rewritten(left)
        total = before - sum(files.files[path][1] for path in touched) + kept.rows + digest.rows
        return Change(
            mode, (*staged.files, *kept.files), schema, digest.rows, total, digest.root, digest.columns,
            removed=files.removed(touched),
        )  # fmt: skip

    def _scd2(
        self,
        table: str,
        frame: pl.DataFrame,
        key: Sequence[str],
        deletes: pl.DataFrame | None,
        effective_at: datetime,
    ) -> Callable[[DeltaTable | None], Change]:
        check_keys(frame.select(key), table)
        digest = fingerprint(frame, key)
        url = self.path(table)

        def plan(handle: DeltaTable | None) -> Change:
            came = delta_schema(pl.Schema({**frame.schema, **SCD2_COLUMNS}))
            if handle is None:
                added, _ = versions_of(frame.clear().lazy(), frame, key, None, effective_at)
                first = stage(self.storage, url, added)
                return Change(
                    "scd2",
                    first.files,
                    came,
                    first.rows,
                    first.rows,
                    digest.root,
                    digest.columns,
                )
            _, schema = widened(handle.schema(), came, table)
            files = TableFiles(self.storage, url, handle)
            rows = files.scan(list(files.files)).filter(pl.col(CURRENT)).drop(FILE, *SCD2_COLUMNS)
            missing = [
                pl.lit(None, dtype).alias(name) for name, dtype in frame.schema.items() if name not in files.schema
            ]
            with storage_errors(table):
                added, ended = versions_of(
                    rows.with_columns(missing),
                    frame,
                    key,
                    _keys(deletes, frame, key),
                    effective_at,
                )
            touched = files.holding(ended, among=pl.col(CURRENT))
            kept = files.rewritten(closed(files.scan(touched), ended, effective_at))
            new = stage(self.storage, url, added)
            total = sum(count for _, count in files.files.values()) + new.rows
            return Change(
                "scd2", (*new.files, *kept.files), schema, new.rows, total, digest.root, digest.columns,
                removed=files.removed(touched),
            )  # fmt: skip

        return plan


def _conformed(deletes: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    return conform(deletes.select(keys.columns), keys.schema, "deletes").unique()


def _keys(deletes: pl.DataFrame | None, frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame | None:
    return None if deletes is None else _conformed(deletes, frame.select(key))


def _collected(rows: Rows, what: str) -> pl.DataFrame:
    """A dimension in memory; scd2 compares it whole with what is current."""
    schema, parts = batches(rows, what)
    return pl.concat([pl.DataFrame(schema=schema), *parts])
