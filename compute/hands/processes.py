"""Warm child processes: a phase in each, killed when it must stop, with all that its handler started.

A busy or crashing handler never touches the lease.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

from compute import family
from compute.hand import Answer
from compute.metering import SAMPLE_SECONDS, Meter
from compute.native_output import NativeOutput, new_file, taken
from compute.phase_work import Begun, Logged, PhaseWork, Report, carry_out, stored_log
from ops import logs, traces
from ops.errors import ControlRoomError, PhaseCrashed
from ops.model import PhaseResult
from ops.secrets import SecretStore

Message = Begun | Report | Logged | PhaseResult | ControlRoomError
IDLE_SECONDS = 0.25
_SPAWNER = multiprocessing.get_context("forkserver")


class DetachableFd(Protocol):
    """A descriptor on its way to a child."""

    def detach(self) -> int: ...


class ProcessHands:
    """A fixed number of children; more phases than children wait their turn.

    Args:
        size: how many phases may run at once.
        home: whose secrets the children keep out of their logs.
    """

    def __init__(self, size: int, home: Path) -> None:
        _SPAWNER.set_forkserver_preload(["compute.phase_work"])
        self._waiting: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._children = [_Child(self._waiting, home, number) for number in range(size)]

    def begin(self, work: PhaseWork, answer: Callable[[Answer], None]) -> _Task:
        task = _Task(work, answer)
        self._waiting.put(task)
        return task

    def close(self) -> None:
        for _ in self._children:
            self._waiting.put(None)
        for child in self._children:
            child.close()


class _Task:
    def __init__(self, work: PhaseWork, answer: Callable[[Answer], None]) -> None:
        self.work, self.answer = work, answer
        self._lock = threading.Lock()
        self._process: ForkServerProcess | None = None
        self.stopped = False

    def given_to(self, process: ForkServerProcess) -> bool:
        """False where it was stopped while it waited."""
        with self._lock:
            self._process = process
            return not self.stopped

    def over(self) -> None:
        with self._lock:
            self._process = None

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            if self._process is not None and self._process.pid is not None:
                family.end(self._process.pid)


class _Child(threading.Thread):
    """One child and the thread that feeds it; a child that dies is replaced before the next phase."""

    def __init__(self, waiting: queue.SimpleQueue[_Task | None], home: Path, number: int) -> None:
        super().__init__(name=f"hand-{number}", daemon=True)
        self._waiting, self._home, self._native = waiting, home, new_file()
        self._process, self._pipe = self._spawned()
        self.start()

    def _spawned(self) -> tuple[ForkServerProcess, Connection]:
        ours, theirs = _SPAWNER.Pipe()
        process = _SPAWNER.Process(
            target=_serve, args=(theirs, self._home, reduction.DupFd(self._native)), name=self.name, daemon=True
        )
        process.start()
        theirs.close()
        return process, ours

    def run(self) -> None:
        while (task := self._waiting.get()) is not None:
            if not self._process.is_alive():
                self._process, self._pipe = self._spawned()
            phase = task.work.name
            if not task.given_to(self._process):
                task.answer(Answer(phase, error=PhaseCrashed("stopped before it began")))
                continue
            pid = self._process.pid or 0
            meter = Meter(pid)
            try:
                self._pipe.send(task.work)
                self._relay(task, meter)
            except (EOFError, OSError):
                task.over()
                task.answer(Answer(phase, usage=meter.read(children=False)))
                # What it started may outlive a crash.
                family.end(pid)
                self._process.join(5)
                self._last_words(task)
                task.work.clear_scratch()
                code = self._process.exitcode
                task.answer(
                    Answer(
                        phase, error=PhaseCrashed(f"the process of phase {phase} died (exit {code})", {"exit": code})
                    )
                )

    def _relay(self, task: _Task, meter: Meter) -> None:
        phase = task.work.name
        while True:
            while not self._pipe.poll(SAMPLE_SECONDS):
                task.answer(Answer(phase, usage=meter.read()))
            message: Message = self._pipe.recv()
            if isinstance(message, PhaseResult | ControlRoomError):
                task.answer(Answer(phase, usage=meter.read(children=False)))
            match message:
                case Begun():
                    task.answer(Answer(phase, begun=True))
                case Report():
                    task.answer(Answer(phase, report=message))
                case Logged():
                    task.answer(Answer(phase, log=message.artifact))
                case PhaseResult():
                    task.over()
                    return task.answer(Answer(phase, result=message))
                case ControlRoomError():
                    task.over()
                    return task.answer(Answer(phase, error=message))

    def _last_words(self, task: _Task) -> None:
        """Of a child that died: its log, and to our own log what native code wrote, whose secrets nobody can tell any more."""
        if (said := stored_log(task.work)) is not None:
            task.answer(Answer(task.work.name, log=said))
        sys.stderr.write(taken(self._native).decode(errors="replace"))

    def close(self) -> None:
        if self._process.pid is not None:
            family.end(self._process.pid)
        self._process.join(5)
        os.close(self._native)


def _serve(pipe: Connection, home: Path, output: DetachableFd) -> None:
    """The child: one phase after another until the owner's end of the pipe is gone."""
    family.lead()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    native = NativeOutput(output.detach())
    logs.configure(SecretStore(home).redact)
    inbox: queue.SimpleQueue[PhaseWork | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, inbox), daemon=True).start()
    while (work := _next(inbox)) is not None:
        try:
            answer: Message = carry_out(work, pipe.send, native)
        except ControlRoomError as error:
            answer = error
        with contextlib.suppress(BrokenPipeError):
            pipe.send(answer)


def _next(inbox: queue.SimpleQueue[PhaseWork | None]) -> PhaseWork | None:
    """The next phase; who has nothing to do sends the spans that it has, for it may be killed while it waits."""
    if traces.enabled():
        with contextlib.suppress(queue.Empty):
            return inbox.get(timeout=IDLE_SECONDS)
        traces.flush()
    return inbox.get()


def _listen(pipe: Connection, inbox: queue.SimpleQueue[PhaseWork | None]) -> None:
    # An owner that was killed closes its end: a child in the middle of a phase must not outlive it for long, nor what its
    # handler started. The fence would refuse it anyway; this saves the processor.
    try:
        while True:
            inbox.put(pipe.recv())
    except (EOFError, OSError):
        family.end(os.getpid())
