"""Finds "Delta committed, Postgres not": what commits say about themselves, for those that nobody has recorded.

A crash between the log entry and the end of the hold leaves such a commit. The run's next owner adopts it; where there
is none any more (the run was canceled, its attempts are spent), it stays: readers do not get it, because Postgres does
not know its version, and `controlroom dataset check` shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from ops.model import DatasetVersion, LeaseToken, RunId
from pipelines.commit import entries
from pipelines.commit_record import dataset_of
from pipelines.lake import Lake


@dataclass(frozen=True)
class Unrecorded:
    """A commit with the run that made it."""

    run_id: RunId
    phase: str
    chunk: str
    lease_token: LeaseToken
    dataset: DatasetVersion


def unrecorded(lake: Lake, table: str, recorded: Collection[int]) -> Iterator[Unrecorded]:
    """Commits of runs to ``table`` whose version is not among ``recorded``, oldest first.

    Entries without a run's metadata (optimise, a new column) are nobody's and are left out.

    Raises:
        StorageFailed: the log cannot be read.
    """
    last = lake.version(table)
    found = [] if last is None else list(entries(lake.storage, lake.path(table), last))
    for version, stored in reversed(found):
        if version in recorded:
            continue
        yield Unrecorded(
            RunId(UUID(str(stored["run_id"]))),
            str(stored["phase"]),
            str(stored["chunk"]),
            LeaseToken(int(str(stored["lease_token"]))),
            dataset_of(table, version, stored, adopted=True),
        )
