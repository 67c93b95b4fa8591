"""A stand to measure runs on: an ops database, a home, and a real executor in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.lease import queue
from benchmarks.server import Server
from ops.rpc import Rpc
from pipelines.spec import Pipeline

ASK_SECONDS = 0.005
Facts = dict[str, Any]


@dataclass(frozen=True)
class Stand:
    """What a benchmark of whole runs speaks to.

    Attributes:
        executor: pid of the executor; its children carry the phases out.
    """

    url: str
    home: Path
    connection: psycopg.Connection
    executor: int

    def run(self, pipeline: Pipeline, project: str = "bench", seconds: float = 900.0) -> Facts:
        """Queues a run, waits for its end and returns its row.

        Raises:
            RuntimeError: it did not succeed.
        """
        run_id = queue(Rpc(self.connection), pipeline, project)
        deadline = time.monotonic() + seconds
        while True:
            facts = self._facts(run_id)
            if facts["status"] == "succeeded":
                return facts
            if facts["status"] in ("failed", "canceled") or time.monotonic() > deadline:
                log = (self.home / "executor.log").read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{pipeline.pipeline} is {facts['status']}: {facts['error_message']}\n{log}")
            time.sleep(ASK_SECONDS)

    def _facts(self, run_id: object) -> Facts:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute("select * from ops.runs where id = %s", [run_id]).fetchone()
        assert row is not None
        return row


def wall(facts: Facts) -> float:
    """Seconds from a run's creation to its end, by the database's clock."""
    return float((facts["finished_at"] - facts["created_at"]).total_seconds())


@contextmanager
def plain_stand(host: Server, name: str, slots: int = 1) -> Iterator[Stand]:
    """A stand with ``controlroom executor``; ready when the executor listens."""
    url = host.database(name, migrated=True)
    settings = {"CONTROLROOM_HOME": str(host.home), "CONTROLROOM_DATABASE_URL": url, "CONTROLROOM_PROJECT": "bench"}
    with (host.home / "executor.log").open("wb") as log:
        executor = subprocess.Popen(
            [sys.executable, "-m", "controlroom", "executor", "--slots", str(slots)],
            env={**os.environ, **settings}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            _wait_for_listener(connection, executor, host.home / "executor.log")
            yield Stand(url, host.home, connection, executor.pid)
    finally:
        executor.send_signal(signal.SIGTERM)
        try:
            executor.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(executor.pid, signal.SIGKILL)
            executor.wait()


def _wait_for_listener(connection: psycopg.Connection, executor: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    asked = (
        "select 1 from pg_stat_activity where application_name = 'controlroom-listen' and datname = current_database()"
    )
    while connection.execute(asked).fetchone() is None:
        if executor.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the executor did not come up:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)
