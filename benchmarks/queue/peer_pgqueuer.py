"""A process that drains N no-op jobs with pgqueuer, on the driver and loop that it recommends."""

from __future__ import annotations

import sys

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from benchmarks.measure import Meter


async def prepare(url: str, jobs: int) -> None:
    queries = Queries(PgQueuer.from_asyncpg_connection(await asyncpg.connect(url)).connection)
    await queries.install()
    await queries.enqueue(["noop"] * jobs, [b""] * jobs, [0] * jobs)


async def drain(url: str, jobs: int, postmaster: int) -> None:
    done = 0
    queue = PgQueuer.from_asyncpg_connection(await asyncpg.connect(url)).qm

    @queue.entrypoint("noop")
    async def noop(_: Job) -> None:
        nonlocal done
        done += 1

    meter = Meter(postmaster)
    await queue.run(batch_size=50, mode=QueueExecutionMode.drain)
    cost = meter.read()
    if done != jobs:
        raise SystemExit(f"pgqueuer ran {done} of {jobs} jobs")
    print(cost.to_json())


if __name__ == "__main__":
    action, url, jobs, postmaster = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    uvloop.run(prepare(url, jobs) if action == "prepare" else drain(url, jobs, postmaster))
