"""The extension point: what carries phases out on behalf of an executor. Implementations are in ``compute/hands/``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from compute.phase_work import PhaseWork, Report
from ops.errors import ControlRoomError
from ops.model import Artifact, EventType, NewEvent, PhaseResult


@dataclass(frozen=True)
class Answer:
    """One message about a phase that is being carried out. ``result`` and ``error`` end it, the others do not."""

    phase: str
    begun: bool = False
    report: Report | None = None
    log: Artifact | None = None
    result: PhaseResult | None = None
    error: ControlRoomError | None = None


def progress_event(phase: str, report: Report) -> NewEvent:
    """A report of a phase as the event that tells of it, under an id of its own."""
    facts = {"done": report.done, "total": report.total, **report.facts}
    return NewEvent(uuid4(), EventType.PHASE_PROGRESS, phase, message=report.message, data=facts)


class Task(Protocol):
    def stop(self) -> None:
        """Ends the work at once, by force; an answer with PhaseCrashed follows unless it had ended."""
        ...


class Hands(Protocol):
    def begin(self, work: PhaseWork, answer: Callable[[Answer], None]) -> Task:
        """Hands a phase over and returns at once; ``answer`` is called from another thread.

        Its first call says that the work has begun – until then it may wait for a free process –, its last ends the phase.
        """
        ...

    def close(self) -> None:
        """Ends everything that was begun."""
        ...
