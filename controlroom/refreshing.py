"""From a spec to a refresh, and a comparison as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def lines(comparisons: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """One line a difference: table, what, before, after."""
    found: list[dict[str, object]] = []
    for one in comparisons:
        table = one["table"]
        found.append({"table": table, "what": "version", "before": one["former"], "after": one["version"]})
        found += [{"table": table, **line} for line in _of_one(one)]
    return found


def _of_one(one: Mapping[str, object]) -> list[dict[str, object]]:
    match one:
        case {"rows": dict(rows), "columns": dict(columns), "changed": list(changed), "sums": dict(sums), "keys": keys}:
            lines: list[dict[str, object]] = [{"what": "rows", "before": rows["before"], "after": rows["after"]}]
            lines += [
                {"what": f"{kind} columns", "after": ", ".join(names)} for kind, names in columns.items() if names
            ]
            lines.append({"what": "changed columns", "after": ", ".join(changed) or "none"})
            lines += [
                {"what": f"sum {name}", "before": each["before"], "after": each["after"]}
                for name, each in sums.items()
                if each["before"] != each["after"]
            ]
            if isinstance(keys, dict):
                lines += [{"what": f"rows {name.replace('_', ' ')}", "after": keys[name]} for name in keys]
            return lines
    return []
