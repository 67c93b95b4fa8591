"""What a commit says of itself in Delta's log: whose it is, what it did. Postgres can be repaired from it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.errors import StorageFailed
from ops.model import DatasetVersion, Fingerprint, LeaseToken, RunId, TableVersion
from pipelines.partition import Span
from pipelines.staging import StagedFile

METADATA = "controlroom"


@dataclass(frozen=True)
class CommitRef:
    """What a commit belongs to. Its ``app_id`` is the identity under which it happens once.

    Args:
        run_id: who commits.
        chunk: distinguishes several commits of one phase to one table; the same on every attempt.
        input_fingerprint: of what the phase read, kept with the commit.
        effect_of: the run by which the commit is known, where it is not ``run_id``: of a retry the first run of its line.
    """

    run_id: RunId
    lease_token: LeaseToken
    phase: str
    chunk: str = "0"
    input_fingerprint: Fingerprint | None = None
    effect_of: RunId | None = None

    @property
    def app_id(self) -> str:
        return f"{METADATA}/{self.effect_of or self.run_id}/{self.phase}/{self.chunk}"


def stats_of(files: Sequence[StagedFile]) -> dict[str, object]:
    """What the files of a commit say of its rows: their number, nulls by column, the newest value of columns of times."""
    nulls: Counter[str] = Counter()
    newest: dict[str, str] = {}
    for file in files:
        nulls.update(file.nulls)
        newest |= {name: max(newest.get(name, ""), value) for name, value in file.newest.items()}
    return {"rows": sum(file.rows for file in files), "nulls": dict(nulls), "newest": newest}


def metadata_of(
    dataset: DatasetVersion, ref: CommitRef, columns: Mapping[str, str], span: Span | None = None
) -> dict[str, object]:
    """Everything that Postgres knows about a commit, kept in the commit itself: the reconciler needs nothing else."""
    return {
        "app_id": ref.app_id,
        "run_id": str(ref.run_id),
        "phase": ref.phase,
        "chunk": ref.chunk,
        "lease_token": int(ref.lease_token),
        "input_fingerprint": ref.input_fingerprint,
        "mode": dataset.mode,
        "rows": dataset.rows,
        "total_rows": dataset.total_rows,
        "byte_size": dataset.byte_size,
        "fingerprint": dataset.fingerprint,
        "column_digests": dict(columns),
        "schema": dict(dataset.schema),
        "inputs": [vars(one) for one in dataset.inputs],
        "stats": dict(dataset.stats),
        **({"span": span.to_json()} if span else {}),
    }


def elsewhere(stored: Mapping[str, object], span: Span | None) -> bool:
    """Whether a commit wrote partitions, and none of these."""
    other = stored.get("span")
    return span is not None and isinstance(other, Mapping) and not span.overlaps(Span.of_json(other))


def dataset_of(table: str, version: int, stored: Mapping[str, object], adopted: bool = False) -> DatasetVersion:
    """The inverse of :func:`metadata_of`.

    Raises:
        StorageFailed: the metadata is not of this project's making.
    """
    match stored:
        case {
            "mode": str(mode), "rows": int(rows), "total_rows": int(total), "byte_size": int(size),
            "fingerprint": str(text), "schema": dict(schema), "inputs": list(inputs),
        }:  # fmt: skip
            # Commits of earlier versions have none.
            stats = found if isinstance(found := stored.get("stats"), dict) else {}
            read = tuple(TableVersion(str(one["table"]), int(one["version"]), one.get("fingerprint")) for one in inputs)
            return DatasetVersion(
                table,
                version,
                mode,
                rows,
                total,
                size,
                Fingerprint(text),
                dict(schema),
                adopted,
                read,
                stats,
            )
    raise StorageFailed(
        f"{table} version {version} has commit metadata that cannot be read",
        {"table": table},
    )
