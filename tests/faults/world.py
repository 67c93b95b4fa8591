"""A control room to attack: one database, one lake, and executors that are processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import polars as pl
import psutil
import psycopg
from deltalake import DeltaTable

from ops.database import connect
from ops.model import NewPhase, RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from pipelines.spec import Pipeline, spec_sha256

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 1.0
TERMINAL = ("succeeded", "failed", "canceled")


@dataclass
class World:
    """Everything that a fault test needs, addressed by what it promises.

    Attributes:
        url: the database as its owner.
        home: of settings, lake and artifacts.
        executors: processes started so far; those still alive are killed at the end.
    """

    url: str
    home: Path
    project_id: UUID
    environment: dict[str, str] = field(default_factory=dict)
    executors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def give_secret(self, name: str, value: str | None) -> None:
        """Allows ``secret://file/NAME`` to the project's runs; None stores nothing there."""
        with connect(self.url, autocommit=True) as connection:
            Tenancy(connection).allow_secret(self.project_id, f"secret://file/{name}")
        if value is not None:
            (self.home / "secrets").mkdir(exist_ok=True)
            (self.home / "secrets" / name).write_text(value)

    def start_executor(
        self, slots: int = 1, environment: Mapping[str, str] | None = None, capabilities: str = ""
    ) -> subprocess.Popen[bytes]:
        command = ("-m", "controlroom", "executor", "--slots", str(slots), "--capabilities", capabilities)
        return self._start(*command, environment=environment)

    def start_steward(self) -> subprocess.Popen[bytes]:
        return self._start("-m", "compute.steward")

    def _start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self.home / f"process-{len(self.executors)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **self.environment, **(environment or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=ROOT,
            )
        self.executors.append(process)
        return process

    def submit(
        self,
        pipeline: Pipeline,
        params: Mapping[str, object],
        key: str | None = None,
        max_attempts: int = 50,
        input_manifest: Mapping[str, object] | None = None,
        timeout_seconds: float | None = None,
    ) -> RunId:
        with connect(self.url, autocommit=True) as connection:
            return Rpc(connection).create_run(
                self.project_id,
                "dev",
                pipeline.pipeline,
                pipeline.to_json(),
                spec_sha256(pipeline),
                "0" * 40,
                [NewPhase(phase.name, str(phase.kind), tuple(phase.depends_on)) for phase in pipeline.phases],
                params=params,
                idempotency_key=key,
                max_attempts=max_attempts,
                input_manifest=input_manifest,
                timeout_seconds=timeout_seconds,
            )

    def rows(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """Reads the database, waiting out a restart."""
        for _ in range(600):
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    return connection.execute(query, arguments).fetchall()
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("the database did not come back within a minute")

    def change(self, statement: str, *arguments: object) -> None:
        """Changes the database as its owner."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode(), arguments)

    def wait_for_event(self, run: RunId, event: str, phase: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.rows(
                "select 1 from ops.run_events where run_id = %s and type = %s and phase = %s", run, event, phase
            )
            if found:
                return
            time.sleep(0.02)
        raise AssertionError(f"run {run} never reported {event} of phase {phase}; events: {self.story(run)}")

    def wait_for_any_phase(self, seconds: float = 30.0) -> None:
        """Returns when some phase is being carried out."""
        deadline = time.monotonic() + seconds
        while not self.rows("select 1 from ops.run_phases where status = 'running' limit 1"):
            assert time.monotonic() < deadline, f"no phase began\n{self.log_tail()}"
            time.sleep(0.02)

    def wait_until_finished(self, runs: int, seconds: float = 120.0) -> Counter[str]:
        """Counts of statuses once all runs are terminal."""
        deadline = time.monotonic() + seconds
        while True:
            statuses = Counter(str(status) for (status,) in self.rows("select status from ops.runs"))
            if sum(statuses[status] for status in TERMINAL) >= runs:
                return statuses
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"after {seconds:.0f} s: {dict(statuses)}; logs in {self.home}:\n{self.log_tail()}"
                )
            time.sleep(0.1)

    def story(self, run: RunId) -> list[tuple[object, ...]]:
        return self.rows("select seq, type, phase, message from ops.run_events where run_id = %s order by seq", run)

    def log_tail(self) -> str:
        logs = sorted(self.home.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def effects(self, table: str) -> pl.DataFrame:
        path = self.home / "lake" / "default" / "faults" / "dev" / Path(*table.split("."))
        return pl.read_delta(str(path))

    def delta_commits(self, table: str) -> int:
        path = self.home / "lake" / "default" / "faults" / "dev" / Path(*table.split("."))
        return DeltaTable(str(path)).version() + 1


def end(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of an executor with all that it started."""
    try:
        tell_all(process, signal.SIGKILL)
    except psutil.NoSuchProcess:
        return
    process.wait(timeout=60)


def tell_all(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends a signal to a process and then to all that it started; its children lead sessions of their own."""
    first = psutil.Process(process.pid)
    for one in [first, *first.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(number)


@contextmanager
def a_world(url: str, home: Path) -> Iterator[World]:
    with connect(url, autocommit=True) as connection:
        project_id = Rpc(connection).ensure_project("default", "faults")
    world = World(url, home, project_id)
    world.environment = {
        "CONTROLROOM_HOME": str(home),
        "CONTROLROOM_DATABASE_URL": url,
        "CONTROLROOM_PROJECT": "faults",
        "CONTROLROOM_LEASE_SECONDS": str(LEASE_SECONDS),
        "CONTROLROOM_PROBE_HOUR": "-1",
        "POLARS_MAX_THREADS": "1",
    }
    try:
        yield world
    finally:
        for process in world.executors:
            end(process)
