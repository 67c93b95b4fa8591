"""A process that drains N no-op jobs with pgqueuer, on the driver and loop that it recommends."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import uvloop
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode


async def drain(url: str, jobs: int, prepare: bool) -> None:
    connection = await asyncpg.connect(url)
    driver = AsyncpgDriver(connection)
    if prepare:
        queries = Queries(driver)
        await queries.install()
        await queries.enqueue(["noop"] * jobs, [b""] * jobs, [0] * jobs)
        return
    done = 0
    queue = QueueManager(driver)

    @queue.entrypoint("noop")
    async def noop(job: Job) -> None:
        nonlocal done
        done += 1

    await queue.run(batch_size=50, mode=QueueExecutionMode.drain)
    if done != jobs:
        raise SystemExit(f"pgqueuer ran {done} of {jobs} jobs")


if __name__ == "__main__":
    uvloop.run(drain(sys.argv[2], int(sys.argv[3]), sys.argv[1] == "prepare"))
