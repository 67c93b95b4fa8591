"""A stand to measure runs on: an ops database, a home, and a real executor in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from benchmarks import noop
from benchmarks.lease import queue
from benchmarks.server import Server
from compute import cluster
from ops import embedded_host
from ops.model import RunId
from ops.rpc import Rpc
from pipelines.spec import Pipeline

ASK_SECONDS = 0.005
GIVE_UP_SECONDS = 900.0
START_SECONDS = 90.0
Process = subprocess.Popen[bytes]
Facts = dict[str, Any]


@dataclass(frozen=True)
class Stand:
    """What a benchmark of whole runs speaks to.

    Attributes:
        executor: pid of the executor; its children carry the phases out.
        log: what the executor says.
    """

    url: str
    home: Path
    connection: psycopg.Connection
    executor: int
    log: Path

    def run(self, pipeline: Pipeline, project: str = "bench") -> Facts:
        """Queues a run, waits for its end and returns its row.

        Raises:
            RuntimeError: it did not succeed.
        """
        return self.run_all([pipeline], project)[0]

    def run_all(self, pipelines: Sequence[Pipeline], project: str = "bench") -> list[Facts]:
        """Queues runs, all visible at once, and waits for all of them; errors as :meth:`run`."""
        with self.connection.transaction():
            run_ids = [queue(Rpc(self.connection), pipeline, project) for pipeline in pipelines]
        deadline = time.monotonic() + GIVE_UP_SECONDS
        return [self._ended(run_id, deadline) for run_id in run_ids]

    def wait_until_empty(self) -> None:
        """Returns when every run has ended; asks seldom, so that asking costs the server nothing to speak of.

        Raises:
            RuntimeError: one did not succeed, or it takes too long.
        """
        deadline = time.monotonic() + GIVE_UP_SECONDS
        open_runs = "select exists (select from ops.runs where status in ('queued', 'claimed', 'running'))"
        while self._value(open_runs):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the queue is not empty after {GIVE_UP_SECONDS:.0f} s")
            time.sleep(0.05)
        if bad := self._value("select count(*) from ops.runs where status <> 'succeeded'"):
            raise RuntimeError(f"{bad} runs did not succeed")

    def _value(self, query: LiteralString) -> object:
        row = self.connection.execute(query).fetchone()
        return row[0] if row else None

    def _ended(self, run_id: RunId, deadline: float) -> Facts:
        while True:
            facts = self._facts(run_id)
            if facts["status"] == "succeeded":
                return facts
            if facts["status"] in ("failed", "canceled") or time.monotonic() > deadline:
                log = self.log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{facts['pipeline']} is {facts['status']}: {facts['error_message']}\n{log}")
            time.sleep(ASK_SECONDS)

    def _facts(self, run_id: RunId) -> Facts:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute("select * from ops.runs where id = %s", [run_id]).fetchone()
        assert row is not None
        return row


def wall(facts: Facts) -> float:
    """Seconds from a run's creation to its end, by the database's clock."""
    return float((facts["finished_at"] - facts["created_at"]).total_seconds())


@contextmanager
def plain_stand(host: Server, name: str, slots: int = 1, more: Mapping[str, str] | None = None) -> Iterator[Stand]:
    """A stand with ``controlroom executor``, its environment with ``more``; ready when the executor listens."""
    url = host.database(name, migrated=True)
    command = [sys.executable, "-m", "controlroom", "executor", "--slots", str(slots)]
    environment = {**os.environ, **_settings(host, url), **(more or {})}
    log = host.home / f"{name}.log"
    with _process(log, command, environment) as executor:
        yield from _ready(host, url, executor, log)


@contextmanager
def ray_stand(host: Server, name: str, slots: int = 1) -> Iterator[Stand]:
    """A stand with a Ray of its own, and in it a fleet of one executor whose phases are Ray tasks."""
    url, port = host.database(name, migrated=True), embedded_host.free_port()
    environment = {**cluster.environment(host.home), **_settings(host, url), "RAY_ADDRESS": f"127.0.0.1:{port}"}
    head = cluster.head_command(host.home, port, os.cpu_count() or 1)
    fleet = [sys.executable, "-m", "compute.fleet", "start", "--stay", "--size", "1", "--slots", str(slots)]
    with _process(host.home / "ray.log", head, environment) as ray:
        try:
            _wait(lambda: _answers(port), ray, host.home / "ray.log")
            with _process(host.home / "executor.log", fleet, environment) as driver:
                _wait(
                    lambda: "fleet ready" in (host.home / "executor.log").read_text(),
                    driver,
                    host.home / "executor.log",
                )
                # Executor and phases are workers of the node: the head's tree has all of them.
                yield from _ready(host, url, ray, host.home / "executor.log")
        finally:
            shutil.rmtree(cluster.session_directory(host.home), ignore_errors=True)


def _settings(host: Server, url: str) -> dict[str, str]:
    return {"CONTROLROOM_HOME": str(host.home), "CONTROLROOM_DATABASE_URL": url, **noop.environment()}


def _ready(host: Server, url: str, process: Process, log: Path) -> Iterator[Stand]:
    asked = (
        "select 1 from pg_stat_activity where application_name = 'controlroom-listen' and datname = current_database()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        _wait(lambda: connection.execute(asked).fetchone() is not None, process, log)
        yield Stand(url, host.home, connection, process.pid, log)


@contextmanager
def _process(log: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Process]:
    """A process in a session of its own, ended with all that it started."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(until: Callable[[], bool], process: Process, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not until():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.stem} did not come up:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
