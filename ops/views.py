"""Rows that people look at, as :mod:`ops.reads` gives them: the CLI prints them, the dashboard draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ops.model import EventType, PhaseStatus, RunId, RunStatus, TableVersion

Json = Mapping[str, object]


@dataclass(frozen=True)
class RunRow:
    """A line of a list of runs. ``phase`` is where it is or was."""

    run_id: RunId
    org: str
    project: str
    env: str
    pipeline: str
    pipeline_version: int
    status: RunStatus
    phase: str | None
    priority: int
    attempt: int
    max_attempts: int
    trigger: str
    git_sha: str
    tags: Json
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True)
class RunDetail(RunRow):
    """Everything about one run except its lists. ``executor_id`` is its last owner's; lease fields may be None.

    ``root_run`` is the first run of a line of retries, the run itself where it is none.
    """

    project_id: UUID
    spec: Json
    spec_sha256: str
    params: Json
    input_manifest: Json
    output_manifest: Json
    error_data: Json | None
    parent_run: RunId | None
    idempotency_key: str | None
    available_at: datetime
    timeout_seconds: float | None
    executor_id: UUID | None
    lease_token: int | None
    lease_expires_at: datetime | None
    cancel_requested: bool
    score: Decimal | None
    score_breakdown: object
    root_run: RunId | None = None
    score_sentence: str = ""


@dataclass(frozen=True)
class PhaseRow:
    """A phase of a run; ``progress`` is what its last heartbeat said."""

    ordinal: int
    name: str
    kind: str
    depends_on: tuple[str, ...]
    status: PhaseStatus
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    rows_in: int | None
    rows_out: int | None
    byte_size: int | None
    input_fingerprint: str | None
    output_fingerprint: str | None
    metrics: Json
    progress: Json | None
    error_code: str | None
    error_message: str | None
    error_data: Json | None


@dataclass(frozen=True)
class CheckResult:
    """What came of one rule of a phase. ``on_fail`` and ``checked`` are unknown of runs before rules had their own.

    ``failed`` are rows that break it; ``dropped`` and ``quarantined`` those of them that were left out or put aside.
    """

    phase: str
    rule: str
    on_fail: str | None
    ok: bool
    expected: str
    observed: str
    checked: int | None
    failed: int
    dropped: int
    quarantined: int


@dataclass(frozen=True)
class EventRow:
    """One event; ``seq`` counts without gaps from 1 in each run."""

    seq: int
    ts: datetime
    type: EventType
    phase: str | None
    level: str
    message: str
    data: Json


@dataclass(frozen=True)
class ArtifactRow:
    """A registered artifact; ``uri`` is immutable and its bytes hash to ``sha256``."""

    artifact_id: UUID
    phase: str | None
    name: str
    kind: str
    sha256: str
    byte_size: int
    content_type: str
    uri: str
    meta: Json
    created_at: datetime


@dataclass(frozen=True)
class DatasetRow:
    """A table of the lake at its newest registered version; ``columns`` maps names to Delta types."""

    org: str
    project: str
    env: str
    table: str
    layer: str
    name: str
    version: int
    mode: str
    rows: int
    total_rows: int
    byte_size: int
    fingerprint: str
    columns: Json
    run_id: RunId
    phase: str
    adopted: bool
    recorded_at: datetime


@dataclass(frozen=True)
class DatasetVersionRow:
    """A commit that a run made or adopted; ``inputs`` are the table versions that it was made from."""

    table: str
    version: int
    mode: str
    rows: int
    total_rows: int
    byte_size: int
    fingerprint: str
    columns: Json
    adopted: bool
    phase: str
    recorded_at: datetime
    inputs: tuple[TableVersion, ...]


@dataclass(frozen=True)
class ExecutorRow:
    """An executor's boot; ``runs`` is how many leases it has."""

    executor_id: UUID
    name: str
    capabilities: tuple[str, ...]
    labels: Json
    slots: int
    host: str
    version: str
    state: str
    last_seen: datetime
    runs: int
