"""A process that drains N no-op jobs with procrastinate, finished jobs kept (its history)."""

from __future__ import annotations

import asyncio
import sys

import procrastinate


async def drain(url: str, jobs: int, prepare: bool) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    done = 0
    finished = asyncio.Event()

    @app.task(name="noop")
    async def noop(number: int) -> None:
        nonlocal done
        done += 1
        if done == jobs:
            finished.set()

    async with app.open_async():
        if prepare:
            await app.schema_manager.apply_schema_async()
            await noop.batch_defer_async(*({"number": number} for number in range(jobs)))
            return
        await app.run_worker_async(wait=False, concurrency=8, install_signal_handlers=False)
    if done != jobs:
        raise SystemExit(f"procrastinate ran {done} of {jobs} jobs")


if __name__ == "__main__":
    asyncio.run(drain(sys.argv[2], int(sys.argv[3]), sys.argv[1] == "prepare"))
