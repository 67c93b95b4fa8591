"""What an environment would run of a pipeline: what is registered and promoted, or a spec that lies on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dashboard.data.source import asking, settings
from dashboard.data.specs import spec_of
from ops.errors import NotFound
from ops.pipeline_reads import PipelineDetail, Pipelines
from pipelines.catalogue import git_sha, spec_path, specs
from pipelines.spec import Pipeline, spec_sha256


@dataclass(frozen=True)
class Definition:
    """A spec, its hash and its commit, which is asked for when a run is started: git takes its time. ``said`` names it."""

    spec: Pipeline
    sha256: str
    git_sha: Callable[[], str]
    said: str


def promoted_in(newest: PipelineDetail, env: str) -> PipelineDetail | None:
    """What the environment runs: dev the newest version, the others what is promoted there; None where nothing is."""
    if env == "dev":
        return newest
    with asking() as connection:
        reading = Pipelines(connection)
        promoted = reading.promoted(newest.project_id, newest.slug).get(env)
        return reading.one(newest.org, newest.project, newest.slug, promoted.version) if promoted else None


def definition(place: str, slug: str, env: str) -> Definition | None:
    """What a run in the environment is started with; None where the environment runs no version of it yet.

    In dev a spec on this machine wins over what is registered, as on the command line: its run registers it.

    Args:
        place: org/project.

    Raises:
        NotFound: there is no such pipeline that the person may see.
        SpecInvalid: with every fault of it.
    """
    here = place == home() and slug in specs()
    if here and env == "dev":
        spec = spec_of(slug)
        return Definition(
            spec, spec_sha256(spec), partial(git_sha, spec_path(slug).parent), "as its file on this machine is now"
        )
    org, _, project = place.partition("/")
    try:
        with asking() as connection:
            newest = Pipelines(connection).one(org, project, slug)
    except NotFound:
        if here:
            return None
        raise
    found = promoted_in(newest, env)
    if found is None:
        return None
    return Definition(
        Pipeline.from_json(found.spec), found.sha256, partial(str, found.git_sha), f"version {found.version}"
    )


def home() -> str:
    """The project that specs on this machine are started in."""
    return f"{settings().org}/{settings().project}"
