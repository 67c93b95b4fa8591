"""What a run's page says: the verdict first, then the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.views.words import ago, count, span, tone
from ops.model import PhaseStatus, RunStatus
from ops.views import DatasetVersionRow, PhaseRow, RunDetail

DONE = (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)


@dataclass(frozen=True)
class Fact:
    name: str
    value: str
    more: str = ""


@dataclass(frozen=True)
class PhaseLine:
    """A row of the table of phases; ``share`` is the part done in percent, None where the handler cannot tell."""

    name: str
    kind: str
    status: str
    tone: str
    took: str
    rows_in: int | None
    rows_out: int | None
    share: float | None
    doing: str
    input_fingerprint: str
    output_fingerprint: str
    error: str


def verdict(run: RunDetail, phases: Sequence[PhaseRow], now: datetime) -> str:
    """One sentence: how it is, and if it is not well, why."""
    done = sum(phase.status in DONE for phase in phases)
    of = f"{done} of {count(len(phases), 'phase')}"
    match run.status:
        case RunStatus.QUEUED if run.available_at > now:
            wait = span(run.available_at - now)
            return f"Waits {wait} before attempt {run.attempt + 1} of {run.max_attempts}{_because(run)}"
        case RunStatus.QUEUED:
            return f"Waits for an executor since {span(now - max(run.available_at, run.created_at))}; {of} done"
        case RunStatus.CLAIMED | RunStatus.RUNNING:
            busy = [phase.name for phase in phases if phase.status is PhaseStatus.RUNNING]
            doing = f"Running {_listed(busy)}" if busy else "Running"
            return f"{'Canceling' if run.cancel_requested else doing}; {of} done"
        case RunStatus.SUCCEEDED:
            return f"Succeeded in {_took(run)}; {of} done"
        case RunStatus.CANCELED:
            return f"Canceled after {_took(run)}; {of} done{_because(run)}"
        case RunStatus.FAILED:
            failed = [phase.name for phase in phases if phase.status is PhaseStatus.FAILED]
            where = f" in {_listed(failed)}" if failed else ""
            return f"Failed{where} after {count(run.attempt, 'attempt')}{_because(run)}"


def facts(run: RunDetail, datasets: Sequence[DatasetVersionRow], now: datetime) -> list[Fact]:
    """The numbers under the verdict, each in the same anatomy: name, value, and what explains it."""
    begun = run.started_at or run.finished_at or now
    rows = sum(row.rows for row in datasets)
    return [
        Fact("score", "–" if run.score is None else f"{run.score:.0f}", "of 100"),
        Fact("took", _took(run) if run.finished_at else span(now - begun), f"waited {span(begun - run.created_at)}"),
        Fact("attempt", f"{run.attempt} of {run.max_attempts}", f"trigger {run.trigger}"),
        Fact("rows written", f"{rows:,}", f"into {count(len({row.table for row in datasets}), 'table')}"),
        Fact("created", ago(run.created_at, now), f"{run.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        Fact("code", run.git_sha[:12], f"version {run.pipeline_version} of {run.pipeline}"),
    ]


def phase_lines(phases: Sequence[PhaseRow], now: datetime) -> list[PhaseLine]:
    return [_line(phase, now) for phase in phases]


def _line(phase: PhaseRow, now: datetime) -> PhaseLine:
    progress = phase.progress or {}
    done, total = progress.get("done"), progress.get("total")
    known = isinstance(done, int | float) and isinstance(total, int | float) and total > 0
    return PhaseLine(
        phase.name,
        phase.kind,
        phase.status,
        tone(phase.status),
        span((phase.finished_at or now) - phase.started_at) if phase.started_at else "",
        phase.rows_in,
        phase.rows_out,
        min(float(done) / float(total) * 100, 100.0) if known else None,  # type: ignore[arg-type]
        str(progress.get("message", "")),
        (phase.input_fingerprint or "")[:16],
        (phase.output_fingerprint or "")[:16],
        f"{phase.error_code}: {phase.error_message}" if phase.error_code else "",
    )


def _took(run: RunDetail) -> str:
    return span((run.finished_at or run.created_at) - (run.started_at or run.created_at))


def _because(run: RunDetail) -> str:
    return f": {run.error_message} ({run.error_code})" if run.error_code else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
