"""The process that carries out one query and ends. It starts with nothing, learns its job, gives up its rights, answers.

In: a job (see ``process.py``). Out: eight bytes of length, a JSON header, then the rows as an Arrow IPC stream. What
stands in the header was made here; the parent believes none of it but the error's code and text, and shows the plan as text.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import struct
import sys
import threading
import time
from typing import BinaryIO

from ops.errors import ControlRoomError, PhaseFailed
from pipelines.sandbox.confine import confine
from pipelines.sandbox.engine import Carried, Engine
from pipelines.sandbox.engines import engine_of
from pipelines.sandbox.job import EMBEDDED, Job


def main() -> None:
    """One job from standard input; ends without a word where the parent ends first."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    parent = os.getppid()
    # Most are asked of this one: a process that is kept ready has it in memory.
    engine_of(EMBEDDED)
    job = _received(sys.stdin.buffer)
    if job is None:
        return
    # Before the rights are given up: our own modules cannot be read then.
    engine = engine_of(job.engine)
    missing = confine(job.folders, job.ports, job.limits.memory_mb, job.limits.seconds)
    threading.Thread(target=_watch, args=(parent, job.limits.seconds), daemon=True).start()
    try:
        carried = _carried(engine, job)
    except ControlRoomError as error:
        _say(answers, {"code": error.code, "message": error.message, "data": error.data, "missing": missing})
    else:
        _say(answers, {"missing": missing, "plan": carried.plan, "engine": carried.engine})
        carried.rows.write_ipc_stream(answers)
    answers.flush()
    # Threads of two engines are still there; what they would do at a tidy end is of no use to anybody.
    os._exit(0)


def _received(source: BinaryIO) -> Job | None:
    size = source.read(8)
    if len(size) < 8:
        return None
    job = pickle.loads(source.read(struct.unpack("=Q", size)[0]))  # noqa: S301 - from the parent, never to it
    assert isinstance(job, Job)
    return job


def _carried(engine: Engine, job: Job) -> Carried:
    try:
        return engine.carry_out(job)
    except MemoryError:
        raise job.limits.exceeded("memory_mb", f"needs more than {job.limits.memory_mb} MiB of memory") from None
    except ControlRoomError:
        raise
    except Exception as error:
        if job.server is not None:
            raise PhaseFailed(
                f"the query ended in {type(error).__name__}; what it says may quote data and is not kept: cast columns to text"
            ) from error
        raise PhaseFailed(f"the query ended in {type(error).__name__}: {str(error)[:300]}") from error


def _say(answers: BinaryIO, header: dict[str, object]) -> None:
    text = json.dumps(header, default=str).encode()
    answers.write(struct.pack("=Q", len(text)) + text)


def _watch(parent: int, seconds: float) -> None:
    """Ends the process when nobody waits for it: the parent is gone, or gave up by closing the pipe, or is too late."""
    until = time.monotonic() + seconds + 2
    while time.monotonic() < until and os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], 0.25)
        if ready and not os.read(0, 1):
            break
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
