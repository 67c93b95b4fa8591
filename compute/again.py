"""A finished run's work done again from its pinned inputs: does it give the same fingerprints?

Each phase is carried out anew on the table versions that it read then. What it would commit goes into a lake that is thrown
away; by induction it is enough that every phase is right on the recorded inputs. Nothing of the control room is changed:

- transform, validate, query: re-executed, output fingerprints compared;
- query of a server: not asked again, for a server keeps no versions; its artifacts are all that is looked at;
- kinds of third parties: not carried out again, for what they do beside the lake nobody here can keep aside;
- ingest: its source has moved on, so the rows that the run landed in bronze are fingerprinted again;
- publish: the table version that was published is fingerprinted again, nothing is published;
- every artifact's bytes are hashed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from compute import inputs
from compute.outcome import tables_of
from ops.artifacts import ArtifactStore
from ops.errors import ControlRoomError, IllegalTransition, NotFound
from ops.fence import connector
from ops.model import DatasetVersion, Fingerprint, LeaseToken, RunId, Scope, TableVersion
from ops.rpc import Rpc
from ops.verification import Left, LeftArtifact, LeftPhase, Verifications
from pipelines.derived import of_run
from pipelines.fingerprint import combined, fingerprint
from pipelines.handler import Context, QueryRights, Secrets
from pipelines.kinds import third_party
from pipelines.lake import Lake, owner_of
from pipelines.refresh import beside
from pipelines.registry import handler_for
from pipelines.sandbox.job import EMBEDDED
from pipelines.spec import IngestPhase, Phase, Pipeline, PublishPhase, QueryPhase
from pipelines.staging import Staging
from pipelines.verification import Finding

if TYPE_CHECKING:
    from compute.phase_work import PhaseWork, Places


def of_lease(work: PhaseWork, secrets: Secrets, scratch: Path) -> Again:
    """What the run is about that verifies another.

    Raises:
        IllegalTransition: it verifies none.
        LeaseLost: it is somebody else's by now.
        NotAllowed: another project's table that the run read is not shared any more.
    """
    places = work.places
    with connector(places.database_url)() as connection:
        left = Verifications(connection).left(work.run_id, work.lease_token)
        if left is None:
            raise IllegalTransition(
                f"run {work.run_id} verifies no other run; a verification is made by ops.verify_run"
            )
        again = Again(left, places, secrets, scratch)
        for table in inputs.anothers(again.pipeline):
            if anothers := owner_of(table):
                Rpc(connection).shared_dataset(work.run_id, work.lease_token, *anothers)
    return again


class Again:
    """Implements ``pipelines.verification.Verification``: carries the phases of a run out again, each on what it read then.

    Attributes:
        pipeline: what the run carried out.
    """

    def __init__(self, left: Left, places: Places, secrets: Secrets, scratch: Path) -> None:
        self._left, self._places, self._secrets, self._scratch = left, places, secrets, scratch
        self._lake = places.lake(left.scope)
        self._available = inputs.pinned(left.input_manifest)
        self._partition = Pipeline.from_json(left.spec).partition
        derived = of_run(left.spec, [phase.kind for phase in left.phases])
        self.pipeline = beside(derived, left.input_manifest.get("former"))

    @property
    def run_id(self) -> RunId:
        return self._left.run_id

    @property
    def total(self) -> int:
        return len(self._left.phases) + len(self._left.artifacts)

    def findings(self) -> Iterator[Finding]:
        for was in self._left.phases:
            yield self._phase(self.pipeline.phase(was.name), was)
        store = ArtifactStore(self._places.artifacts_url, self._places.storage_options)
        for artifact in self._left.artifacts:
            yield _artifact(store, artifact)

    def _phase(self, phase: Phase, was: LeftPhase) -> Finding:
        # By the phase's own answer and not by who registered the commit: what a retry skips was made by another run.
        what, expected, left = f"phase {phase.name}", str(was.output_fingerprint), tables_of(was.result)
        if why := _not_again(phase):
            self._available.update(left)
            return Finding(what, True, expected, why)
        try:
            seen = self._fingerprint(phase, was, left)
        except ControlRoomError as error:
            return Finding(what, False, expected, f"{error.code}: {error.message}")
        finally:
            self._available.update(left)
        return Finding(what, seen == was.output_fingerprint, expected, str(seen))

    def _fingerprint(self, phase: Phase, was: LeftPhase, left: Mapping[str, TableVersion]) -> Fingerprint | None:
        if missing := sorted(set(phase.reads) - set(self._available)):
            raise NotFound(
                f"which version of {', '.join(missing)} phase {phase.name} read is not written down; its inputs cannot be "
                "found again"
            )
        if isinstance(phase, IngestPhase):
            return combined({one.table: self._landed(one, was.effect_of) for one in left.values()})
        if isinstance(phase, PublishPhase):
            one = self._available[phase.table]
            return fingerprint(self._lake.scan(one.table, one.version)).root
        return handler_for(phase.kind)(self._context(phase, was), phase).output_fingerprint

    def _landed(self, one: TableVersion, landed_by: RunId) -> Fingerprint:
        rows = self._lake.scan(one.table, one.version).filter(pl.col("_run_id") == str(landed_by))
        return fingerprint(rows).root

    def _context(self, phase: Phase, was: LeftPhase) -> Context:
        left, scratch = self._left, self._scratch / phase.name
        scratch.mkdir()
        return Context(
            run_id=left.run_id,
            lease_token=LeaseToken(0),
            scope=left.scope,
            pipeline=left.pipeline,
            git_sha=left.git_sha,
            attempt=1,
            params=left.params,
            inputs=inputs.inputs_of(phase, self._available),
            lake=_ShadowLake(self._places, left.scope, scratch / "lake"),
            artifacts=ArtifactStore(scratch / "artifacts"),
            fence=_NoFence(),
            secrets=self._secrets,
            progress=lambda *_, **__: None,
            scratch=scratch,
            sql_limits=self._places.sql_limits,
            partition=self._partition,
            rights=QueryRights(_masked(was), shown=False),
        )


def _not_again(phase: Phase) -> str:
    """Why a phase is not carried out again; empty where it is."""
    if isinstance(phase, QueryPhase) and phase.engine != EMBEDDED:
        return f"{phase.engine} keeps no versions: not asked again"
    if phase.kind in third_party():
        return f"what else kind {phase.kind} does cannot be kept aside: not carried out again"
    return ""


def _masked(was: LeftPhase) -> dict[str, list[str]]:
    """Columns that the query read as null then."""
    metrics = was.result.get("metrics")
    masked = metrics.get("masked") if isinstance(metrics, Mapping) else None
    return dict(masked) if isinstance(masked, Mapping) else {}


def _artifact(store: ArtifactStore, artifact: LeftArtifact) -> Finding:
    what, expected = f"artifact {artifact.name}", artifact.sha256
    try:
        store.verify(artifact.uri, expected)
    except ControlRoomError as error:
        return Finding(what, False, expected, error.message)
    return Finding(what, True, expected, expected)


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
