"""An operator's and an executor's hands on one database, for tests of whatever looks at runs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ops.database import Connection
from ops.model import ClaimedRun, DatasetVersion, Fingerprint, LeaseToken, NewPhase, PhaseStatus, RunId, TableVersion
from ops.rpc import Rpc

PHASES = (NewPhase("bronze", "ingest"), NewPhase("checks", "validate", ("bronze",)))
SPEC = {
    "version": 1,
    "pipeline": "demo",
    "phases": [
        {"name": "bronze", "kind": "ingest"},
        {"name": "checks", "kind": "validate", "depends_on": ["bronze"]},
    ],
}


@dataclass
class Operator:
    """An operator's and an executor's hands on one database."""

    url: str
    owner: Rpc
    executor: Rpc
    executor_id: uuid.UUID

    def queue(self, key: str | None = None, **changes: object) -> RunId:
        project = self.owner.ensure_project("default", "demo")
        arguments = {
            "env": "dev",
            "pipeline": "demo",
            "spec": SPEC,
            "spec_sha256": "5" * 64,
            "git_sha": "a" * 40,
            "phases": PHASES,
            **changes,
        }
        return self.owner.create_run(project, idempotency_key=key, **arguments)  # type: ignore[arg-type]

    def claim(self, lease_seconds: float = 30.0) -> ClaimedRun:
        [run] = self.executor.claim_run(self.executor_id, lease_seconds=lease_seconds)
        return run

    def complete(self, run_id: RunId, token: LeaseToken, phases: Sequence[NewPhase] = PHASES) -> None:
        """Ends a run of ours with success, its phases before it."""
        for phase in phases:
            self.executor.start_phase(run_id, token, phase.name)
            self.executor.finish_phase(run_id, token, phase.name, PhaseStatus.SUCCEEDED, {})
        self.executor.complete_run(run_id, token, {})

    def succeeded(self, phases: Sequence[NewPhase] = PHASES, **changes: object) -> RunId:
        """A run that this executor has completed, phase by phase."""
        self.queue(None, phases=phases, **changes)
        run = self.claim()
        self.executor.start_run(run.run_id, run.lease_token)
        self.complete(run.run_id, run.lease_token, phases)
        return run.run_id

    def running(self, lease_seconds: float = 30.0) -> tuple[RunId, LeaseToken]:
        """A run that was started by this executor."""
        self.queue()
        run = self.claim(lease_seconds)
        self.executor.start_run(run.run_id, run.lease_token)
        return run.run_id, run.lease_token


def commit(version: int = 0, table: str = "silver.sale_order") -> DatasetVersion:
    """A Delta commit as a handler describes it."""
    return DatasetVersion(
        table=table,
        version=version,
        mode="replace",
        rows=30,
        total_rows=30,
        byte_size=4096,
        fingerprint=Fingerprint("v1:abc"),
        schema={"id": "integer", "amount": "decimal(16,2)"},
        inputs=(TableVersion("bronze.sale_order", 3, Fingerprint("v1:def")),),
    )


def everything_before_has_ended(connection: Connection) -> None:
    """Waits until no transaction is open that began before now: tests share a server, and another's old one holds back what a
    snapshot takes for the past."""
    row = connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
    assert row is not None
    deadline = time.monotonic() + 90
    while True:
        oldest = connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint").fetchone()
        assert oldest is not None
        if oldest[0] > row[0]:
            return
        assert time.monotonic() < deadline, "a transaction has been open for a minute and a half"
        time.sleep(0.02)
