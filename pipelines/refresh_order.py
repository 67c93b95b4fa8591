"""What is asked of the database for a full refresh: of a spec, and of what a person typed."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from ops.errors import BadInput
from ops.model import RefreshAsked
from pipelines.catalogue import new_phases
from pipelines.params import bound
from pipelines.refresh import refreshed
from pipelines.spec import Pipeline, spec_sha256
from pipelines.units import Share


def order(spec: Pipeline, git_sha: str, params: Mapping[str, str]) -> RefreshAsked:
    """A refresh of what a pipeline makes.

    Args:
        params: as texts, as people type them.

    Raises:
        BadInput: it cannot be refreshed, or the parameters are refused.
    """
    return RefreshAsked(
        spec.pipeline, spec.to_json(), spec_sha256(spec), git_sha, bound(spec, params),
        new_phases(refreshed(spec)), spec.max_attempts, spec.timeout,
    )  # fmt: skip


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
