"""The extension point: what carries phases out on behalf of an executor. Implementations are in ``compute/hands/``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from compute.metering import Usage
from compute.phase_work import PhaseWork, Report
from ops.errors import ControlRoomError
from ops.model import Artifact, PhaseResult


@dataclass(frozen=True)
class Answer:
    """One message about a phase that is being carried out. ``result`` and ``error`` end it, the others do not.

    ``usage`` is what it has used so far; it comes all the time, and once more right before the end.
    """

    phase: str
    begun: bool = False
    report: Report | None = None
    log: Artifact | None = None
    usage: Usage | None = None
    result: PhaseResult | None = None
    error: ControlRoomError | None = None


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
