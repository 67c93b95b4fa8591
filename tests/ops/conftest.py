"""Runs to play with: queued, or claimed by an executor of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ops.database import EXECUTOR, Connection, connect
from ops.model import ClaimedRun, DatasetVersion, Fingerprint, LeaseToken, NewPhase, RunId, TableVersion
from ops.rpc import Rpc

PHASES = (NewPhase("bronze", "ingest"), NewPhase("checks", "validate", ("bronze",)))
SPEC = {"version": 1, "pipeline": "demo", "phases": [{"name": "bronze"}, {"name": "checks"}]}


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
        }
        return self.owner.create_run(project, idempotency_key=key, **{**arguments, **changes})  # type: ignore[arg-type]

    def claim(self, lease_seconds: float = 30.0) -> ClaimedRun:
        [run] = self.executor.claim_run(self.executor_id, lease_seconds=lease_seconds)
        return run

    def running(self, lease_seconds: float = 30.0) -> tuple[RunId, LeaseToken]:
        """A run that was started by this executor."""
        self.queue()
        run = self.claim(lease_seconds)
        self.executor.start_run(run.run_id, run.lease_token)
        return run.run_id, run.lease_token


@pytest.fixture
def executor_connection(database: str) -> Iterator[Connection]:
    """As the executors' role: it may call RPCs and nothing else."""
    with connect(database, EXECUTOR, autocommit=True) as opened:
        yield opened


@pytest.fixture
def operator(database: str, connection: Connection, executor_connection: Connection) -> Operator:
    hands = Operator(database, Rpc(connection), Rpc(executor_connection), uuid.uuid4())
    hands.executor.register_executor(hands.executor_id, "tester", slots=4, host="here", version="0")
    return hands


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
