"""The lake and the artifacts: written, read back, and tidied up."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from controlroom.checkups.finding import Check, Fault
from ops.artifacts import ArtifactStore
from ops.settings import Settings
from pipelines.storage import Storage

PROBE = b"controlroom doctor was here\n"


def checks(settings: Settings) -> Iterator[Check]:
    """Both stores."""
    yield "lake", lambda: _lake(settings)
    yield "artifacts", lambda: _artifacts(settings)


def _lake(settings: Settings) -> str:
    storage = Storage(settings.lake, settings.storage_options)
    url = f"{storage.url}/.doctor/{uuid4().hex}"
    storage.put_new(url, PROBE)
    try:
        if storage.get(url) != PROBE:
            raise Fault(f"{settings.lake} gives back other bytes than were written", "look at the disk or the store")
        if storage.put_new(url, PROBE):
            raise Fault(
                f"{settings.lake} lets a file be written twice under one name",
                "use a store with conditional writes: commits of two writers would undo each other",
            )
    finally:
        storage.discard(url)
    if storage.get(url) is not None:
        raise Fault(f"{settings.lake} does not delete", "give the key the right to delete")
    return f"{settings.lake}: written, read, refused twice, deleted"


def _artifacts(settings: Settings) -> str:
    store = ArtifactStore(settings.artifacts, settings.storage_options)
    # The same bytes each time: they are stored once.
    artifact = store.put_bytes("doctor", "probe", PROBE, "text/plain")
    store.verify(artifact.uri, artifact.sha256)
    return f"{settings.artifacts}: written and verified"
