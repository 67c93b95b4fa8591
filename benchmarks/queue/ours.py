"""Our side of the queue: N queued no-op runs, and a process that drains them. Every run keeps its whole history."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from uuid import UUID

import psycopg

from benchmarks.measure import Cost, Meter
from ops.database import EXECUTOR, Connection, Pool, connect
from ops.jsonable import jsonb
from ops.model import NewPhase
from ops.rpc import Json, Rpc

# The one in sql/our_claim.sql.
EXECUTOR_ID = UUID(int=1)
CLAIMS_A_CALL = 50
LEASE_SECONDS = 600.0


def prepare(url: str, jobs: int) -> None:
    """Queues ``jobs`` runs without phases: what is left of a run is the claim, the start and the end."""
    with connect(url, autocommit=True) as connection:
        Rpc(connection).register_executor(EXECUTOR_ID, "bench")
        queue_runs(connection, jobs, {"pipeline": "noop"}, [])
        connection.execute("vacuum analyze")


def queue_runs(connection: Connection, jobs: int, spec: Json, phases: Sequence[NewPhase]) -> None:
    """Queues ``jobs`` runs of one definition in one statement; they become visible together."""
    connection.execute(
        (files("benchmarks.queue") / "sql" / "our_runs.sql").read_bytes(),
        {
            "project_id": Rpc(connection).ensure_project("default", "bench"),
            "spec": jsonb(spec),
            "sha256": "0" * 64,
            "phases": jsonb(phases),
            "jobs": jobs,
        },
    )


def drain(url: str, jobs: int, postmaster: int) -> Cost:
    """Claim → start → complete through the RPCs, with the executor's role, until nothing is left.

    Raises:
        RuntimeError: not every run was done, or one has less than its four events.
    """
    done = 0
    with Pool(url, EXECUTOR, min_size=1, max_size=1) as pool:
        rpc, meter = Rpc(pool), Meter(postmaster)
        while runs := rpc.claim_run(EXECUTOR_ID, (), LEASE_SECONDS, CLAIMS_A_CALL):
            with rpc.batch() as batch:
                for run in runs:
                    batch.start_run(run.run_id, run.lease_token)
                    batch.complete_run(run.run_id, run.lease_token, {})
            done += len(runs)
        cost = meter.read()
    _check(url, jobs, done)
    return cost


def _check(url: str, jobs: int, done: int) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*) from ops.run_events where type in "
            "('RUN_CREATED', 'RUN_CLAIMED', 'RUN_STARTED', 'RUN_SUCCEEDED')"
        ).fetchone()
    if done != jobs or row != (4 * jobs,):
        raise RuntimeError(f"{done} of {jobs} runs done, {row} events kept instead of {4 * jobs}")


if __name__ == "__main__":
    print(drain(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])).to_json())
