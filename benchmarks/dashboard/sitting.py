"""Fifty people who leave the page open for an hour: how much its process grows."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.dashboard.compare import LIVE, MIB
from benchmarks.dashboard.history import fill
from benchmarks.dashboard.serving import Page, page
from benchmarks.dashboard.sessions import Seen, percentile, watch
from benchmarks.report import Report, Samples
from benchmarks.server import server
from ops.database import connect

# Growth over the hour that counts as none, as a share of what there was after the warm-up.
FLAT = 0.05


def run(quick: bool) -> Report:
    """An hour after a warm-up of ten minutes, half of the sessions on the home, half on the runs."""
    runs, sessions, warm, seconds, every = (
        (2_000, 4, 5.0, 10.0, 1.0) if quick else (1_000_000, 50, 600.0, 3_600.0, 60.0)
    )
    with server() as host:
        with connect(host.database("ops", migrated=True), autocommit=True) as owner:
            fill(owner, runs)
        with page(host, "ops") as served:
            sizes, seen = _sat(served, sessions, warm + seconds, every)
    settled = [size for at, size in sizes if at >= warm]
    samples = Samples()
    for size in settled:
        samples.add("the page's process", "MiB", size / MIB)
    for value in seen.milliseconds:
        samples.add("a refresh", "ms", value)
    report = Report("sitting", f"python -m benchmarks sitting{' --quick' if quick else ''}", 1, samples.spreads())
    tenth = max(1, len(settled) // 10)
    begun, ended = sum(settled[:tenth]) / tenth, sum(settled[-tenth:]) / tenth
    report.at_most("growth from the first tenth to the last, share", ended / begun - 1, FLAT)
    report.notes.append(
        f"{runs:,} runs; {sessions} sessions for {seconds / 60:g} minutes after {warm / 60:g} of warm-up, half on the home, "
        f"half on the list of runs; {len(seen.milliseconds):,} refreshes, p95 {percentile(seen.milliseconds, 0.95):.0f} ms. "
        f"Resident at the start {sizes[0][1] / MIB:.0f} MiB, after the warm-up {begun / MIB:.1f}, at the end {ended / MIB:.1f}."
    )
    return report


def _sat(served: Page, sessions: int, seconds: float, every: float) -> tuple[list[tuple[float, int]], Seen]:
    """Seconds since the start and resident bytes, and what the sessions saw."""
    sizes: list[tuple[float, int]] = []
    over = threading.Event()
    began = time.monotonic()

    def measure() -> None:
        while not over.is_set():
            sizes.append((time.monotonic() - began, served.resident_bytes))
            over.wait(every)

    all_seen = Seen()
    with ThreadPoolExecutor(len(LIVE) + 1) as threads:
        measured = threads.submit(measure)
        sat = [threads.submit(watch, served.port, place, sessions // len(LIVE), seconds) for place in LIVE]
        try:
            for each in sat:
                all_seen.milliseconds += each.result().milliseconds
        finally:
            over.set()
        measured.result()
    return sizes, all_seen
