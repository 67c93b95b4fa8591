"""Carrying out SQL of a person: a process for each query, killed when it needs too much or nobody waits.

The process gets the query, the tables' places and nothing else: no environment, no open files, no rights but to read those
tables (see ``confine.py``). It cannot take the executor or the command line with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO

import polars as pl

from ops.errors import BadInput, ControlRoomError, PhaseCrashed, RunCanceled, all_errors
from pipelines.sandbox.gate import admit
from pipelines.sandbox.job import EMBEDDED, GivenTable, Job
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.servers.address import Server
from pipelines.sandbox.servers.statement import one_select, with_params

TICK = 0.05
HEADER_BYTES = 2**20
_KEPT = ("TZ", "LANG", "LC_ALL", "POLARS_MAX_THREADS")
_OUT_OF_MEMORY = ("memory allocation of", "Cannot allocate memory", "failed to spawn thread", "can't start new thread",
                  "MemoryError", "OS can't spawn worker thread")  # fmt: skip


class Sandbox:
    """Where SQL of people runs.

    Args:
        limits: of each query.
        warm: keep a process ready that has imported the engine; worth its 60 MiB where a person waits for the answer.
    """

    def __init__(self, limits: QueryLimits | None = None, *, warm: bool = False) -> None:
        self.limits = limits or QueryLimits()
        self._warm = warm
        self._spare: subprocess.Popen[bytes] | None = _started() if warm else None
        self.missing: tuple[str, ...] = ()
        """What the last query's process could not give up, for want of the kernel."""
        self.plan = ""
        """How the last query was carried out, in its engine's words."""
        self.engine = ""
        """Who carried it out: name and version."""

    def ask(
        self,
        sql: str,
        tables: Mapping[str, GivenTable],
        params: Mapping[str, object] | None = None,
        *,
        engine: str = EMBEDDED,
        server: Server | None = None,
        first: int | None = None,
        canceled: Callable[[], bool] = lambda: False,
    ) -> pl.DataFrame:
        """The query's rows.

        Args:
            tables: by the names that the query uses.
            params: the one row of a table ``params``.
            engine: its name in ``pipelines.sandbox.engines``.
            server: whom it asks, for an engine that is a server's; such a query names no table of ours.
            first: only that many rows are wanted; without it an answer of more rows than the limit is an error.
            canceled: asked all the time; True ends the query.

        Raises:
            BadInput: the gate or the engine refuses the SQL.
            SchemaDrift, StorageFailed: of the tables.
            SourceUnreachable, NotAllowed, PhaseFailed: of the server.
            QueryLimitExceeded: it needs more than a limit allows.
            RunCanceled: ``canceled`` said so.
            PhaseCrashed: the process died of something else.
        """
        most = self.limits.rows + 1 if first is None else min(first, self.limits.rows)
        if server is None:
            admitted = admit(sql, [*tables, *(["params"] if params else [])])
            used = {name: tables[name] for name in admitted.relations if name in tables}
            job = Job(admitted.sql, used, dict(params or {}), self.limits, most, engine)
        else:
            job = Job(with_params(one_select(sql), params or {}), {}, {}, self.limits, most, engine, server)
        process, self._spare = self._spare or _started(), None
        try:
            answer = _Answer(process, self.limits, canceled).of(job)
        finally:
            _ended(process)
        if self._warm:
            self._spare = _started()
        rows = self._read(answer)
        if rows.height > self.limits.rows:
            raise self.limits.exceeded("rows", f"has more than {self.limits.rows} rows")
        return rows

    def close(self) -> None:
        """Ends the process that is kept ready."""
        if self._spare is not None:
            _ended(self._spare)
            self._spare = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, answer: bytes) -> pl.DataFrame:
        size = struct.unpack("=Q", answer[:8])[0]
        header = json.loads(answer[8 : 8 + size])
        self.missing = tuple(str(line) for line in header["missing"])
        if (code := header.get("code")) is not None:
            kind = all_errors().get(str(code), ControlRoomError)
            raise kind(str(header["message"]), dict(header["data"]))
        self.plan, self.engine = str(header.get("plan", "")), str(header.get("engine", ""))
        return pl.read_ipc_stream(io.BytesIO(answer[8 + size :]))


def _started() -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name in _KEPT}
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", "pipelines.sandbox.child"],
        # A thread of NumPy's, begun when it is imported, would have more rights than the rest.
        env={**environment, "PYTHONPATH": path, "RUST_BACKTRACE": "0", "OPENBLAS_NUM_THREADS": "1"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


class _Answer:
    """One job on its way: sent, watched, received."""

    def __init__(self, process: subprocess.Popen[bytes], limits: QueryLimits, canceled: Callable[[], bool]) -> None:
        self._process, self._limits, self._canceled = process, limits, canceled
        self._said, self._complaint = bytearray(), bytearray()

    def of(self, job: Job) -> bytes:
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        message = pickle.dumps(job)
        with contextlib.suppress(BrokenPipeError):
            stdin.write(struct.pack("=Q", len(message)) + message)
            stdin.flush()
        self._receive(stdout, stderr)
        code = self._process.wait()
        if code != 0:
            raise self._died(code, job)
        return bytes(self._said)

    def _receive(self, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        until = time.monotonic() + self._limits.seconds
        most = self._limits.result_mb * 2**20 + HEADER_BYTES
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ, self._said)
            ready.register(stderr, selectors.EVENT_READ, self._complaint)
            while ready.get_map():
                for key, _ in ready.select(TICK):
                    chunk = os.read(key.fd, 2**20)
                    if not chunk:
                        ready.unregister(key.fileobj)
                    key.data.extend(chunk)
                del self._complaint[:-65536]
                if len(self._said) > most:
                    raise self._limits.exceeded("result_mb", f"has an answer of more than {self._limits.result_mb} MiB")
                if time.monotonic() > until:
                    raise self._limits.exceeded("seconds", f"ran longer than {self._limits.seconds:g} s")
                if self._canceled():
                    raise RunCanceled("the query was canceled")

    def _died(self, code: int, job: Job) -> ControlRoomError:
        said = self._complaint.decode(errors="replace")
        if code == -signal.SIGXCPU:
            return self._limits.exceeded("seconds", f"used the processor for more than {self._limits.seconds:g} s")
        if any(words in said for words in _OUT_OF_MEMORY):
            return self._limits.exceeded("memory_mb", f"needs more than {self._limits.memory_mb} MiB of memory")
        if code == -signal.SIGSEGV and job.server is not None:
            # A server's answer is not computed here: what reads it dies of memory that it did not get.
            return self._limits.exceeded(
                "memory_mb", f"ended its process, as one without {self._limits.memory_mb} MiB does"
            )
        if code == -signal.SIGSEGV or "overflowed its stack" in said:
            return BadInput("the SQL is nested too deep for the engine; split it with WITH, or into phases")
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
        return PhaseCrashed(f"the process of the query died (exit {code}): {last[:300]}", {"exit": code})
