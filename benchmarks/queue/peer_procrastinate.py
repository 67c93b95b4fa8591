"""A process that drains N no-op jobs with procrastinate, finished jobs kept (its history)."""

from __future__ import annotations

import asyncio
import sys

import procrastinate
from procrastinate.types import JSONDict

from benchmarks.measure import Meter

CONCURRENCY = 8


async def prepare(app: procrastinate.App, jobs: int) -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        arguments: list[JSONDict] = [{"number": number} for number in range(jobs)]
        await app.configure_task("noop").batch_defer_async(*arguments)


async def drain(app: procrastinate.App, jobs: int, postmaster: int) -> None:
    done = 0

    @app.task(name="noop")
    async def noop(number: int) -> None:  # noqa: ARG001 - procrastinate passes it by name
        nonlocal done
        done += 1

    async with app.open_async():
        meter = Meter(postmaster)
        await app.run_worker_async(wait=False, concurrency=CONCURRENCY, install_signal_handlers=False)
        cost = meter.read()
    if done != jobs:
        raise SystemExit(f"procrastinate ran {done} of {jobs} jobs")
    print(cost.to_json())


if __name__ == "__main__":
    action, url, jobs, postmaster = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    asyncio.run(prepare(app, jobs) if action == "prepare" else drain(app, jobs, postmaster))
