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
    evidence, at = row.evidence or {}, _spoken_at(row)
    return CoverageLine(
        row.capability,
        row.databricks,
        row.target,
        (_stage(row, row.mvp, now), _stage(row, row.v1, now), _stage(row, row.v2, now)),
        row.probe or "",
        _said(row),
        str(evidence.get("test", "")),
        str(evidence.get("run", "")),
        ago(at, now) if at else "",
        exact(at) if at else "",
    )


def _said(row: CapabilityRow) -> str:
    if row.failure is not None:
        return f"failed: {row.failure}"
    return f"missing: {row.missing}" if row.missing else str((row.evidence or {}).get("said", ""))


def _spoken_at(row: CapabilityRow) -> datetime | None:
    """When its probe said what is shown; None where none has. Until one has, ``probed_at`` is when all was installed."""
    return row.probed_at if row.failure is not None else row.proven_at


def _stage(row: CapabilityRow, said: str, now: datetime) -> Stage:
    return Stage(*(LOOKS[row.standing(STALE, now)] if said == "supported" else PLANS[said]))
