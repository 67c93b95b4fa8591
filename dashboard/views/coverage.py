"""The CAPS report as lines: what we say that we can, and what stands behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.views.runs import Tile
from dashboard.views.words import ago, exact
from ops.watching import CapabilityRow

STALE = timedelta(days=7)
# A tick is worth what stands behind it.
LOOKS: Mapping[str, tuple[str, str]] = {
    "proven": ("✓ proven", "good"),
    "stale": ("✓ proven long ago", "waits"),
    "claimed": ("✓ claimed, not proven here", "waits"),
    "failed": ("✗ its probe failed", "bad"),
}
PLANS: Mapping[str, tuple[str, str]] = {"planned": ("… planned", "busy"), "not planned": ("– not planned", "quiet")}


@dataclass(frozen=True)
class Stage:
    word: str
    tone: str


@dataclass(frozen=True)
class CoverageLine:
    capability: str
    databricks: str
    target: str
    stages: tuple[Stage, Stage, Stage]
    probe: str
    said: str
    test: str
    run_id: str
    when: str
    exact: str


def coverage_tiles(rows: Sequence[CapabilityRow], now: datetime) -> list[Tile]:
    """Of the capabilities that we say are supported by V2, what stands behind how many."""
    counts = Counter(row.standing(STALE, now) for row in rows if row.v2 == "supported")
    return [Tile(name, counts[name], LOOKS[name][1] if counts[name] else "quiet") for name in LOOKS]


def coverage_lines(rows: Sequence[CapabilityRow], now: datetime) -> list[CoverageLine]:
    return [_line(row, now) for row in rows]


def _line(row: CapabilityRow, now: datetime) -> CoverageLine:
    evidence = row.evidence or {}
    return CoverageLine(
        row.capability,
        row.databricks,
        row.target,
        (_stage(row, row.mvp, now), _stage(row, row.v1, now), _stage(row, row.v2, now)),
        row.probe or "no probe",
        f"failed: {row.failure}" if row.failure else str(evidence.get("said", "")),
        str(evidence.get("test", "")),
        str(evidence.get("run", "")),
        ago(row.proven_at, now) if row.proven_at else "",
        exact(row.proven_at) if row.proven_at else "",
    )


def _stage(row: CapabilityRow, said: str, now: datetime) -> Stage:
    return Stage(*(LOOKS[row.standing(STALE, now)] if said == "supported" else PLANS[said]))
