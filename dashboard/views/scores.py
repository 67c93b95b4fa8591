"""Scores: what cost a run its points, and what other weights would have made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.views.words import exact
from ops.pipeline_reads import ScoredRun
from ops.scores import GateRow, Part, Score, WeightRow


@dataclass(frozen=True)
class PartLine:
    signal: str
    value: str
    now: str
    then: str
    said: str


def run_label(run: ScoredRun) -> str:
    """As it is chosen; by the end of its id, since several may be of one second."""
    return f"{exact(run.created_at)} · {run.env} · {run.score:.0f} · {str(run.run_id)[-12:]}"


def compared(now: Score, then: Score) -> str:
    """``71.4 instead of 64.0 (+7.4)``."""
    difference = then.score - now.score
    return (
        f"{then.score:.1f} instead of {now.score:.1f} ({difference:+.1f})"
        if difference
        else f"{now.score:.1f}, as it is"
    )


def part_lines(now: Score, then: Score) -> list[PartLine]:
    """What each signal gave and would give; in the order of what costs most as it is."""
    others = {part.signal: part for part in then.parts}
    return [
        PartLine(part.signal, f"{part.value:g}", _points(part), _points(others.get(part.signal)), part.said or "")
        for part in now.parts
    ]


def _points(part: Part | None) -> str:
    return "–" if part is None else f"{part.points:.1f} of {part.possible:.1f}"


def weight_words(row: WeightRow) -> str:
    """``costs nothing up to 0, half of its points 2 beyond that``."""
    return f"costs nothing up to {row.free_until:g}, half of its points {row.half_at:g} beyond that"


def changed_weights(rows: Sequence[WeightRow], given: Mapping[str, float]) -> dict[str, float]:
    """Those that differ from what is kept."""
    return {row.signal: given[row.signal] for row in rows if given.get(row.signal, row.weight) != row.weight}


def gate_words(row: GateRow) -> str:
    return f"{row.pipeline or 'every pipeline without a gate of its own'} into {row.env}"
