"""What an ingest has landed: staged files of all its tables, written down before the first of them is committed.

A crash between the commits of two tables would leave one table of this moment beside another of the next. With the
landing written down, the next owner, or a retry of the run, commits the very files that the former one read. Of two
owners that land at once the first writes the record; the other throws its files away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from deltalake import Schema

from ops.errors import StorageFailed
from ops.model import Fingerprint, RunId
from pipelines.columns import delta_schema, frame_schema
from pipelines.commit import Mode
from pipelines.fingerprint import Digest
from pipelines.lake import Lake
from pipelines.staging import Staged, StagedFile


@dataclass(frozen=True)
class Landed:
    """One table's staged rows, how they enter it, and the version that they were computed against (-1: there was none)."""

    mode: Mode
    staged: Staged
    since: int


@dataclass(frozen=True)
class Landing:
    """All tables of an ingest phase, from one moment of the source.

    Attributes:
        taken_at, position: the moment by the source's clock and by its log.
    """

    taken_at: datetime
    position: int
    tables: Mapping[str, Landed]


def url_of(lake: Lake, run_id: RunId, phase: str) -> str:
    return f"{lake.root}/_landing/{run_id}/{phase}.json"


def load(lake: Lake, run_id: RunId, phase: str) -> Landing | None:
    """The landing that an owner of this run has written down, None if none got so far."""
    stored = lake.storage.get(url_of(lake, run_id, phase))
    return None if stored is None else _decoded(stored)


def settle(lake: Lake, run_id: RunId, phase: str, landing: Landing) -> Landing:
    """Writes a landing down, or finds that another owner was first: then that one's is returned, and it counts."""
    if lake.storage.put_new(url_of(lake, run_id, phase), _encoded(landing)):
        return landing
    first = load(lake, run_id, phase)
    if first is None:
        raise StorageFailed(f"the landing of {run_id} {phase} was there and is gone", {"run_id": str(run_id)})
    for table, landed in landing.tables.items():
        lake.discard(table, landed.staged)
    return first


def _encoded(landing: Landing) -> bytes:
    tables = {
        table: {
            "mode": landed.mode,
            "since": landed.since,
            "schema": json.loads(delta_schema(landed.staged.schema).to_json()),
            "files": [vars(file) for file in landed.staged.files],
            "rows": landed.staged.rows,
            "fingerprint": landed.staged.digest.root,
            "columns": dict(landed.staged.digest.columns),
        }
        for table, landed in landing.tables.items()
    }
    document = {"taken_at": landing.taken_at.isoformat(), "position": landing.position, "tables": tables}
    return json.dumps(document).encode()


def _decoded(stored: bytes) -> Landing:
    document = json.loads(stored)
    tables = {table: _landed(one) for table, one in document["tables"].items()}
    return Landing(datetime.fromisoformat(document["taken_at"]), int(document["position"]), tables)


def _landed(one: Mapping[str, object]) -> Landed:
    match one:
        case {
            "mode": ("append" | "replace") as mode, "schema": dict(schema), "files": list(files),
            "rows": int(rows), "fingerprint": str(root), "columns": dict(columns), "since": int(since),
        }:  # fmt: skip
            digest = Digest(Fingerprint(root), columns, rows)
            parts = tuple(StagedFile(**file) for file in files)
            kept = frame_schema(Schema.from_json(json.dumps(schema)))
            return Landed(
                "append" if mode == "append" else "replace", Staged(parts, kept, digest, pl.DataFrame()), since
            )
    raise StorageFailed("a landing cannot be read; it is not of this version's making")
