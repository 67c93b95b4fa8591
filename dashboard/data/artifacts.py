"""Bytes of artifacts, for those who may see the run."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from dashboard.data.source import artifact_store, reads
from ops.errors import NotFound
from ops.model import RunId
from ops.views import ArtifactRow

CHUNK_BYTES = 1024 * 1024


def find(run_id: UUID, artifact_id: UUID) -> ArtifactRow:
    """The artifact.

    Raises:
        NotFound: there is none in that run, or the run is not the viewer's to see.
    """
    for row in reads().artifacts(RunId(run_id)):
        if row.artifact_id == artifact_id:
            return row
    raise NotFound(f"run {run_id} has no artifact {artifact_id}; its page lists those that it has")


def chunks(uri: str) -> Iterator[bytes]:
    """The stored bytes, a MiB at a time."""
    with artifact_store().open(uri) as file:
        while data := file.read(CHUNK_BYTES):
            yield data
