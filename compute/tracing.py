"""The spans of a run under one owner and of a phase wherever it is carried out; see :mod:`ops.traces`.

``create_run`` (whoever creates it) → ``run`` (the owner's process) → ``claim``, ``phase KIND`` (a child process or a Ray task)
→ ``commit`` (each hold of the fence). A phase of kind publish is the span ``phase publish``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import structlog

from ops import traces
from ops.errors import ControlRoomError
from ops.model import ClaimedRun, DatasetVersion
from ops.rpc import Rpc
from ops.traces import OFF, Trace
from ops.watching import Watching
from pipelines.handler import Fence, Hold

if TYPE_CHECKING:
    from compute.phase_work import PhaseWork

log = structlog.get_logger()


@contextmanager
def run_span(run: ClaimedRun, rpc: Rpc, executor: str, claimed_at: float) -> Iterator[Trace]:
    """The owner's span, with its claim in it.

    Args:
        claimed_at: on the monotonic clock, when the claim was asked for.
    """
    if not traces.enabled():
        yield OFF
        return
    now = time.time()
    began = now - (time.monotonic() - claimed_at)
    facts: traces.Facts = {
        "controlroom.run.id": str(run.run_id),
        "controlroom.pipeline": run.pipeline,
        "controlroom.project": f"{run.scope.org}/{run.scope.project}",
        "controlroom.env": run.scope.env,
        "controlroom.attempt": run.attempt,
        "controlroom.lease_token": int(run.lease_token),
        "controlroom.executor": executor,
    }
    with traces.span("run", _stored(run, rpc), facts, began) as trace:
        trace.past("claim", began, now)
        yield trace


def _stored(run: ClaimedRun, rpc: Rpc) -> str:
    try:
        stored = Watching(rpc.source).run_traceparent(run.run_id, run.lease_token)
    except ControlRoomError as error:
        # The run goes on without its creator's trace; its own id makes one for all its owners.
        log.warning("trace not found", code=error.code)
        stored = None
    return traces.of_run(run.run_id, stored)


def phase_span(work: PhaseWork) -> AbstractContextManager[Trace]:
    """The span of a phase, in the process that carries it out."""
    if work.traceparent is None:
        return nullcontext(OFF)
    facts: traces.Facts = {
        "controlroom.run.id": str(work.run_id),
        "controlroom.phase": work.name,
        "controlroom.phase.kind": str(work.phase["kind"]),
        "controlroom.phase.attempt": work.attempt,
    }
    return traces.span(f"phase {work.phase['kind']}", work.traceparent, facts)


class TracedFence:
    """A fence whose holds are spans: ``commit``, with the table and its new version."""

    def __init__(self, fence: Fence, trace: Trace) -> None:
        self._fence, self._trace = fence, trace

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """As the fence's own."""
        with traces.span("commit", self._trace.traceparent) as trace, self._fence.hold() as held:
            yield _TracedHold(held, trace)

    def record_adopted(self, dataset: DatasetVersion) -> None:
        """As the fence's own."""
        with self.hold() as held:
            held.record(dataset)


class _TracedHold:
    def __init__(self, held: Hold, trace: Trace) -> None:
        self._held, self._trace = held, trace

    def build_on(self, table: str) -> int | None:
        return self._held.build_on(table)

    def record(self, dataset: DatasetVersion) -> None:
        self._held.record(dataset)
        self._trace.note(
            {
                "controlroom.table": dataset.table,
                "controlroom.version": dataset.version,
                "controlroom.rows": dataset.rows,
                "controlroom.adopted": dataset.adopted,
            }
        )
