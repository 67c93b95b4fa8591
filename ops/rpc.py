"""The ops schema's RPCs as typed methods. Only SQL decides; this file carries arguments there and answers back.

Every method may raise what :mod:`ops.translation` knows: LeaseLost, IllegalTransition, CapExceeded, NotFound,
NotAllowed, Conflict and BadInput from the schema, DatabaseUnavailable where no answer came. After the last one the same
call with the same lease token may be repeated: a repeat of something done already is a no-op.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import cast
from uuid import UUID

from ops.calls import Calls
from ops.jsonable import jsonable, jsonb
from ops.model import (
    Artifact,
    ChainCheck,
    ClaimedRun,
    DatasetVersion,
    LeaseState,
    LeaseToken,
    NewEvent,
    NewPhase,
    PhaseStatus,
    RunId,
    Trigger,
)
from ops.rows import claimed_run

Json = Mapping[str, object]


class Rpc(Calls):
    """Calls over one connection (thread-safe, one call at a time) or over a pool (many at a time)."""

    file = "rpc"

    @contextmanager
    def batch(self) -> Iterator[Rpc]:
        """Calls that return nothing are sent together and answered together when the block ends.

        In autocommit they are one transaction: if one is refused, none of them has happened. A call that returns a
        value first waits for those before it.
        """
        with self._connection() as connection, connection.pipeline():
            yield Rpc(connection)

    # Projects and pipelines

    def ensure_project(self, org: str, project: str) -> UUID:
        """The project's id; org and project are created where they are missing."""
        return cast(UUID, self._value("ensure_project", org=org, project=project))

    def register_pipeline(self, project_id: UUID, slug: str, spec: Json, sha256: str, git_sha: str) -> int:
        """The version of this spec; the same content and git sha give the same version."""
        return int(
            self._value(
                "register_pipeline", project_id=project_id, slug=slug, spec=jsonb(spec), sha256=sha256, git_sha=git_sha
            )
        )

    # Runs, from outside

    def create_run(
        self,
        project_id: UUID,
        env: str,
        pipeline: str,
        spec: Json,
        spec_sha256: str,
        git_sha: str,
        phases: Sequence[NewPhase],
        params: Json | None = None,
        idempotency_key: str | None = None,
        priority: int = 100,
        trigger: Trigger = Trigger.MANUAL,
        max_attempts: int = 3,
        timeout_seconds: float | None = None,
        available_at: datetime | None = None,
        parent_run: RunId | None = None,
        tags: Json | None = None,
        input_manifest: Json | None = None,
    ) -> RunId:
        """Queues a run; lower ``priority`` goes first. The same key with the same content gives the same run.

        Raises:
            Conflict: the key exists with other content.
        """
        value = self._value(
            "create_run",
            project_id=project_id,
            env=env,
            pipeline=pipeline,
            spec=jsonb(spec),
            spec_sha256=spec_sha256,
            git_sha=git_sha,
            phases=jsonb(phases),
            params=jsonb(params or {}),
            idempotency_key=idempotency_key,
            priority=priority,
            trigger=str(trigger),
            max_attempts=max_attempts,
            timeout_seconds=timeout_seconds,
            available_at=available_at,
            parent_run=parent_run,
            tags=jsonb(tags or {}),
            input_manifest=jsonb(input_manifest or {}),
        )
        return RunId(value)

    def cancel_run(self, run_id: RunId, reason: str) -> str:
        """``canceled`` for a queued run, ``cancel_requested`` for an owned one, else the status that it ended with."""
        return str(self._value("cancel_run", run_id=run_id, reason=reason))

    def retry_run(self, run_id: RunId, from_phase: str | None = None, latest: bool = False) -> RunId:
        """A new run with the same definition and pinned inputs, in which the phases that succeeded stay done.

        Args:
            from_phase: it and what depends on it are carried out again, also where they succeeded.
            latest: on the definition that the environment runs now, and on inputs of now.

        Raises:
            IllegalTransition: the run has not ended, or a phase cannot be carried out again.
            Conflict: what it wrote has been made since from newer inputs.
        """
        return RunId(self._value("retry_run", run_id=run_id, from_phase=from_phase, latest=latest))

    # Executors

    def register_executor(
        self,
        executor_id: UUID,
        name: str,
        capabilities: Sequence[str] = (),
        labels: Json | None = None,
        slots: int = 1,
        host: str = "",
        version: str = "",
    ) -> None:
        """Announces an executor. ``executor_id`` is new at every boot, so that no name hides an orphan."""
        self._do(
            "register_executor",
            executor_id=executor_id,
            name=name,
            capabilities=list(capabilities),
            labels=jsonb(labels or {}),
            slots=slots,
            host=host,
            version=version,
        )

    def executor_seen(self, executor_id: UUID, state: str = "active") -> None:
        """Says that the executor lives; ``state`` is active, draining or lost."""
        self._do("executor_seen", executor_id=executor_id, state=state)

    def drain_executor(self, executor_id: UUID) -> bool:
        """Asks an executor to take no further run, to end what it is at and to give back the rest; False: asked before.

        Raises:
            NotAllowed: the caller is no admin of the installation, whose executors all are.
            NotFound, Conflict: there is none of that id; it is lost.
        """
        return bool(self._value("drain_executor", executor_id=executor_id))

    def is_draining(self, executor_id: UUID) -> bool:
        """Whether that was asked of it."""
        return bool(self._value("is_draining", executor_id=executor_id))

    def claim_run(
        self, executor_id: UUID, capabilities: Sequence[str] = (), lease_seconds: float = 30.0, max_runs: int = 1
    ) -> list[ClaimedRun]:
        """Takes up to ``max_runs`` runs, each under a new lease; an empty list where there is nothing to do."""
        rows = self._rows(
            "claim_run",
            executor_id=executor_id,
            capabilities=list(capabilities),
            lease_seconds=lease_seconds,
            max_runs=max_runs,
        )
        return [claimed_run(row) for row in rows]

    def heartbeat_run(
        self,
        run_id: RunId,
        lease_token: LeaseToken,
        phase: str | None = None,
        progress: Json | None = None,
        usage: Sequence[Json] = (),
    ) -> LeaseState:
        """Renews one lease. Raises LeaseLost where it is gone. ``usage`` as in :meth:`heartbeat_runs`."""
        row = self._rows(
            "heartbeat_run",
            run_id=run_id,
            lease_token=lease_token,
            phase=phase,
            progress=None if progress is None else jsonb(progress),
            usage=jsonb(usage) if usage else None,
        )[0]
        return LeaseState(run_id, True, row["expires_at"], row["cancel_requested"], row["cap_exceeded"])

    def heartbeat_runs(
        self,
        executor_id: UUID,
        leases: Mapping[RunId, LeaseToken],
        lease_seconds: float = 30.0,
        usage: Sequence[Json] = (),
    ) -> list[LeaseState]:
        """Renews all leases of an executor at once; a lost one is answered with ``held=False``, not raised.

        Args:
            usage: what each try at work has used so far: run_id, phase, attempt and the figures of it. What is more than was
                said before is charged to caps; a repeat charges nothing.
        """
        rows = self._rows(
            "heartbeat_runs",
            executor_id=executor_id,
            run_ids=list(leases.keys()),
            lease_tokens=list(leases.values()),
            lease_seconds=lease_seconds,
            usage=jsonb(usage) if usage else None,
        )
        return [
            LeaseState(RunId(r["run_id"]), r["held"], r["expires_at"], bool(r["cancel_requested"]), r["cap_exceeded"])
            for r in rows
        ]

    # A run, by its owner: all of these raise LeaseLost for a stale token and then have changed nothing.

    def start_run(self, run_id: RunId, lease_token: LeaseToken) -> None:
        self._do("start_run", run_id=run_id, lease_token=lease_token)

    def pin_inputs(self, run_id: RunId, lease_token: LeaseToken, manifest: Json) -> dict[str, object]:
        """Pins the inputs once; returns what is pinned, which is an earlier owner's manifest where there is one."""
        value = self._value("pin_inputs", run_id=run_id, lease_token=lease_token, manifest=jsonb(manifest))
        return cast(dict[str, object], value)

    def build_on(self, run_id: RunId, lease_token: LeaseToken, table: str) -> int | None:
        """The version that a commit to the table builds upon, to be asked within a hold; None for the newest, -1 for none."""
        version = self._value("build_on", run_id=run_id, lease_token=lease_token, table=table)
        return None if version is None else int(version)

    def released_versions(self, run_id: RunId, lease_token: LeaseToken, tables: Sequence[str]) -> dict[str, int | None]:
        """``layer.name`` → the version that readers get, None where no run that wrote it has succeeded.

        Tables that the installation does not know are left out.
        """
        value = self._value("released_versions", run_id=run_id, lease_token=lease_token, tables=list(tables))
        return cast(dict[str, int | None], value)

    def run_secrets(self, run_id: RunId, lease_token: LeaseToken) -> frozenset[str]:
        """The secret references that the run may resolve; one that ends in ``*`` stands for all that begin so."""
        return frozenset(self._value("run_secrets", run_id=run_id, lease_token=lease_token))

    def shared_dataset(self, run_id: RunId, lease_token: LeaseToken, org: str, project: str, table: str) -> int:
        """The registered version of another project's ``layer.name`` in the run's environment.

        Raises:
            NotAllowed: it does not exist, or is not shared with the run's project.
        """
        layer, _, name = table.partition(".")
        return int(
            self._value(
                "shared_dataset",
                run_id=run_id,
                lease_token=lease_token,
                org=org,
                project=project,
                layer=layer,
                name=name,
            )
        )

    def start_phase(
        self,
        run_id: RunId,
        lease_token: LeaseToken,
        phase: str,
        input_fingerprint: str | None = None,
        event_id: UUID | None = None,
    ) -> int:
        """Emits PHASE_STARTED; returns the phase's attempt, from 1."""
        return int(
            self._value(
                "start_phase",
                run_id=run_id,
                lease_token=lease_token,
                phase=phase,
                input_fingerprint=input_fingerprint,
                event_id=event_id,
            )
        )

    def finish_phase(
        self, run_id: RunId, lease_token: LeaseToken, phase: str, status: PhaseStatus, result: Json
    ) -> None:
        """Emits the phase's last event. ``result`` as the schema documents it; ``error_*`` keys where it failed."""
        self._do(
            "finish_phase",
            run_id=run_id,
            lease_token=lease_token,
            phase=phase,
            status=str(status),
            result=jsonb(result),
        )

    def append_events(self, run_id: RunId, lease_token: LeaseToken, events: Sequence[NewEvent]) -> int:
        """Appends events in order; returns the last sequence number."""
        return int(self._value("append_events", run_id=run_id, lease_token=lease_token, events=jsonb(events)))

    def register_artifact(self, run_id: RunId, lease_token: LeaseToken, phase: str | None, artifact: Artifact) -> UUID:
        """Registers stored bytes; the same artifact of the same phase gives the same id."""
        facts = {
            name: getattr(artifact, name) for name in ("name", "kind", "sha256", "byte_size", "content_type", "uri")
        }
        value = self._value(
            "register_artifact",
            run_id=run_id,
            lease_token=lease_token,
            phase=phase,
            meta=jsonb(artifact.meta),
            **facts,
        )
        return cast(UUID, value)

    def hold_run(self, run_id: RunId, lease_token: LeaseToken) -> None:
        """Locks the run row until the caller's transaction ends; see :mod:`ops.fence`."""
        self._do("hold_run", run_id=run_id, lease_token=lease_token)

    def record_dataset(self, run_id: RunId, lease_token: LeaseToken, phase: str, dataset: DatasetVersion) -> UUID:
        """Registers a Delta commit with its lineage; idempotent for table and version."""
        value = self._value(
            "record_dataset", run_id=run_id, lease_token=lease_token, phase=phase, dataset=jsonb(dataset)
        )
        return cast(UUID, value)

    def record_signal(
        self, run_id: RunId, lease_token: LeaseToken, key: str, value: float, data: Json | None = None
    ) -> None:
        self._do("record_signal", run_id=run_id, lease_token=lease_token, key=key, value=value, data=jsonb(data or {}))

    def complete_run(self, run_id: RunId, lease_token: LeaseToken, output_manifest: Json) -> None:
        self._do("complete_run", run_id=run_id, lease_token=lease_token, output_manifest=jsonb(output_manifest))

    def fail_run(
        self,
        run_id: RunId,
        lease_token: LeaseToken,
        error_code: str,
        error_message: str,
        error_data: Json | None = None,
        retryable: bool = False,
    ) -> str:
        """``queued`` where the run will be tried again after a backoff, else ``failed``."""
        return str(
            self._value(
                "fail_run",
                run_id=run_id,
                lease_token=lease_token,
                error_code=error_code,
                error_message=jsonable(error_message),
                error_data=jsonb(error_data or {}),
                retryable=retryable,
            )
        )

    def release_canceled_run(self, run_id: RunId, lease_token: LeaseToken, reason: str) -> None:
        """The owner honours a cancel."""
        self._do("release_canceled_run", run_id=run_id, lease_token=lease_token, reason=reason)

    def release_run(self, run_id: RunId, lease_token: LeaseToken) -> None:
        """Back to queued without spending an attempt: a drain."""
        self._do("release_run", run_id=run_id, lease_token=lease_token)

    # Steward and operator

    def requeue_stale_runs(self, stale_minutes: float = 0.0) -> int:
        """Requeues runs whose lease ended ``stale_minutes`` ago or earlier; returns how many."""
        return int(self._value("requeue_stale_runs", stale_minutes=stale_minutes))

    def compute_run_score(self, run_id: RunId) -> Decimal | None:
        """0 to 100; None where no signal was recorded."""
        value = self._value("compute_run_score", run_id=run_id)
        return None if value is None else Decimal(value)

    def cap_allow(self, cap_key: str, amount: Decimal, org: str | None = None) -> bool:
        """Charges the cap if ``amount`` still fits; ``org`` may be left out where only one has a cap of that name."""
        return bool(self._value("cap_allow", cap_key=cap_key, amount=amount, org=org))

    def verify_event_chain(self, run_id: RunId) -> ChainCheck:
        """Recomputes the run's hash chain."""
        row = self._rows("verify_event_chain", run_id=run_id)[0]
        return ChainCheck(row["ok"], row["events"], row["first_bad_seq"])
