"""From a spec to a refresh."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from controlroom.session import Session
from ops.errors import BadInput
from ops.refreshes import Asked, Refreshes
from pipelines.catalogue import git_sha, new_phases, spec_path
from pipelines.params import bound
from pipelines.refresh import refreshed
from pipelines.spec import spec_sha256
from pipelines.spec_source import load
from pipelines.units import Share


def start(
    session: Session,
    pipeline: str,
    params: Mapping[str, str],
    env: str | None,
    tolerance: Mapping[str, float] | None,
    note: str,
) -> UUID:
    """Queues a refresh of what a pipeline makes.

    Raises:
        NotFound: no such spec.
        BadInput: it cannot be refreshed, or the parameters are refused.
        SpecInvalid, Conflict, NotAllowed: as for a run.
    """
    path = spec_path(pipeline)
    spec = load(path)
    asked = Asked(
        spec.pipeline, spec.to_json(), spec_sha256(spec), git_sha(path.parent), bound(spec, params),
        new_phases(refreshed(spec)), spec.max_attempts, spec.timeout,
    )  # fmt: skip
    where = env or session.settings.env
    return Refreshes(session.connection).start(session.project_id(), where, asked, tolerance, note)


def tolerance(**shares: str | None) -> dict[str, float] | None:
    """What a person typed, as shares of one; None where nothing was given.

    Raises:
        BadInput: that is no share.
    """
    given = {name: text for name, text in shares.items() if text is not None}
    try:
        return {name: TypeAdapter(Share).validate_python(text) for name, text in given.items()} or None
    except ValidationError as error:
        raise BadInput(f"{'; '.join(str(one['msg']) for one in error.errors())}", {"given": given}) from None
