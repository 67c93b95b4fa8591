"""Bytes of artifacts, for those who may see the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from starlette.requests import Request

from dashboard.data.links import Named, is_good
from dashboard.data.source import artifact_store, link_key, person_of, reads
from ops.errors import NotFound, StorageFailed
from ops.model import RunId
from ops.views import ArtifactRow

CHUNK_BYTES = 1024 * 1024
ELSEWHERE = timedelta(seconds=60)


def allowed(request: Request) -> ArtifactRow:
    """The artifact that the request's link names, if the caller may see it and the link is good.

    Raises:
        NotFound: one of that does not hold; which one is not told.
        NotSignedIn: nobody asks.
    """
    try:
        run_id, artifact_id = (UUID(request.path_params[part]) for part in ("run", "artifact"))
    except ValueError:
        raise NotFound("the path names no artifact; take the link of the run's page") from None
    who, query = person_of(request), request.query_params
    for row in reads(who).artifacts(RunId(run_id)):
        if row.artifact_id == artifact_id:
            named = Named(run_id, artifact_id, row.sha256)
            until, whom, signature = (query.get(part, "") for part in ("until", "for", "signature"))
            if is_good(link_key(), named, until, whom, signature, who.subject):
                return row
    raise NotFound(f"run {run_id} has no artifact {artifact_id} for this link; its page lists those that it has")


def elsewhere(row: ArtifactRow) -> str | None:
    """A short-lived URL at the object store itself; None where the bytes are ours to give."""
    return artifact_store().presigned(row.uri, ELSEWHERE)


def chunks(row: ArtifactRow) -> Iterator[bytes]:
    """The stored bytes, a MiB at a time. The last is held back until all of them are known to be the right ones.

    Raises:
        StorageFailed: they are not those that the run registered; whoever downloads gets an incomplete answer.
        NotFound: nothing is stored there any more.
    """
    digest, held = hashlib.sha256(), b""
    with artifact_store().open(row.uri) as file:
        while data := file.read(CHUNK_BYTES):
            digest.update(data)
            if held:
                yield held
            held = data
    if digest.hexdigest() != row.sha256:
        raise StorageFailed(f"artifact {row.artifact_id} was damaged in the store; it is not given out")
    yield held
