"""Specs that a name reaches, and what a run takes from one: its phases and the commit that it came from."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pipelines
from ops.errors import NotFound
from ops.model import NewPhase
from pipelines.spec import Pipeline

REFERENCE = Path(pipelines.__file__).parent / "reference"
SUFFIXES = (".yaml", ".yml", ".json")


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
