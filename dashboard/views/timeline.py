"""A run on one time axis: when nobody had it, when each phase worked and committed, and beside it what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dashboard.views.words import count, span, tone
from ops.model import EventType, PhaseStatus
from ops.run_reads import CommitRow, Usual
from ops.views import EventRow, PhaseRow, RunRow

NARROWEST_PERCENT = 0.4
ENDS = (EventType.RUN_SUCCEEDED, EventType.RUN_FAILED, EventType.RUN_CANCELED)


@dataclass(frozen=True)
class Stretch:
    """A time in which the run was ``queued``, waited for a lost owner's lease to end (``lease wait``), was ``starting`` or
    ``owned``."""

    kind: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Piece:
    """Part of a bar; ``left`` and ``width`` are percent of the axis, ``note`` says what it is and how long."""

    kind: str
    left: float
    width: float
    note: str


@dataclass(frozen=True)
class Ghost:
    """What is usual: ``width`` up to the half of all, ``far`` the place that one in twenty passes."""

    left: float
    width: float
    far: float
    note: str


@dataclass(frozen=True)
class Bar:
    """A line of the timeline; ``note`` is said beside it, ``commits`` are places on the axis and what was committed."""

    label: str
    tone: str
    pieces: tuple[Piece, ...]
    note: str
    ghost: Ghost | None = None
    commits: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Timeline:
    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]


def stretches(run: RunRow, lifecycle: Sequence[EventRow], now: datetime) -> list[Stretch]:
    """Who had the run when, one after another, from its own log."""
    kind, since = "queued", run.created_at
    found: list[Stretch] = []

    def until(moment: datetime, then: str) -> None:
        nonlocal kind, since
        if kind and moment > since:
            found.append(Stretch(kind, since, moment))
        kind, since = then, max(moment, since)

    for event in lifecycle:
        match event.type:
            case EventType.RUN_CLAIMED:
                until(event.ts, "starting")
            case EventType.RUN_STARTED:
                until(event.ts, "owned")
            case EventType.LEASE_EXPIRED:
                until(_moment(event.data.get("expired_at")) or event.ts, "lease wait")
            case EventType.RUN_REQUEUED:
                until(event.ts, "queued")
            case each if each in ENDS:
                until(event.ts, "")
    if kind:
        until(run.finished_at or now, "")
    return found


def timeline(
    run: RunRow,
    phases: Sequence[PhaseRow],
    now: datetime,
    lifecycle: Sequence[EventRow] = (),
    commits: Sequence[CommitRow] = (),
    usual: Sequence[Usual] = (),
) -> Timeline:
    """Bars from the run's creation to its end, waiting first; phases that did not begin have none.

    Of a run at work the axis reaches to now, and further where it usually takes longer.
    """
    axis = _Axis(run.created_at, _end(run, usual, now))
    until = run.finished_at or now
    by_phase = {each.phase: each for each in usual if each.what == "phase"}
    waits = next((each for each in usual if each.what == "waiting"), None)
    bars = [_waiting(axis, run, stretches(run, lifecycle, now), until, waits)]
    bars += [
        _worked(axis, phase, phase.started_at, phase.finished_at or until, by_phase.get(phase.name), commits)
        for phase in phases
        if phase.started_at is not None
    ]
    return Timeline(tuple(bars), tuple(span(timedelta(seconds=axis.seconds * part / 4)) for part in range(5)))


class _Axis:
    def __init__(self, begin: datetime, end: datetime) -> None:
        self._begin = begin
        self.seconds = max((end - begin).total_seconds(), 0.001)

    def place(self, moment: datetime) -> float:
        return round(min(max((moment - self._begin).total_seconds() / self.seconds, 0.0), 1.0) * 100, 2)

    def piece(self, kind: str, begin: datetime, end: datetime, note: str) -> Piece:
        left = self.place(begin)
        width = max(self.place(end) - left, NARROWEST_PERCENT)
        return Piece(kind, round(min(left, 100 - width), 2), round(width, 2), note)


def _end(run: RunRow, usual: Sequence[Usual], now: datetime) -> datetime:
    if run.finished_at is not None:
        return run.finished_at
    whole = next((each for each in usual if each.what == "run"), None)
    if whole is None or run.started_at is None:
        return now
    return max(now, run.started_at + timedelta(seconds=whole.p50))


def _waiting(axis: _Axis, run: RunRow, found: Sequence[Stretch], until: datetime, usual: Usual | None) -> Bar:
    idle = [each for each in found if each.kind in ("queued", "lease wait", "starting")]
    if not any(each.kind in ("starting", "owned") for each in found):
        # Nothing of it is in the log, or no more: what the run itself says.
        idle = [Stretch("queued", run.created_at, run.started_at or until)]
    pieces = tuple(
        axis.piece(each.kind.replace(" ", "-"), each.begin, each.end, f"{each.kind} {span(each.end - each.begin)}")
        for each in idle
    )
    whole = sum((each.end - each.begin for each in idle), timedelta())
    return Bar("waiting", tone("queued"), pieces, span(whole), _ghost(axis, run.created_at, usual))


def _worked(
    axis: _Axis, phase: PhaseRow, begin: datetime, end: datetime, usual: Usual | None, commits: Sequence[CommitRow]
) -> Bar:
    # A phase that a retry took over has times of before the run; so have its commits.
    own = [each for each in commits if each.phase == phase.name and begin <= each.recorded_at <= end]
    last = max((each.recorded_at for each in own), default=None)
    pieces = [
        axis.piece(
            "compute",
            begin,
            last or end,
            f"{'up to the commit' if last else phase.status} {span((last or end) - begin)}",
        )
    ]
    if last is not None and (end - last).total_seconds() / axis.seconds * 100 > NARROWEST_PERCENT:
        pieces.append(axis.piece("after", last, end, f"after the commit {span(end - last)}"))
    taken = phase.attempt == 0 or phase.status is PhaseStatus.SKIPPED
    return Bar(
        phase.name,
        tone(phase.status),
        tuple(pieces),
        "taken over" if taken else span(end - begin),
        _ghost(axis, begin, usual),
        tuple((axis.place(each.recorded_at), f"committed {each.table} version {each.version}") for each in own),
    )


def _ghost(axis: _Axis, begin: datetime, usual: Usual | None) -> Ghost | None:
    if usual is None:
        return None
    half, far = timedelta(seconds=usual.p50), timedelta(seconds=usual.p95)
    left = axis.place(begin)
    note = f"usually {span(half)}, seldom above {span(far)} (p50 and p95 of {count(usual.runs, 'run')})"
    return Ghost(left, round(axis.place(begin + half) - left, 2), axis.place(begin + far), note)


def slower(phases: Sequence[PhaseRow], usual: Sequence[Usual], now: datetime) -> Mapping[str, str]:
    """Phase → by how much it took longer than one in twenty does, of those that did."""
    by_phase = {each.phase: each for each in usual if each.what == "phase"}
    found = {}
    for phase in phases:
        known = by_phase.get(phase.name)
        if phase.started_at is None or known is None or phase.attempt == 0 or phase.status is PhaseStatus.SKIPPED:
            continue
        seconds = ((phase.finished_at or now) - phase.started_at).total_seconds()
        # A second is nobody's trouble.
        if seconds > known.p95 + 1 and seconds > 1.5 * known.p50:
            found[phase.name] = f"{seconds / max(known.p50, 0.001):.1f} × what is usual"
    return found


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
