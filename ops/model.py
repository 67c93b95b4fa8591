"""The words that every folder shares: identities, states, and the facts that cross a border.

Plain frozen dataclasses and newtypes; no I/O, no validation of what a person wrote (that is the spec's work).
Times are aware UTC datetimes, taken from the database's clock wherever they decide anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

RunId = NewType("RunId", UUID)
LeaseToken = NewType("LeaseToken", int)
Fingerprint = NewType("Fingerprint", str)


class RunStatus(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        return self in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED)


class PhaseStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELED = "canceled"


class PhaseKind(StrEnum):
    INGEST = "ingest"
    VALIDATE = "validate"
    TRANSFORM = "transform"
    PUBLISH = "publish"
    QUERY = "query"


class EventType(StrEnum):
    RUN_CREATED = "RUN_CREATED"
    RUN_CLAIMED = "RUN_CLAIMED"
    RUN_STARTED = "RUN_STARTED"
    PHASE_STARTED = "PHASE_STARTED"
    PHASE_PROGRESS = "PHASE_PROGRESS"
    PHASE_SUCCEEDED = "PHASE_SUCCEEDED"
    PHASE_FAILED = "PHASE_FAILED"
    PHASE_SKIPPED = "PHASE_SKIPPED"
    LEASE_RENEWED = "LEASE_RENEWED"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    RUN_REQUEUED = "RUN_REQUEUED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    RUN_SUCCEEDED = "RUN_SUCCEEDED"
    RUN_FAILED = "RUN_FAILED"
    RUN_CANCELED = "RUN_CANCELED"


class Trigger(StrEnum):
    MANUAL = "manual"
    SCHEDULE = "schedule"
    RETRY = "retry"
    REPLAY = "replay"
    BACKFILL = "backfill"
    API = "api"
    QUERY = "query"


@dataclass(frozen=True)
class Scope:
    """Where something lives: org and project by slug, environment by name (dev, stage, prod)."""

    org: str
    project: str
    env: str


@dataclass(frozen=True)
class TableVersion:
    """One Delta version of one table, the unit of pinning.

    Attributes:
        table: ``layer.name``.
        version: the Delta version, from 0.
        fingerprint: content fingerprint of what the pinning run wrote or read; None where it was not computed.
    """

    table: str
    version: int
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True)
class Artifact:
    """Bytes in the artifact store; content-addressed, so ``uri`` never changes its meaning."""

    name: str
    kind: str
    sha256: str
    byte_size: int
    content_type: str
    uri: str
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetVersion:
    """What a phase left in the lake: registered in ``ops.dataset_versions`` with the phase that made it.

    Attributes:
        table: ``layer.name``.
        version: the Delta version of the commit.
        mode: append, replace, merge, scd2 or partition.
        rows: rows written by the commit.
        total_rows: rows of the table after it.
        byte_size: bytes of the files that the commit added.
        fingerprint: content fingerprint of the rows written, lineage columns left out.
        schema: column name → Delta type, in column order.
        adopted: the commit was found in the table, made by a former owner of the run.
        inputs: the table versions it was made from: the lineage edges.
        stats: of the files that the commit added: their ``rows``, ``nulls`` by column, and the ``newest`` value of each
            column of times.
    """

    table: str
    version: int
    mode: str
    rows: int
    total_rows: int
    byte_size: int
    fingerprint: Fingerprint
    schema: Mapping[str, str]
    adopted: bool = False
    inputs: tuple[TableVersion, ...] = ()
    stats: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PhaseResult:
    """What a handler returns; everything in it ends up in ``ops.run_phases``.

    Attributes:
        rows_in: rows read, None where it has no meaning.
        rows_out: rows written or published.
        byte_size: bytes written.
        output_fingerprint: fingerprint over everything the phase produced; equal inputs give equal values.
        metrics: JSON-ready numbers and check results.
        datasets: lake commits, in the order they were made.
        artifacts: artifacts, stored already; the executor registers them under the fence.
        column_lineage: of tables among ``datasets``, what their columns were made from; JSON-ready
            (see :class:`pipelines.column_lineage.ColumnLineage`).
    """

    rows_in: int | None = None
    rows_out: int | None = None
    byte_size: int | None = None
    output_fingerprint: Fingerprint | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    datasets: tuple[DatasetVersion, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    column_lineage: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PhaseState:
    """One row of ``ops.run_phases`` as a claim returns it.

    Attributes:
        effect_of: the run by which what the phase does to the lake is known; None: as the run says.
        kept: whoever made the run said that the phase stands as an earlier run left it.
    """

    ordinal: int
    name: str
    kind: str
    depends_on: tuple[str, ...]
    status: PhaseStatus
    attempt: int
    input_fingerprint: Fingerprint | None
    output_fingerprint: Fingerprint | None
    result: Mapping[str, object]
    effect_of: RunId | None = None
    kept: bool = False


@dataclass(frozen=True)
class ClaimedRun:
    """A run and the lease on it.

    Attributes:
        lease_token: the fencing token, larger than that of every earlier owner of any run.
        expires_at: end of the lease by the database's clock.
        spec: the immutable spec as it was stored.
        params: typed parameters, defaults applied.
        input_manifest: pinned inputs, empty until the first owner pins them.
        timeout_seconds: for the whole run, from its first start and over all its owners and attempts; None for no limit.
        elapsed_seconds: since that first start by the database's clock; None where this owner is the first to start it.
        root_run: the run that this one retries, or the one that that one retried, …; itself where it is no retry. What it
            commits to the lake is known by it.
    """

    run_id: RunId
    lease_token: LeaseToken
    expires_at: datetime
    scope: Scope
    pipeline: str
    pipeline_version: int
    spec: Mapping[str, object]
    spec_sha256: str
    git_sha: str
    params: Mapping[str, object]
    input_manifest: Mapping[str, object]
    attempt: int
    max_attempts: int
    timeout_seconds: float | None
    elapsed_seconds: float | None
    root_run: RunId
    phases: tuple[PhaseState, ...]

    def effect_of(self, phase: str) -> RunId:
        """The run by which what a phase does to the lake is known."""
        return next((one.effect_of for one in self.phases if one.name == phase and one.effect_of), self.root_run)


@dataclass(frozen=True)
class LeaseState:
    """A heartbeat's answer for one run.

    ``held`` is False where the lease is gone: the owner must stop at once. ``cancel_requested`` asks it to stop, and so does
    ``cap_exceeded``, which says in words which cap is used up.
    """

    run_id: RunId
    held: bool
    expires_at: datetime | None
    cancel_requested: bool
    cap_exceeded: str | None = None


@dataclass(frozen=True)
class NewPhase:
    """One phase of a run to create; phases stand in the order in which they are listed."""

    name: str
    kind: str
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefreshAsked:
    """What is to be built anew: a registered or new definition, as for :meth:`ops.rpc.Rpc.create_run`."""

    pipeline: str
    spec: Mapping[str, object]
    spec_sha256: str
    git_sha: str
    params: Mapping[str, object]
    phases: Sequence[NewPhase]
    max_attempts: int
    timeout_seconds: float | None


@dataclass(frozen=True)
class NewEvent:
    """An event to append. ``event_id`` makes a repeat harmless; ``level`` is debug, info, warning or error."""

    event_id: UUID
    type: EventType
    phase: str | None = None
    level: str = "info"
    message: str = ""
    data: Mapping[str, object] | None = None


@dataclass(frozen=True)
class ChainCheck:
    """Whether a run's event chain is whole; ``first_bad_seq`` names the first event that is not what was written."""

    ok: bool
    events: int
    first_bad_seq: int | None
