"""Verifying a run: its work done again from its pinned inputs, aside, and the fingerprints compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from ops.model import RunId
from pipelines.spec import CustomPhase, Pipeline

VERIFY = "verify"


class VerifyPhase(CustomPhase):
    """The one phase of a run that verifies another; which one is its lease's to say."""

    kind: Literal["verify"]

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    @property
    def writes(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Finding:
    """One comparison: a phase's output or an artifact's bytes. ``seen`` is the new value, or why there is none."""

    what: str
    ok: bool
    expected: str
    seen: str


class Verification(Protocol):
    """The work of a verification, a comparison at a time."""

    @property
    def run_id(self) -> RunId:
        """The run that is verified."""
        ...

    @property
    def total(self) -> int:
        """How many comparisons there are."""
        ...

    def findings(self) -> Iterator[Finding]:
        """Carries out one after the other.

        Raises:
            ControlRoomError: the work itself could not be done.
        """
        ...


def verifying(pipeline: Pipeline) -> Pipeline:
    """What a run with the spec of another carries out to verify that one."""
    return pipeline.model_copy(update={"phases": (VerifyPhase(name=VERIFY, kind=VERIFY),)})
