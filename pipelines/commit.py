"""The fenced commit: how one phase's effect reaches a Delta table exactly once, whoever dies when.

Delta alone does not dedupe. So:

1. open the table handle;
2. look for a transaction of this run, phase and chunk, under whatever lease token. If there is one, a former owner's
   effect – or, in a retry, that of the run it retries – is in the table already: adopt it, write nothing;
3. check the fence in Postgres and hold the run row;
4. commit with the SAME handle, as exactly its next version, with ``Transaction(app_id, lease token)``; where what came
   last is set aside (a refresh, see docs/refresh.md), the version before it is restored first, in an entry of its own;
5. record the Delta version in the hold's transaction; release.

The data files are staged before step 3 (:mod:`pipelines.staging`), so a hold lasts for one log entry, a few
milliseconds, and neither a lease nor an idle timeout can end under it. A zombie that wakes between 3 and 4 holds a
handle of a version that is no longer the last and is refused; one that opens a new handle finds the new owner's
transaction in step 2. A crash between 4 and 5 leaves "Delta committed, Postgres not": the next owner adopts, or
:mod:`pipelines.reconcile` repairs. ``tests/pipelines/test_commit.py`` stops at each step, and takes each guard away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import structlog
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake._internal import RemoveAction
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, create_table_with_add_actions

from ops.errors import BadInput, CommitConflict, Conflict, SchemaDrift, StorageFailed
from ops.model import DatasetVersion, Fingerprint, TableVersion
from pipelines.columns import described, widened
from pipelines.commit_record import METADATA, CommitRef, dataset_of, elsewhere, metadata_of, stats_of
from pipelines.handler import Fence
from pipelines.partition import Span
from pipelines.staging import StagedFile
from pipelines.storage import Storage, storage_errors

log = structlog.get_logger()
ATTEMPTS = 8
Mode = Literal["append", "replace", "merge", "scd2", "partition"]


@dataclass(frozen=True)
class Change:
    """What a commit does to a table: files that come and files that go.

    Attributes:
        replaces: every file of the table goes, and the schema becomes ``schema``.
        removed: path → bytes of single files that go.
        rows, fingerprint: of the rows that were asked to be written.
        total_rows: rows of the table afterwards.
        span: of mode partition: the rows that the table has are those of the change, and no others, in it.
        overwrites: some of those that go were in the span.
    """

    mode: Mode
    added: tuple[StagedFile, ...]
    schema: Schema
    rows: int
    total_rows: int
    fingerprint: Fingerprint
    columns: Mapping[str, str]
    replaces: bool = False
    removed: Mapping[str, int] | None = None
    span: Span | None = None
    overwrites: bool = False


class _BuildsOnAnother(Exception):
    """The change was planned for another version than the one that commits build upon; it is planned anew."""

    def __init__(self, version: int | None) -> None:
        super().__init__(version)
        self.version = version


class FencedCommit:
    """One commit of one phase to one table.

    Args:
        at: called with the name of each step when it is done; tests stop there.
    """

    def __init__(
        self,
        storage: Storage,
        url: str,
        table: str,
        fence: Fence,
        ref: CommitRef,
        at: Callable[[str], None] | None = None,
    ) -> None:
        self._storage, self._url, self._table = storage, url, table
        self._fence, self._ref = fence, ref
        self._at = at or (lambda _: None)

    def run(
        self,
        plan: Callable[[DeltaTable | None], Change],
        inputs: tuple[TableVersion, ...] = (),
        since: int | None = None,
    ) -> DatasetVersion:
        """Brings the change into the table, once.

        Args:
            plan: makes the change from the table as it stands; called again when another writer came first.
            since: the version that the rows were computed against, -1 for a table that was not there; None where they hold
                whatever the table has become.

        Raises:
            Conflict: another run has written what these rows would undo or double; the table is unchanged.
            LeaseLost: this owner is not the run's any more; the table is unchanged.
            CommitConflict: other writers came first each time.
            StorageFailed: the store refused.
        """
        base: int | None = None
        for attempt in range(ATTEMPTS):
            handle = open_table(self._storage, self._url)
            self._at("opened")
            if (there := self.adoptable(handle)) is not None:
                self._fence.record_adopted(there)
                log.info("commit adopted", run=str(self._ref.run_id), phase=self._ref.phase, table=self._table)
                return there
            standing = self._standing(handle, base)
            try:
                change = plan(standing)
                if standing is None and handle is not None:
                    change = replace(change, replaces=True)
                self._refuse_what_is_stale(standing, change, inputs, since)
            except (BadInput, SchemaDrift, Conflict):
                # It may not fit to what is set aside, or be older, and fit to what it builds upon.
                if (found := self._asked()) == base:
                    raise
                base = found
                continue
            self._at("planned")
            try:
                return self._commit(handle, standing, change, inputs, base)
            except _BuildsOnAnother as another:
                base = another.version
                if attempt == ATTEMPTS - 1:
                    raise CommitConflict(f"what {self._table} builds upon changed each time; try again") from None
            except CommitConflict:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def _asked(self) -> int | None:
        with self._fence.hold() as hold:
            return hold.build_on(self._table)

    def _standing(self, handle: DeltaTable | None, base: int | None) -> DeltaTable | None:
        """The table as the change builds upon it: the newest, or the one before what is set aside."""
        if handle is None or base is None:
            return handle
        return None if base < 0 else open_table(self._storage, self._url, base)

    def _refuse_what_is_stale(
        self, handle: DeltaTable | None, change: Change, inputs: tuple[TableVersion, ...], since: int | None
    ) -> None:
        replaces = change.replaces or change.overwrites
        if handle is None or not (replaces or since is not None):
            return
        mine = {one.table: one.version for one in inputs}
        ours = str(self._ref.effect_of or self._ref.run_id)
        for version, stored in entries(self._storage, self._url, handle.version()):
            if change.overwrites and elsewhere(stored, change.span):
                continue
            if str(stored.get("app_id", "")).split("/")[1:2] == [ours]:
                return
            who = f"{self._table} was written by run {stored.get('run_id')}"
            if since is not None and version > since:
                raise Conflict(
                    f"{who} since this run looked at it; submit a new run", {"table": self._table, "version": version}
                )
            for one in dataset_of(self._table, version, stored).inputs if replaces else ():
                if one.version > mine.get(one.table, one.version):
                    raise Conflict(
                        f"{who} from {one.table} version {one.version}, and this run reads version {mine[one.table]}, "
                        "which is older; submit a new run",
                        {"table": self._table, "version": version},
                    )
            return

    def adoptable(self, handle: DeltaTable | None) -> DatasetVersion | None:
        """The commit of this run, phase and chunk that the table has already, under whatever token."""
        if handle is None or handle.transaction_version(self._ref.app_id) is None:
            return None
        for version, stored in entries(self._storage, self._url, handle.version()):
            if stored.get("app_id") == self._ref.app_id:
                return dataset_of(self._table, version, stored, adopted=True)
        raise StorageFailed(
            f"{self._table} holds a commit of {self._ref.app_id} but its log entry is gone; start a new run",
            {"table": self._table, "app_id": self._ref.app_id},
        )

    def _commit(
        self,
        handle: DeltaTable | None,
        standing: DeltaTable | None,
        change: Change,
        inputs: tuple[TableVersion, ...],
        base: int | None,
    ) -> DatasetVersion:
        with self._fence.hold() as hold:
            self._at("held")
            # Asked in the hold, which no swap and no rollback of a refresh can pass: nobody plans for the past.
            if (found := hold.build_on(self._table)) != base:
                raise _BuildsOnAnother(found)
            if handle is not None and standing is not None and base is not None and not change.replaces:
                with storage_errors(self._table):
                    _restore(handle, standing)
                self._at("restored")
            dataset = self.write(handle, change, inputs)
            self._at("committed")
            hold.record(dataset)
            self._at("recorded")
        self._at("released")
        return dataset

    def write(
        self,
        handle: DeltaTable | None,
        change: Change,
        inputs: tuple[TableVersion, ...],
    ) -> DatasetVersion:
        """One log entry: exactly the next version after the handle's."""
        with storage_errors(self._table):
            if handle is not None and not change.replaces:
                self._widen(handle, change.schema)
            version = 0 if handle is None else handle.version() + 1
            dataset = DatasetVersion(
                self._table, version, change.mode, change.rows, change.total_rows,
                sum(file.byte_size for file in change.added), change.fingerprint, described(change.schema),
                inputs=inputs, stats=stats_of(change.added),
            )  # fmt: skip
            properties = CommitProperties(
                custom_metadata={METADATA: metadata_of(dataset, self._ref, change.columns, change.span)},
                # The whole proof rests on this: no rebase onto a version that the adoption check has not seen.
                max_commit_retries=0,
                app_transactions=[Transaction(self._ref.app_id, int(self._ref.lease_token))],
            )
            now = int(time.time() * 1000)
            added = [_added(file, now) for file in change.added]
            if handle is None:
                options = self._storage.options
                create_table_with_add_actions(
                    self._url,
                    change.schema,
                    added,
                    "error",
                    storage_options=options,
                    commit_properties=properties,
                )
                return dataset
            removed = [RemoveAction(path, True, now, size, {}) for path, size in (change.removed or {}).items()]
            mode = "overwrite" if change.replaces else "append"
            handle.create_write_transaction([*added, *removed], mode, change.schema, commit_properties=properties)
            return dataset

    def _widen(self, handle: DeltaTable, schema: Schema) -> None:
        """New columns come first, in an entry of their own: a reader between the two sees them null."""
        new, _ = widened(handle.schema(), schema, self._table)
        if new:
            fields = [field for field in schema.fields if field.name in new]
            handle.alter.add_columns(fields, commit_properties=CommitProperties(max_commit_retries=0))


def _restore(handle: DeltaTable, standing: DeltaTable) -> None:
    """Brings the table back to an earlier version, in an entry of its own that no reader gets; nothing where it is so."""
    same = described(handle.schema()) == described(standing.schema())
    if not same or set(handle.file_uris()) != set(standing.file_uris()):
        handle.restore(standing.version(), commit_properties=CommitProperties(max_commit_retries=0))


def open_table(storage: Storage, url: str, version: int | None = None) -> DeltaTable | None:
    """The table's handle, None where there is no table.

    Raises:
        StorageFailed: the store refused.
    """
    with storage_errors(url):
        try:
            return DeltaTable(url, version=version, storage_options=storage.options)
        except TableNotFoundError:
            return None


def entries(storage: Storage, url: str, last: int) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The runs' own metadata of each commit, newest first, as far back as the log goes.

    Reads the log's JSON files (Delta protocol, "Commit Provenance Information"), not ``DeltaTable.history``, which
    reads all of them and keeps the interpreter locked meanwhile: the thread that renews leases would stand still.

    Raises:
        StorageFailed: the store refused.
    """
    for version in range(last, -1, -1):
        entry = storage.get(f"{url}/_delta_log/{version:020d}.json")
        if entry is None:
            return
        for line in entry.splitlines():
            action = json.loads(line) if METADATA.encode() in line and b'"commitInfo"' in line else {}
            stored = action.get("commitInfo", {}).get(METADATA)
            if isinstance(stored, dict):
                yield version, stored


def _added(file: StagedFile, now: int) -> AddAction:
    stats = {"numRecords": file.rows, "nullCount": dict(file.nulls)}
    return AddAction(file.path, file.byte_size, {}, now, True, json.dumps(stats))
