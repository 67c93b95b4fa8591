"""A run's numbers and its phases as lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.views.words import ago, count, exact, span, tone
from ops.model import PhaseStatus
from ops.run_reads import Usual
from ops.views import DatasetVersionRow, Json, PhaseRow, RunDetail

# A run of more phases than this is drawn whole when somebody asks for it; so many are until then.
MANY, FOREMOST = 20, 12
# A run's priority unless somebody gives it another, as in ops.create_run.
PRIORITY = 100
# So many parameters or tags stand in the head, and so much of each value.
MOST_PAIRS, LONGEST = 20, 80


@dataclass(frozen=True)
class Fact:
    """``exact`` is the moment behind it, where it tells of one without saying it."""

    name: str
    value: str
    more: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Particular:
    """One thing that a run was started with, or where it is."""

    name: str
    said: str


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


def facts(
    run: RunDetail, datasets: Sequence[DatasetVersionRow], now: datetime, usual: Sequence[Usual] = ()
) -> list[Fact]:
    """The numbers under the verdict, each in the same anatomy: name, value, and what explains it."""
    whole = next((each for each in usual if each.what == "run"), None)
    usually = f"usually {span(timedelta(seconds=whole.p50))}, " if whole else ""
    # What was canceled while it waited has worked for no time at all: all of it is waiting.
    begun = run.started_at or run.finished_at or now
    worked = span((run.finished_at or now) - run.started_at) if run.started_at else "–"
    rows = sum(row.rows for row in datasets)
    return [
        Fact("score", "–" if run.score is None else f"{run.score:.0f}", "of 100"),
        Fact("took", worked, f"{usually}waited {span(begun - run.created_at)}"),
        Fact("attempt", f"{run.attempt} of {run.max_attempts}", f"trigger {run.trigger}"),
        Fact("rows written", f"{rows:,}", f"into {count(len({row.table for row in datasets}), 'table')}"),
        Fact("created", ago(run.created_at, now), exact(run.created_at)),
        Fact("code", run.git_sha[:12], f"version {run.pipeline_version} of {run.pipeline}"),
    ]


def particulars(run: RunDetail, executor: str | None) -> list[Particular]:
    """What it was started with and where it is or was; what is as usual is left out. Parameters are no secrets: a spec names
    those, and what they are stands in no run."""
    found = [
        Particular("parameters", _pairs(run.params)),
        Particular("tags", _pairs(run.tags)),
        Particular("priority", "" if run.priority == PRIORITY else str(run.priority)),
        Particular("executor", executor or ""),
    ]
    return [each for each in found if each.said]


def _pairs(values: Json) -> str:
    pairs = [f"{name}={_cut(value)}" for name, value in list(values.items())[:MOST_PAIRS]]
    left = len(values) - len(pairs)
    return " ".join(pairs) + (f" and {left} more" if left else "")


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


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
        phase.input_fingerprint or "",
        phase.output_fingerprint or "",
        f"{phase.error_code}: {phase.error_message}" if phase.error_code else "",
    )


def foremost(phases: Sequence[PhaseRow]) -> list[PhaseRow]:
    """What one looks for in a run of many phases, in their order: what is at work or failed; while it goes on, what ended last
    and what is next, and afterwards what took longest."""
    if len(phases) <= MANY:
        return list(phases)
    busy = [each for each in phases if each.status in (PhaseStatus.RUNNING, PhaseStatus.FAILED)]
    left = [each for each in phases if each.status is PhaseStatus.PENDING]
    goes_on = bool(left) or any(each.status is PhaseStatus.RUNNING for each in busy)
    ended = [each for each in phases if each.finished_at is not None and each not in busy]
    if goes_on:
        ended.sort(key=lambda each: (each.finished_at, each.ordinal), reverse=True)
    else:
        ended.sort(key=lambda each: (_took(each), -each.ordinal), reverse=True)
    chosen = busy[:FOREMOST]
    room = FOREMOST - len(chosen)
    chosen += ended[: max(room - min(len(left), room // 3), 0)]
    chosen += left[: FOREMOST - len(chosen)]
    return sorted(chosen, key=lambda each: each.ordinal)


def _took(phase: PhaseRow) -> timedelta:
    return phase.finished_at - phase.started_at if phase.finished_at and phase.started_at else timedelta(0)


def left_out(phases: Sequence[PhaseRow], shown: Sequence[PhaseRow]) -> str:
    """How many phases are not shown, and how those are; empty where all are."""
    names = {each.name for each in shown}
    counts = Counter(str(each.status) for each in phases if each.name not in names)
    if not counts:
        return ""
    hidden = count(sum(counts.values()), "phase")
    return f"{hidden} more: {', '.join(f'{number:,} {status}' for status, number in counts.items())}."
