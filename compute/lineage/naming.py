"""How things of ours are named in OpenLineage, by its naming conventions.

A table is what lies in the lake: namespace ``s3://BUCKET`` and the key of its directory, or namespace ``file`` and its
absolute path. A job is a pipeline, or a phase as ``pipeline.phase``, in the namespace ``org/project/env``. A run has its own
id; each try at a phase is a run of the phase's job, with an id that follows from the run's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from ops.model import RunId, Scope

_ANOTHERS = re.compile(r"([^/:]+)/([^/:]+):(.+)")


@dataclass(frozen=True)
class Place:
    """Where the tables of a scope lie.

    Args:
        lake: an absolute directory or ``s3://bucket/prefix``, as in the settings.
    """

    lake: str
    scope: Scope

    @property
    def namespace(self) -> str:
        """Of the tables."""
        parts = urlsplit(self.lake)
        return f"s3://{parts.netloc}" if parts.scheme in ("s3", "s3a") else "file"

    def name(self, table: str) -> str:
        """Of a table of the scope, or of another project's as ``org/project:layer.name``."""
        scope, own = self.owner(table)
        layer, _, name = own.partition(".")
        parts = urlsplit(self.lake)
        root = parts.path.strip("/") if parts.scheme in ("s3", "s3a") else self.lake.removeprefix("file://").rstrip("/")
        return "/".join(each for each in (root, scope.org, scope.project, scope.env, layer, name) if each)

    def owner(self, table: str) -> tuple[Scope, str]:
        """The scope that a table belongs to, and its name there."""
        if found := _ANOTHERS.fullmatch(table):
            return Scope(found[1], found[2], self.scope.env), found[3]
        return self.scope, table


def namespace_of(scope: Scope) -> str:
    """Of the jobs of a scope."""
    return f"{scope.org}/{scope.project}/{scope.env}"


def phase_run_id(run_id: RunId, phase: str, attempt: int) -> UUID:
    """Of one try at a phase: the same whoever computes it, whenever."""
    return uuid5(run_id, f"{phase}/{attempt}")
