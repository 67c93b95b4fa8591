"""One phase as a message: everything that a process needs to carry it out, wherever it is.

The work crosses to a child process or a Ray task and comes back as a result or one of our errors. The lease token travels
with it: whatever the phase makes visible passes the fence under that token.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
from pydantic import TypeAdapter

from compute.answers import KnownAnswers
from compute.discretion import DiscreetArtifacts, discreet, discreet_streams
from compute.native_output import NativeOutput
from compute.phase_log import CONTENT_TYPE, KIND, PhaseLog, collected, forget
from compute.tracing import TracedFence, phase_span
from ops.artifacts import ArtifactStore
from ops.errors import ControlRoomError, PhaseFailed
from ops.fence import DatabaseFence, connector
from ops.model import Artifact, LeaseToken, PhaseResult, RunId, Scope, TableVersion
from ops.secrets import SecretStore
from ops.settings import Settings
from pipelines.handler import ALL_SHOWN, Context, Fence, QueryRights
from pipelines.lake import Lake
from pipelines.partition import Partition
from pipelines.refresh import COMPARE, ComparePhase
from pipelines.registry import handler_for
from pipelines.sandbox.limits import DEFAULT_LIMITS, QueryLimits
from pipelines.sandbox.servers.address import DEFAULT_SERVERS, POSTGRES, TRINO
from pipelines.spec import Phase

log = structlog.get_logger()
PROGRESS_SECONDS = 0.5
_PHASE: TypeAdapter[Phase] = TypeAdapter(Phase)


@dataclass(frozen=True)
class Places:
    """Where the work finds its things; the same on every machine of a fleet.

    Attributes:
        database_url: of the ops schema.
        lake_url, artifacts_url: a directory or an ``s3://`` URL.
        storage_options: of both, by their environment names.
        home: whose ``secrets/`` holds the files of ``secret://file/…``.
        sql_limits: what SQL of people may use.
        sql_servers: engine → reference of its server's address, with placeholders for the scope.
    """

    database_url: str
    lake_url: str
    artifacts_url: str
    storage_options: Mapping[str, str]
    home: Path
    sql_limits: QueryLimits = DEFAULT_LIMITS
    sql_servers: Mapping[str, str] = field(default_factory=lambda: DEFAULT_SERVERS)

    @classmethod
    def of(cls, settings: Settings, database_url: str) -> Places:
        limits = QueryLimits(settings.sql_memory_mb, settings.sql_seconds, settings.sql_rows, settings.sql_result_mb)
        servers = {POSTGRES: settings.sql_postgres, TRINO: settings.sql_trino}
        return cls(
            database_url, settings.lake, settings.artifacts, settings.storage_options, settings.home, limits, servers
        )

    def lake(self, scope: Scope) -> Lake:
        return Lake(self.lake_url, scope, self.storage_options)


@dataclass(frozen=True)
class PhaseWork:
    """A phase of an owned run.

    Attributes:
        phase: the spec of the phase, as JSON.
        inputs: pinned versions by table.
        executor: name of the owner, for the logs.
        traceparent: of the owner's span; None where nobody traces.
        partition: what the pipeline says of its partitions.
        rights: of a query phase.
    """

    run_id: RunId
    lease_token: LeaseToken
    scope: Scope
    pipeline: str
    git_sha: str
    root_run: RunId
    attempt: int
    params: Mapping[str, object]
    phase: Mapping[str, object]
    inputs: Mapping[str, TableVersion]
    places: Places
    executor: str
    traceparent: str | None = None
    partition: Partition | None = None
    rights: QueryRights = ALL_SHOWN

    @property
    def name(self) -> str:
        return str(self.phase["name"])

    @property
    def scratch_prefix(self) -> str:
        """How the names of this try's scratch directories begin."""
        return f"phase-{self.run_id}-{self.name}-{self.lease_token}-{self.attempt}-"

    @property
    def log_folder(self) -> Path:
        """Where what this try says is kept while it runs; begins like its scratch."""
        return Path(tempfile.gettempdir()) / f"{self.scratch_prefix}log"

    def clear_scratch(self) -> None:
        """Removes what a try left on this machine when it was killed; one that ends by itself leaves nothing."""
        for folder in Path(tempfile.gettempdir()).glob(f"{self.scratch_prefix}*"):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Report:
    """Progress of a phase, on its way to the owner."""

    done: float
    total: float | None
    message: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Begun:
    """Somebody has taken the phase up: it waits for no free process any more."""


@dataclass(frozen=True)
class Logged:
    """What the phase said is stored; the owner registers it, however the phase ends."""

    artifact: Artifact


class Reporter:
    """Passes progress on, at most once every half second; the last report is never lost."""

    def __init__(self, send: Callable[[Report], None], every_seconds: float = PROGRESS_SECONDS) -> None:
        self._send, self._every = send, every_seconds
        self._last = 0.0
        self._held: Report | None = None

    def __call__(self, done: float, total: float | None = None, message: str = "", **facts: object) -> None:
        self._held = Report(done, total, message, facts)
        if time.monotonic() - self._last >= self._every:
            self.flush()

    def flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._last = time.monotonic()
            self._send(held)


def carry_out(
    work: PhaseWork, send: Callable[[Begun | Report | Logged], None], native: NativeOutput | None = None
) -> PhaseResult:
    """Runs the handler of a phase in this process.

    Args:
        send: takes what is to be told on the way: that the phase has begun, its reports, at last what it said.
        native: where native code of this process writes, if that is caught.

    Raises:
        ControlRoomError: whatever went wrong, with resolved secrets taken out; a handler's own exception becomes
            PhaseFailed with its type, message and traceback.
    """
    # Before anything else, so that everything that may take long is inside the phase's timeout.
    send(Begun())
    fence = DatabaseFence(connector(work.places.database_url), work.run_id, work.lease_token, work.name)
    secrets = SecretStore(work.places.home, allowed=fence.secrets)
    bound = {
        "run": str(work.run_id),
        "phase": work.name,
        "executor": work.executor,
        "lease_token": int(work.lease_token),
    }
    try:
        with (
            structlog.contextvars.bound_contextvars(**bound),
            discreet_streams(secrets, PhaseLog(work.log_folder), native),
        ):
            return _told(work, fence, secrets, send)
    finally:
        if (said := stored_log(work)) is not None:
            send(Logged(said))


def stored_log(work: PhaseWork) -> Artifact | None:
    """Stores what a try said, on the machine where it ran, and removes it there; None where it said nothing."""
    try:
        if (said := collected(work.log_folder)) is None:
            return None
        store = ArtifactStore(work.places.artifacts_url, work.places.storage_options)
        return store.put_bytes(f"log.{work.attempt}.ndjson", KIND, said, CONTENT_TYPE, {"attempt": work.attempt})
    except (ControlRoomError, OSError) as error:
        # The phase's own outcome stands, said or unsaid.
        log.warning("the log of a phase was not kept", run=str(work.run_id), phase=work.name, error=str(error))
        return None
    finally:
        forget(work.log_folder)


def _told(work: PhaseWork, fence: DatabaseFence, secrets: SecretStore, send: Callable[[Report], None]) -> PhaseResult:
    try:
        with phase_span(work) as span:
            traced = fence if work.traceparent is None else TracedFence(fence, span)
            result = _handled(work, traced, secrets, Reporter(_discreetly(send, secrets)))
        return replace(result, metrics=discreet(result.metrics, secrets))
    except ControlRoomError as error:
        log.error("phase failed", code=error.code, error=error.message)
        raise type(error)(secrets.redact(error.message), discreet(error.data, secrets)) from None
    except Exception as error:
        said = secrets.redact(f"{type(error).__name__}: {error}")
        trace = secrets.redact("".join(traceback.format_exception(error)))
        log.error("phase failed", error=said, traceback=trace[-8000:])
        raise PhaseFailed(said, {"type": type(error).__name__, "traceback": trace[-8000:]}) from None
    finally:
        fence.close()


def _discreetly(send: Callable[[Report], None], secrets: SecretStore) -> Callable[[Report], None]:
    def redacted(report: Report) -> None:
        send(replace(report, message=secrets.redact(report.message), facts=discreet(report.facts, secrets)))

    return redacted


def _handled(work: PhaseWork, fence: Fence, secrets: SecretStore, report: Reporter) -> PhaseResult:
    derived = work.phase["kind"] == COMPARE
    phase = ComparePhase.model_validate(work.phase) if derived else _PHASE.validate_python(work.phase)
    places = work.places
    with tempfile.TemporaryDirectory(prefix=work.scratch_prefix) as scratch:
        ctx = Context(
            run_id=work.run_id,
            root_run=work.root_run,
            lease_token=work.lease_token,
            scope=work.scope,
            pipeline=work.pipeline,
            git_sha=work.git_sha,
            attempt=work.attempt,
            params=work.params,
            inputs=work.inputs,
            lake=places.lake(work.scope),
            artifacts=DiscreetArtifacts(ArtifactStore(places.artifacts_url, places.storage_options), secrets),
            fence=fence,
            secrets=secrets,
            progress=report,
            scratch=Path(scratch),
            sql_limits=places.sql_limits,
            sql_servers=places.sql_servers,
            partition=work.partition,
            rights=work.rights,
            answers=KnownAnswers(work, places) if work.rights.question else None,
        )
        try:
            return handler_for(phase.kind)(ctx, phase)
        finally:
            report.flush()
