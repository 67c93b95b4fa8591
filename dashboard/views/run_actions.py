"""What may be done with a run, and what each would do, said before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.verdict import DONE
from dashboard.views.words import count
from ops.backfills import PhaseAgain
from ops.model import RunStatus
from ops.views import PhaseRow, RunDetail

EVERY_PHASE = "every phase"


@dataclass(frozen=True)
class Act:
    """``why_not`` says why it cannot be done now; empty where it can. ``command`` is what does it from a shell."""

    name: str
    button: str
    why_not: str
    lines: tuple[str, ...]
    command: str = ""


def acts(run: RunDetail, allowed: bool, partitioned: bool, asked: bool = False) -> list[Act]:
    """All that there is to do.

    Args:
        allowed: the caller operates the run's environment.
        partitioned: a spec says which parameter names the partitions of the pipeline.
        asked: the run is a question of the caller's, who may cancel it without any role to act.
    """
    needs = "" if allowed else "It needs the role operator here."
    return [
        _cancel(run, "" if asked else needs),
        _retry(run, needs),
        _again(run, needs),
        _replay(run, needs),
        _backfill(run, needs, partitioned),
        _verify(run),
    ]


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


def _retry(run: RunDetail, needs: str) -> Act:
    if not run.status.terminal:
        why = "It has not ended."
    elif run.status is RunStatus.SUCCEEDED:
        why = "It succeeded: there is nothing to do again. “Retry from a phase” does one again that has succeeded."
    else:
        why = needs
    lines = (
        f"A new run of version {run.pipeline_version} (git {run.git_sha[:12]}) with the same parameters and pinned inputs.",
        f"Up to {count(run.max_attempts, 'attempt')}; priority {run.priority}.",
    )
    return Act("retry", "Retry run", why, lines, f"controlroom run retry {run.run_id}")


def _again(run: RunDetail, needs: str) -> Act:
    lines = ("The phase is carried out again, and all that depends on it, also what has succeeded.",)
    why = needs if run.status.terminal else "It has not ended."
    return Act("again", "Retry from a phase", why, lines, f"controlroom run retry {run.run_id}")


def _replay(run: RunDetail, needs: str) -> Act:
    lines = (
        f"A new run of version {run.pipeline_version} (git {run.git_sha[:12]}) with the same parameters, on the table "
        "versions that it read then. What it commits is its own, and readers get it.",
    )
    why = needs if run.status.terminal else "It has not ended."
    return Act("replay", "Re-run identically", why, lines, f"controlroom run replay {run.run_id}")


def _backfill(run: RunDetail, needs: str, partitioned: bool) -> Act:
    why = needs if partitioned else "Its spec names no partition: write `partition:` into it, as docs/backfill.md says."
    return Act("backfill", "Backfill", why, (), f"controlroom backfill plan {run.pipeline}")


def _verify(run: RunDetail) -> Act:
    why = "" if run.status is RunStatus.SUCCEEDED else "Only a run that succeeded can be verified."
    lines = (
        "Every phase is carried out again on the table versions that it read then, into a lake that is thrown away, and the "
        "fingerprints are compared. Nothing is changed.",
        "It reads the lake and computes for about as long as the run did: it is done where the lake is, by the command line.",
    )
    return Act("verify", "Verify run", why, lines, f"controlroom run verify {run.run_id}")


def first_choice(phases: Sequence[PhaseRow]) -> int:
    """The phase that one most likely begins at: the first that has not succeeded."""
    return next((number for number, phase in enumerate(phases) if phase.status not in DONE), 0)


def chosen_rerun(run_id: object, phase: str, latest: bool) -> tuple[str, str | None, str]:
    """A way as :meth:`ops.backfills.Backfills.preview` takes it, the phase, and the same as a command."""
    from_phase = None if phase == EVERY_PHASE else phase
    command = f"controlroom run retry {run_id}" + (f" --from-phase {from_phase}" if from_phase else "")
    return ("latest" if latest else "retry", from_phase, command + (" --latest" if latest else ""))


def rerun_lines(plan: Sequence[PhaseAgain]) -> tuple[str, ...]:
    """Which phases a retry or replay carries out and which it takes over."""
    again = [each.name for each in plan if each.again]
    kept = [each.name for each in plan if not each.again]
    said = f"Carried out: {_names(again)}." if again else "No phase is left to carry out; it releases what is there."
    return (said, *([f"Taken over, because they succeeded: {_names(kept)}."] if kept else []))


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
