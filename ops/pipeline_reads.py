"""Pipelines as people look at them: their versions, their latest runs, what is promoted where and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ops.calls import Calls
from ops.errors import NotFound
from ops.model import RunId, RunStatus

Json = Mapping[str, Any]


@dataclass(frozen=True)
class PastRun:
    """A run in a line of them; ``seconds`` is None while it has not ended, or where it never began."""

    run_id: RunId
    env: str
    status: RunStatus
    created_at: datetime
    seconds: float | None
    version: int | None = None


@dataclass(frozen=True)
class ScoredRun:
    """A run with its score and, for each signal, the ``points`` that it gave of those ``possible``."""

    run_id: RunId
    env: str
    status: RunStatus
    created_at: datetime
    score: float
    sentence: str
    breakdown: Sequence[Json]


@dataclass(frozen=True)
class PipelineName:
    org: str
    project: str
    slug: str


@dataclass(frozen=True)
class PipelineSummary:
    """A pipeline at its newest version.

    Attributes:
        schedule: as its spec has it; empty where it has none.
        promoted: environment → the version that it runs.
        recent: the last 20 runs, newest first.
        latest: of each environment the last run, among the last hundred.
    """

    org: str
    project: str
    slug: str
    version: int
    owner: str
    description: str
    schedule: Json
    created_at: datetime
    promoted: Mapping[str, int]
    recent: Sequence[PastRun]
    latest: Sequence[PastRun]


@dataclass(frozen=True)
class PipelineDetail:
    org: str
    project: str
    project_id: UUID
    slug: str
    version: int
    spec: Json
    sha256: str
    git_sha: str
    created_at: datetime


@dataclass(frozen=True)
class PipelineVersion:
    version: int
    sha256: str
    git_sha: str
    created_at: datetime


@dataclass(frozen=True)
class Promotion:
    """``evidence_run`` is the run of the environment below that earned it; ``subject`` is None for the installation."""

    env: str
    version: int
    subject: str | None
    note: str
    evidence_run: RunId | None
    promoted_at: datetime


class Pipelines(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "pipelines"

    def page(
        self, text: str = "", within: str | None = None, after: Sequence[str] = ("", "", ""), limit: int = 50
    ) -> list[PipelineSummary]:
        """Pipelines in the order of their names.

        Args:
            text: part of a name.
            within: org/project; None: all that the caller may see.
            after: org, project and name of the last one of the page before.
        """
        org, project, slug = after
        rows = self._rows(
            "pipelines", text=text.lower(), within=within, org=org, project=project, slug=slug, limit=limit
        )
        return [
            PipelineSummary(**{**row, "recent": _past(row["recent"]), "latest": _past(row["latest"])}) for row in rows
        ]

    def names(self, limit: int) -> list[PipelineName]:
        """In their order, of all that the caller may see."""
        return [PipelineName(**row) for row in self._rows("names", limit=limit)]

    def first_scored(self) -> PipelineName | None:
        """In the same order, the first of whose latest runs one was scored."""
        found = self._rows("first_scored")
        return PipelineName(**found[0]) if found else None

    def one(self, org: str, project: str, slug: str, version: int | None = None) -> PipelineDetail:
        """A pipeline at a version; None: its newest one.

        Raises:
            NotFound: there is none that the caller may see.
        """
        found = self._rows("pipeline", org=org, project=project, slug=slug, version=version)
        if not found:
            raise NotFound(
                f"{org}/{project} has no pipeline {slug}, or it is not yours; Pipelines shows those that are"
            )
        return PipelineDetail(**found[0])

    def history(self, project_id: UUID, slug: str, limit: int = 60) -> list[PastRun]:
        """Newest first."""
        rows = self._rows("history", project_id=project_id, slug=slug, limit=limit)
        return [PastRun(**{**row, "status": RunStatus(row["status"])}) for row in rows]

    def scored(self, project_id: UUID, slug: str, limit: int = 60) -> list[ScoredRun]:
        """Of the latest runs those that have a score, newest first."""
        rows = self._rows("scored", project_id=project_id, slug=slug, limit=limit)
        return [ScoredRun(**{**row, "status": RunStatus(row["status"])}) for row in rows]

    def phase_states(self, run_id: RunId) -> dict[str, str]:
        return {row["name"]: row["status"] for row in self._rows("phase_states", run_id=run_id)}

    def versions(self, project_id: UUID, slug: str, limit: int = 50) -> list[PipelineVersion]:
        """Newest first."""
        return [PipelineVersion(**row) for row in self._rows("versions", project_id=project_id, slug=slug, limit=limit)]

    def specs(self, project_id: UUID, slug: str, versions: Sequence[int]) -> dict[int, Json]:
        rows = self._rows("specs", project_id=project_id, slug=slug, versions=list(versions))
        return {row["version"]: row["spec"] for row in rows}

    def promotions(self, project_id: UUID, slug: str, limit: int = 20) -> list[Promotion]:
        """Newest first."""
        return [Promotion(**row) for row in self._rows("promotions", project_id=project_id, slug=slug, limit=limit)]

    def promoted(self, project_id: UUID, slug: str) -> dict[str, Promotion]:
        """What stage and prod run now."""
        return {row["env"]: Promotion(**row) for row in self._rows("promoted", project_id=project_id, slug=slug)}

    def my_envs(self, project_id: UUID, role: str) -> tuple[str, ...]:
        """Environments of the project in which the caller has at least that role; for a person's connection."""
        return tuple(row["env"] for row in self._rows("my_envs", project_id=project_id, role=role))


def _past(runs: Sequence[Json]) -> tuple[PastRun, ...]:
    return tuple(
        PastRun(
            RunId(UUID(run["run_id"])),
            run["env"],
            RunStatus(run["status"]),
            datetime.fromisoformat(run["created_at"]),
            run["seconds"],
        )
        for run in runs
    )
