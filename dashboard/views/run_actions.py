"""What may be done with a run, and what each would do, said before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.verdict import DONE
from dashboard.views.words import count
from ops.model import RunStatus
from ops.views import PhaseRow, RunDetail


@dataclass(frozen=True)
class Act:
    """``why_not`` says why it cannot be done now; empty where it can. ``command`` is what does it from a shell."""

    name: str
    button: str
    why_not: str
    lines: tuple[str, ...]
    command: str = ""


def acts(run: RunDetail, phases: Sequence[PhaseRow], allowed: bool) -> list[Act]:
    """Cancel, retry and verify; ``allowed`` says whether the caller operates the run's environment."""
    needs = "" if allowed else "It needs the role operator here."
    return [_cancel(run, needs), _retry(run, phases, needs), _verify(run)]


def _cancel(run: RunDetail, needs: str) -> Act:
    why = "It has ended." if run.status.terminal else "It was asked to stop already." if run.cancel_requested else needs
    if run.status is RunStatus.QUEUED:
        lines = ["It waits and ends at once; nothing was begun in this attempt."]
    else:
        lines = [
            "Its owner is asked to stop and does so at its next heartbeat; if it is gone, the run ends when the lease does.",
            "What is committed already stays in the lake and is not released to readers.",
        ]
    return Act(
        "cancel", "Cancel run", why, (*lines, "A retry carries on from there."), f"controlroom run cancel {run.run_id}"
    )


def _retry(run: RunDetail, phases: Sequence[PhaseRow], needs: str) -> Act:
    if not run.status.terminal:
        why = "It has not ended."
    elif run.status is RunStatus.SUCCEEDED:
        why = "It succeeded: there is nothing to do again."
    else:
        why = needs
    kept = [phase.name for phase in phases if phase.status in DONE]
    again = [phase.name for phase in phases if phase.status not in DONE]
    lines = [
        f"A new run of version {run.pipeline_version} (git {run.git_sha[:12]}) with the same parameters and pinned inputs.",
        f"Carried out: {_names(again)}." if again else "No phase is left to carry out; it releases what is there.",
    ]
    if kept:
        lines.append(f"Taken over, because they succeeded: {_names(kept)}.")
    lines.append(f"Up to {count(run.max_attempts, 'attempt')}; priority {run.priority}.")
    return Act("retry", "Retry run", why, tuple(lines), f"controlroom run retry {run.run_id}")


def _verify(run: RunDetail) -> Act:
    why = "" if run.status is RunStatus.SUCCEEDED else "Only a run that succeeded can be verified."
    lines = (
        "Every phase is carried out again on the table versions that it read then, into a lake that is thrown away, and the "
        "fingerprints are compared. Nothing is changed.",
        "It reads the lake and computes for about as long as the run did: it is done where the lake is, by the command line.",
    )
    return Act("verify", "Verify run", why, lines, f"controlroom run verify {run.run_id}")


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
