"""Fifty claimers at once, and somebody who looks all the time: what was the most that was ever held?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg

from ops.database import EXECUTOR, connect
from ops.model import RunId
from ops.rpc import Rpc
from tests.operating import SPEC, Operator

CLAIMERS = 50
# A claim's transaction stays open for so long: who does not wait for it sees a limit that it has used up as free.
OPEN_SECONDS = 0.003


@dataclass
class Seen:
    """What the observer saw, and what became of the runs."""

    most: int = 0
    samples: int = 0
    claimed: list[RunId] = field(default_factory=list)


def queue(operator: Operator, project: str, runs: int, pool: object = None, pipeline: str = "demo") -> None:
    spec = {**SPEC, "pipeline": pipeline, **({"pool": pool} if pool else {})}
    sha256 = f"{abs(hash((pipeline, str(pool)))):064d}"
    project_id = operator.owner.ensure_project("default", project)
    for _ in range(runs):
        operator.owner.create_run(project_id, "dev", pipeline, spec, sha256, "a" * 40, [])


def storm(
    operator: Operator,
    look: LiteralString,
    until: Callable[[Sequence[RunId]], bool],
    *,
    batch: int = 2,
    keep: bool = False,
) -> Seen:
    """Claims and completes with fifty executors, each on a connection of its own, until ``until`` of what was claimed.

    Args:
        look: the query of how much is held.
        batch: runs that each claims at once.
        keep: what is claimed is never given back.
    """
    seen, over = Seen(), threading.Event()
    together = threading.Barrier(CLAIMERS + 1)

    def observe() -> None:
        with psycopg.connect(operator.url, autocommit=True) as connection:
            together.wait(60)
            while not over.is_set():
                [[held]] = connection.execute(look).fetchall()
                seen.most, seen.samples = max(seen.most, held), seen.samples + 1

    def claim() -> None:
        with connect(operator.url, EXECUTOR, autocommit=True) as connection:
            rpc = Rpc(connection)
            together.wait(60)
            while not over.is_set():
                with connection.transaction():
                    runs = rpc.claim_run(operator.executor_id, max_runs=batch)
                    if runs:
                        time.sleep(OPEN_SECONDS)
                seen.claimed += [run.run_id for run in runs]
                for run in [] if keep else runs:
                    rpc.start_run(run.run_id, run.lease_token)
                    time.sleep(OPEN_SECONDS)
                    rpc.complete_run(run.run_id, run.lease_token, {})
                if not runs:
                    time.sleep(0.01)
                if until(seen.claimed):
                    over.set()

    with ThreadPoolExecutor(CLAIMERS + 1) as crowd:
        everybody = [crowd.submit(observe), *(crowd.submit(claim) for _ in range(CLAIMERS))]
        for one in everybody:
            try:
                one.result(300)
            finally:
                over.set()
    return seen


def without_lock(connection: psycopg.Connection, function: str, lock: str) -> None:
    """The mutant: the same function without the line that makes callers take turns."""
    [[text]] = connection.execute("select pg_get_functiondef(%s::regproc)", [function]).fetchall()
    assert lock in text, f"{function} does not lock as this mutant thinks"
    connection.execute(text.replace(lock, "").encode())
