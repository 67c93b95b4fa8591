"""A bench for handlers: a lake and artifacts on disk, a fence and a target database on real Postgres, no executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from ops.artifacts import ArtifactStore
from ops.model import PhaseResult, Scope, TableVersion
from ops.secrets import SecretStore
from pipelines.handler import Context
from pipelines.lake import CommitRef, Lake, Mode
from pipelines.registry import handler_for
from pipelines.spec import Phase, Pipeline
from tests.pipelines.fences import Owner, Runs


@dataclass
class Bench:
    url: str
    home: Path
    lake: Lake
    runs: Runs
    artifacts: ArtifactStore
    attempts: list[Path] = field(default_factory=list)

    def put(self, table: str, rows: pl.DataFrame | Mapping[str, object], mode: Mode = "replace") -> None:
        """A new version of a table, as some other run would have made it."""
        owner = self.runs.claim()
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
        self.lake.commit(owner, CommitRef(owner.run_id, owner.token, "put"), table, frame, mode)

    def context(self, phase: Phase, params: Mapping[str, object] | None = None, owner: Owner | None = None) -> Context:
        owner = owner or self.runs.claim()
        pins = {table: self.lake.version(table) for table in phase.reads}
        inputs = {table: TableVersion(table, version, None) for table, version in pins.items() if version is not None}
        scratch = self.home / f"scratch{len(self.attempts)}"
        scratch.mkdir()
        self.attempts.append(scratch)
        return Context(
            owner.run_id, owner.token, self.lake.scope, "bench", "0" * 40, 1, params or {}, inputs, self.lake,
            self.artifacts, owner, SecretStore(self.home), lambda *args, **facts: None, scratch,
        )  # fmt: skip

    def run(self, document: Mapping[str, object], owner: Owner | None = None, **params: object) -> PhaseResult:
        """Carries out one phase of a spec."""
        phase = one_phase(document)
        return handler_for(phase.kind)(self.context(phase, params, owner), phase)

    def secret(self, name: str, value: str) -> str:
        """Stores a value; the reference to it."""
        (self.home / "secrets").mkdir(exist_ok=True)
        (self.home / "secrets" / name).write_text(value)
        return f"secret://file/{name}"

    def visible(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Table → version and files, for every table that anybody can see."""
        root = Path(self.lake.root)
        found = sorted(path.parent.relative_to(root) for path in root.rglob("_delta_log"))
        tables = [self.lake.handle(str(path).replace("/", ".")) for path in found]
        return {
            str(path): (handle.version(), tuple(sorted(handle.file_uris())))
            for path, handle in zip(found, tables, strict=True)
        }


def one_phase(document: Mapping[str, object]) -> Phase:
    spec = {"version": 1, "pipeline": "bench", "owner": "@tests", "phases": [{"name": "phase", **document}]}
    return Pipeline.from_json(spec).phases[0]


@pytest.fixture
def bench(empty_database: str, tmp_path: Path) -> Bench:
    lake = Lake(str(tmp_path / "lake"), Scope("acme", "demo", "dev"))
    return Bench(empty_database, tmp_path, lake, Runs(empty_database), ArtifactStore(tmp_path / "artifacts"))
