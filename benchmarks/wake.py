"""How long a run waits for an executor that has nothing to do: enqueue → start, woken by NOTIFY."""

from __future__ import annotations

import math
import random
import time

from benchmarks.noop import noops
from benchmarks.report import Report, Samples
from benchmarks.server import server
from benchmarks.stand import Facts, Stand, plain_stand

WARM_UP = 10
NOTICED = "enqueue → claim, ms"
STARTED = "enqueue → start, ms"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def _waits(facts: Facts) -> tuple[float, float]:
    """Milliseconds from creation to claim and to start, by the database's clock."""
    claim, start = (facts[moment] - facts["created_at"] for moment in ("claimed_at", "started_at"))
    return 1000 * claim.total_seconds(), 1000 * start.total_seconds()


def _one(stand: Stand) -> tuple[float, float]:
    facts = stand.run(noops(1))
    # Idle again, and at no fixed point of its poll: a lucky poll must not pass for a notification.
    time.sleep(random.uniform(0.05, 0.15))
    return _waits(facts)


def run(quick: bool) -> Report:
    """One run at a time, each to an idle executor."""
    runs = 20 if quick else 400
    seen = Samples()
    with server() as host, plain_stand(host, "ops", slots=1) as stand:
        for _ in range(WARM_UP):
            _one(stand)
        waits = [_one(stand) for _ in range(runs)]
    for name, values in ((NOTICED, [wait[0] for wait in waits]), (STARTED, [wait[1] for wait in waits])):
        for share in (0.5, 0.99):
            seen.add(name, f"p{share * 100:.0f}", percentile(values, share))
        seen.add(name, "highest", max(values))
    report = Report("wake", f"python -m benchmarks wake{' --quick' if quick else ''}", 1, seen.spreads())
    report.at_most("p50, ms", seen.median(STARTED, "p50"), 10)
    report.at_most("p99, ms", seen.median(STARTED, "p99"), 50)
    report.notes.append(f"{runs} runs, one at a time, to one idle executor (its poll: 0.5 to 1 s).")
    return report
