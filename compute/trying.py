"""A phase that was handed over and has not ended, and what its run may be told meanwhile beside the phase's own answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from uuid import uuid4

from compute.hand import Task
from compute.metering import Usage
from compute.phase_work import Report
from ops.model import Artifact, EventType, Fingerprint, NewEvent, TableVersion
from pipelines.spec import Phase


def progress_event(phase: str, report: Report) -> NewEvent:
    """A report of a phase as the event that tells of it, under an id of its own."""
    facts = {"done": report.done, "total": report.total, **report.facts}
    return NewEvent(uuid4(), EventType.PHASE_PROGRESS, phase, message=report.message, data=facts)


class Signal(Enum):
    LOST = "lease lost"
    CANCELED = "cancel requested"
    DRAIN = "drain: begin no further phase"
    HURRY = "drain: stop now"


@dataclass(frozen=True)
class CapReached:
    """A cap is used up: what is at work is stopped and the run fails. ``said`` names the cap."""

    said: str


@dataclass
class Trying:
    """A phase that was handed over; it has a ``deadline`` once somebody has taken it up.

    Attributes:
        tried: how often this owner has tried it before.
        attempt: the number that ``start_phase`` gave to this try.
    """

    phase: Phase
    task: Task
    inputs: dict[str, TableVersion]
    fingerprint: Fingerprint
    tried: int
    attempt: int
    deadline: float | None = None
    events: list[NewEvent] = field(default_factory=list)
    logs: list[Artifact] = field(default_factory=list)
    usage: Usage | None = None
    begun: bool = False
    timed_out: bool = False

    def facts(self) -> dict[str, object]:
        """What is written down of it, however it ended."""
        measured = {} if self.usage is None else {"usage": self.usage.to_json()}
        return {"input_fingerprint": self.fingerprint, **measured}
