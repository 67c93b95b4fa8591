"""From a spec to a queued run: which file, which code, which parameters."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pipelines
from controlroom.session import Session
from ops.errors import NotFound
from ops.model import NewPhase, RunId, Trigger
from pipelines.params import bound
from pipelines.spec import Pipeline, spec_sha256
from pipelines.spec_source import load

REFERENCE = Path(pipelines.__file__).parent / "reference"
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        pipeline: the name of a spec, or the path of one.
        params: texts by name; the spec says their types.
        key: idempotency key: the same key and content give the same run.
    """

    pipeline: str
    params: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None
    key: str | None = None
    priority: int = 100


def submit(session: Session, request: Request) -> RunId:
    """Queues a run.

    Raises:
        NotFound: no such spec.
        SpecInvalid, BadInput: the spec or the parameters are refused, with every fault.
        Conflict: the key exists with other content.
    """
    path = spec_path(request.pipeline)
    pipeline = load(path)
    return session.rpc.create_run(
        session.project_id(),
        request.env or session.settings.env,
        pipeline.pipeline,
        pipeline.to_json(),
        spec_sha256(pipeline),
        git_sha(path.parent),
        new_phases(pipeline),
        params=bound(pipeline, request.params),
        idempotency_key=request.key,
        priority=request.priority,
        trigger=Trigger.MANUAL,
        max_attempts=pipeline.max_attempts,
        timeout_seconds=pipeline.timeout,
    )


def new_phases(pipeline: Pipeline) -> list[NewPhase]:
    """The run's phases as ``create_run`` takes them."""
    return [NewPhase(phase.name, str(phase.kind), tuple(phase.depends_on)) for phase in pipeline.phases]


def specs() -> dict[str, Path]:
    """Specs that a name reaches: ``*.yaml`` in ``./pipelines`` win over those that ship with us."""
    folders = (REFERENCE, Path("pipelines"))
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.y*ml")) if path.is_file()}


def spec_path(pipeline: str) -> Path:
    """The file of a spec's name or path.

    Raises:
        NotFound: there is none; the nearest name is said.
    """
    if pipeline.endswith(SUFFIXES) or "/" in pipeline:
        return Path(pipeline)
    known = specs()
    if pipeline not in known:
        close = difflib.get_close_matches(pipeline, list(known), n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
        raise NotFound(f"no pipeline is called {pipeline}; {hint}", {"pipeline": pipeline})
    return known[pipeline]


def git_sha(folder: Path) -> str:
    """The commit that ``folder`` is at, with ``-dirty`` where tracked files differ; ``unversioned`` outside git."""

    def git(*arguments: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", "-C", str(folder.absolute()), *arguments],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return answer.stdout.strip() if answer.returncode == 0 else None

    head = git("rev-parse", "HEAD")
    if not head:
        return "unversioned"
    return f"{head}-dirty" if git("status", "--porcelain", "--untracked-files=no") else head
