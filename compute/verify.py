"""``run verify``: does a finished run's work, done again from its pinned inputs, give the same fingerprints?

Each phase is carried out anew on the table versions that it read then. What it would commit goes into a lake that is thrown
away; by induction it is enough that every phase is right on the recorded inputs. Nothing of the control room is changed:

- transform, validate, query: re-executed, output fingerprints compared;
- query of a server: not asked again, for a server keeps no versions; its artifacts are all that is looked at;
- ingest: its source has moved on, so the rows that the run landed in bronze are fingerprinted again;
- publish: the table version that was published is fingerprinted again, nothing is published;
- every artifact's bytes are hashed again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from compute import inputs
from compute.outcome import tables_of
from compute.phase_work import Places
from ops.artifacts import ArtifactStore
from ops.database import connect, database_url
from ops.errors import ControlRoomError, IllegalTransition, NotFound
from ops.model import DatasetVersion, Fingerprint, LeaseToken, RunId, RunStatus, Scope, TableVersion
from ops.reads import Reads
from ops.secrets import SecretStore
from ops.settings import Settings
from ops.views import Json, RunDetail
from pipelines.fingerprint import combined, fingerprint
from pipelines.handler import Context, QueryRights
from pipelines.lake import Lake
from pipelines.refresh import beside, of_run
from pipelines.registry import handler_for
from pipelines.sandbox.job import EMBEDDED
from pipelines.spec import IngestPhase, Phase, Pipeline, PublishPhase, QueryPhase
from pipelines.staging import Staging


@dataclass(frozen=True)
class Finding:
    """One comparison: a phase's output or an artifact's bytes. ``seen`` is the new value, or why there is none."""

    what: str
    ok: bool
    expected: str
    seen: str


@dataclass(frozen=True)
class VerifyReport:
    """All comparisons of one run."""

    run_id: RunId
    findings: Sequence[Finding]

    @property
    def ok(self) -> bool:
        return bool(self.findings) and all(finding.ok for finding in self.findings)


def verify_run(settings: Settings, run_id: RunId) -> VerifyReport:
    """Verifies a run that succeeded.

    Raises:
        NotFound: no such run.
        IllegalTransition: it has not succeeded.
    """
    url = database_url(settings)
    places = Places.of(settings, url)
    with connect(url, autocommit=True) as connection:
        return _verified(Reads(connection), places, run_id)


def _verified(reads: Reads, places: Places, run_id: RunId) -> VerifyReport:
    run = reads.run(run_id)
    if run.status is not RunStatus.SUCCEEDED:
        raise IllegalTransition(f"run {run_id} is {run.status}; only a run that succeeded can be verified")
    pipeline = beside(of_run(run.spec, [row.kind for row in reads.phases(run_id)]), run.input_manifest.get("former"))
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        again = _Again(run, places, Path(scratch), reads.phase_results(run_id), reads.phase_effects(run_id))
        findings += [again.finding(pipeline.phase(row.name), row.output_fingerprint) for row in reads.phases(run_id)]
    store = ArtifactStore(places.artifacts_url, places.storage_options)
    for artifact in reads.artifacts(run_id):
        try:
            store.verify(artifact.uri, artifact.sha256)
            findings.append(Finding(f"artifact {artifact.name}", True, artifact.sha256, artifact.sha256))
        except ControlRoomError as error:
            findings.append(Finding(f"artifact {artifact.name}", False, artifact.sha256, error.message))
    return VerifyReport(run_id, findings)


class _Again:
    """Carries the phases of one run out again, each on what it read then."""

    def __init__(
        self, run: RunDetail, places: Places, scratch: Path, results: Mapping[str, Json], effects: Mapping[str, RunId]
    ) -> None:
        self._run, self._places, self._scratch, self._results, self._effects = run, places, scratch, results, effects
        self._scope = Scope(run.org, run.project, run.env)
        self._lake = places.lake(self._scope)
        self._available = inputs.pinned(run.input_manifest)
        self._partition = Pipeline.from_json(run.spec).partition

    def finding(self, phase: Phase, expected: str | None) -> Finding:
        # By the phase's own answer and not by who registered the commit: what a retry skips was made by another run.
        left = tables_of(self._results[phase.name])
        if isinstance(phase, QueryPhase) and phase.engine != EMBEDDED:
            return Finding(
                f"phase {phase.name}", True, str(expected), f"{phase.engine} keeps no versions: not asked again"
            )
        try:
            seen = self._fingerprint(phase, left)
        except ControlRoomError as error:
            return Finding(f"phase {phase.name}", False, str(expected), f"{error.code}: {error.message}")
        finally:
            self._available.update(left)
        return Finding(f"phase {phase.name}", seen == expected, str(expected), str(seen))

    def _fingerprint(self, phase: Phase, left: Mapping[str, TableVersion]) -> Fingerprint | None:
        if missing := sorted(set(phase.reads) - set(self._available)):
            raise NotFound(
                f"which version of {', '.join(missing)} phase {phase.name} read is not written down; its inputs cannot be "
                "found again"
            )
        if isinstance(phase, IngestPhase):
            landed_by = self._effects[phase.name]
            return combined({one.table: self._landed(one, landed_by) for one in left.values()})
        if isinstance(phase, PublishPhase):
            one = self._available[phase.table]
            return fingerprint(self._lake.scan(one.table, one.version)).root
        return handler_for(phase.kind)(self._context(phase), phase).output_fingerprint

    def _landed(self, one: TableVersion, landed_by: RunId) -> Fingerprint:
        rows = self._lake.scan(one.table, one.version).filter(pl.col("_run_id") == str(landed_by))
        return fingerprint(rows).root

    def _context(self, phase: Phase) -> Context:
        scratch = self._scratch / phase.name
        scratch.mkdir()
        return Context(
            run_id=self._run.run_id,
            lease_token=LeaseToken(0),
            scope=self._scope,
            pipeline=self._run.pipeline,
            git_sha=self._run.git_sha,
            attempt=1,
            params=self._run.params,
            inputs=inputs.inputs_of(phase, self._available),
            lake=_ShadowLake(self._places, self._scope, scratch / "lake"),
            artifacts=ArtifactStore(scratch / "artifacts"),
            fence=_NoFence(),
            secrets=SecretStore(self._places.home),
            progress=lambda *_, **__: None,
            scratch=scratch,
            sql_limits=self._places.sql_limits,
            partition=self._partition,
            rights=QueryRights(self._masked(phase), shown=False),
        )

    def _masked(self, phase: Phase) -> dict[str, list[str]]:
        """Columns that the query read as null then."""
        metrics = self._results[phase.name].get("metrics")
        masked = metrics.get("masked") if isinstance(metrics, Mapping) else None
        return dict(masked) if isinstance(masked, Mapping) else {}


class _ShadowLake(Lake):
    """Reads the real lake; commits into one of its own, where a merge finds no base: a fingerprint is of the rows written."""

    def __init__(self, places: Places, scope: Scope, root: Path) -> None:
        super().__init__(places.lake_url, scope, places.storage_options)
        self._shadow = Lake(str(root), scope)

    def commit(self, *arguments: Any, **named: Any) -> DatasetVersion:
        return self._shadow.commit(*arguments, **named)

    def staging(self, *arguments: Any, **named: Any) -> Staging:
        return self._shadow.staging(*arguments, **named)

    def committed(self, *arguments: Any) -> DatasetVersion | None:
        """What was done before must not stand for doing it again."""
        return self._shadow.committed(*arguments)


class _NoFence:
    """There is nothing to fence in a lake that is thrown away."""

    @contextmanager
    def hold(self) -> Iterator[_NoFence]:
        yield self

    def build_on(self, _: str) -> int | None:
        return None

    def record(self, dataset: DatasetVersion) -> None:
        pass

    def record_adopted(self, dataset: DatasetVersion) -> None:
        pass
