"""A run's score and its parts beside the last good run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ops.run_reads import GoodRun, SignalRow
from ops.views import RunDetail

# What signals give that know no number for it (a run that failed).
AS_BAD_AS_CAN_BE = 1e9
Breakdown = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class ScoreLine:
    """One signal's part; ``share`` is how much of its points it gave, in percent; ``change`` is told beside the other run."""

    signal: str
    value: str
    points: str
    possible: str
    share: float
    tone: str
    change: str
    said: str


def beside(run: RunDetail, good: GoodRun | None) -> str:
    """How it stands to the last good run; empty where there is no score or none to compare with."""
    if run.score is None or good is None:
        return ""
    difference = run.score - good.score
    return f"{difference:+.1f} beside the last good run" if difference else "the same as the last good run"


def score_lines(run: RunDetail, good: GoodRun | None, signals: Sequence[SignalRow]) -> list[ScoreLine]:
    """What cost most first, then signals that have no weight."""
    before = {str(part["signal"]): part for part in (good.breakdown if good else ())}
    parts = _parts(run.score_breakdown)
    said = {each.signal: each.said for each in signals}
    lines = [_line(part, before.get(str(part["signal"])), said, good is not None) for part in parts]
    weighed = {line.signal for line in lines}
    return lines + [
        ScoreLine(each.signal, number(each.value), "", "", 0.0, "quiet", "", each.said or "no weight: it is only noted")
        for each in signals
        if each.signal not in weighed
    ]


def _line(
    part: Mapping[str, object], before: Mapping[str, object] | None, said: Mapping[str, str], good: bool
) -> ScoreLine:
    points, possible = Decimal(str(part["points"])), Decimal(str(part["possible"]))
    share = float(points / possible * 100) if possible else 100.0
    name = str(part["signal"])
    return ScoreLine(
        name,
        number(float(str(part["value"]))),
        f"{points:.1f}",
        f"{possible:.1f}",
        round(share, 1),
        "good" if share >= 90 else "waits" if share >= 50 else "bad",
        "" if not good else "none then" if before is None else _change(points - Decimal(str(before["points"]))),
        str(part.get("said") or said.get(name, "")),
    )


def number(value: float) -> str:
    """As people read it; what stands for "as bad as can be" is no number."""
    return f"{value:g}" if abs(value) < AS_BAD_AS_CAN_BE else "–"


def _change(difference: Decimal) -> str:
    return f"{difference:+.1f}" if abs(difference) >= Decimal("0.05") else "±0"


def _parts(breakdown: object) -> Breakdown:
    return [each for each in breakdown if isinstance(each, Mapping)] if isinstance(breakdown, list) else []
