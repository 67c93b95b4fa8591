"""Ray tasks: each phase where the cluster has room, with the processors and memory that its spec asks for.

The task is a streaming generator: reports come back while it runs, its last item is the result. Ray never repeats it
(``max_retries=0``): whether work is done again is for leases to decide, not for Ray.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import cast

import ray
from ray import exceptions

from compute.hand import Answer
from compute.metering import SAMPLE_SECONDS, Meter, Usage
from compute.phase_work import Begun, Logged, PhaseWork, Report, carry_out
from ops import logs, traces
from ops.errors import ControlRoomError, PhaseCrashed, PhaseFailed
from ops.model import PhaseResult
from ops.secrets import SecretStore
from pipelines.kinds import BUILT_IN
from pipelines.registry import handler_for

Message = Begun | Report | Logged | Usage | PhaseResult | ControlRoomError


@ray.remote(max_retries=0)
def phase_task(work: PhaseWork) -> Iterator[Message]:
    """Carries a phase out on some node; yields that it has begun, reports, what it uses, then the result or the error."""
    meter = Meter(os.getpid())
    logs.configure(SecretStore(work.places.home).redact)
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def handle() -> None:
        try:
            messages.put(carry_out(work, messages.put))
        except ControlRoomError as error:
            messages.put(error)
        except BaseException as error:
            messages.put(PhaseFailed(f"{type(error).__name__}: {error}"))
            raise
        finally:
            traces.flush()

    threading.Thread(target=handle, daemon=True).start()
    while True:
        try:
            message = messages.get(timeout=SAMPLE_SECONDS)
        except queue.Empty:
            yield meter.read()
            continue
        ended = isinstance(message, PhaseResult | ControlRoomError)
        if ended:
            yield meter.read(children=False)
        yield message
        if ended:
            return


@ray.remote(max_retries=0, num_cpus=1)
def _imported(kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        handler_for(kind)


def warm_up(workers: int) -> None:
    """Has that many workers import what phases need, so that the first phases do not wait for it."""
    ray.get([_imported.remote(tuple(BUILT_IN)) for _ in range(workers)])


class RayHands:
    """Begins phases as Ray tasks; the process must be connected to a cluster."""

    def __init__(self) -> None:
        self._tasks: set[_Task] = set()

    def begin(self, work: PhaseWork, answer: Callable[[Answer], None]) -> _Task:
        task = _Task(work, answer, self._tasks.discard)
        self._tasks.add(task)
        task.start()
        return task

    def close(self) -> None:
        for task in list(self._tasks):
            task.stop()


class _Task(threading.Thread):
    """A phase on its way through Ray, and the thread that waits for its items."""

    def __init__(self, work: PhaseWork, answer: Callable[[Answer], None], forget: Callable[[_Task], None]) -> None:
        super().__init__(name=f"phase-{work.name}", daemon=True)
        self._phase, self._answer, self._forget = work.name, answer, forget
        resources = work.phase.get("resources")
        assert isinstance(resources, dict)
        # The stub does not know that a generator task streams.
        self._items = cast(
            "Iterator[ray.ObjectRef[Message]]",
            phase_task.options(
                num_cpus=resources["cpu"], memory=resources["memory"], name=f"{work.pipeline}.{work.name}"
            ).remote(work),
        )

    def run(self) -> None:
        try:
            self._answer(self._last(self._items))
        finally:
            self._forget(self)

    def _last(self, items: Iterator[ray.ObjectRef[Message]]) -> Answer:
        try:
            for item in items:
                message = ray.get(item)
                match message:
                    case Begun():
                        self._answer(Answer(self._phase, begun=True))
                    case Report():
                        self._answer(Answer(self._phase, report=message))
                    case Logged():
                        self._answer(Answer(self._phase, log=message.artifact))
                    case Usage():
                        self._answer(Answer(self._phase, usage=message))
                    case PhaseResult():
                        return Answer(self._phase, result=message)
                    case ControlRoomError():
                        return Answer(self._phase, error=message)
        except exceptions.RayError as error:
            return Answer(self._phase, error=_crashed(self._phase, error))
        return Answer(self._phase, error=PhaseCrashed(f"the task of phase {self._phase} ended without a result"))

    def stop(self) -> None:
        ray.cancel(self._items, force=True)


def _crashed(phase: str, error: Exception) -> ControlRoomError:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return PhaseCrashed(f"the worker of phase {phase} died: {first}", {"type": type(error).__name__})
