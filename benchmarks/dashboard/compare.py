"""Fills the history, serves the page, looks at it."""

from __future__ import annotations

from benchmarks.dashboard import looks
from benchmarks.dashboard.history import FULL_RUN, PROJECTS, QUICK_RUN, TOLD, fill, long_run
from benchmarks.dashboard.serving import Page, page
from benchmarks.dashboard.sessions import percentile, watch
from benchmarks.report import Report, Samples
from benchmarks.server import server
from ops.database import connect

LIVE = ("", "runs")
MIB = 2**20


def run(quick: bool, rows: int | None = None) -> Report:
    """Args:
    rows: runs in the history; a full run has a million.
    """
    runs, repeats, sessions, seconds = (2_000, 2, 5, 8.0) if quick else (1_000_000, 20, 100, 60.0)
    runs = rows or runs
    phases, events = QUICK_RUN if quick else FULL_RUN
    seen, live = Samples(), dict[str, float]()
    with server() as host:
        url = host.database("ops", migrated=True)
        with connect(url, autocommit=True) as owner:
            fill(owner, runs)
            longest = long_run(owner, phases, events)
        links = looks.links(longest)
        with looks.browser() as browser:
            for _ in range(max(1, repeats // 4)):
                with page(host, "ops") as served:
                    seen.add("start of the server", "ms", 1000 * served.ready_seconds)
                    looks.first_load(seen, browser, served.where, 1)
            with page(host, "ops") as served:
                opened = browser.new_page(viewport={"width": 1400, "height": 1000})
                looks.deep_links(seen, opened, served.where, links, repeats)
                looks.navigation(seen, opened, served.where, repeats)
                looks.lists(seen, opened, served.where, repeats)
        for name in LIVE:
            with page(host, "ops") as served:
                _live(seen, live, served, name, sessions, seconds)
    report = Report(
        "dashboard", f"python -m benchmarks dashboard{' --quick' if quick else ''}", repeats, seen.spreads()
    )
    _targets(report, seen, live, links)
    report.notes.append(
        f"{runs:,} runs in {PROJECTS} projects, all of them the looker's, under the policies; "
        f"the last {min(runs, TOLD):,} with ten events each; beside them, however many runs, 2,700 tables, one of them with "
        f"a hundred versions, 480 alerts, scores of the latest {min(runs, 3_000):,} runs, 5 caps and 800 questions in SQL."
    )
    report.notes.append(
        f"The run that is opened has {phases} phases and {events:,} events. Browser and server share the cores."
    )
    return report


def _live(seen: Samples, live: dict[str, float], served: Page, name: str, sessions: int, seconds: float) -> None:
    said = name or "home"
    watch(served.port, name, 1, 5.0)
    before = served.resident_bytes
    told = watch(served.port, name, sessions, seconds)
    live[f"{said} p95"] = percentile(told.milliseconds, 0.95)
    live[f"{said} MiB"] = (served.resident_bytes - before) / MIB / sessions
    row = f"live: {said}, {sessions} sessions"
    for value in told.milliseconds:
        seen.add(row, "ms", value)
    for size in told.sizes:
        seen.add(row, "KiB", size / 1024)


def _targets(report: Report, seen: Samples, live: dict[str, float], links: dict[str, str]) -> None:
    started = seen.median("start of the server", "ms") + seen.median("first load, nothing cached", "ms")
    report.at_most("start of the process → first page, ms", started, 3000)
    report.at_most("first load, nothing cached, ms", seen.median("first load, nothing cached", "ms"), 2000)
    slowest = max(seen.median(looks.named(each), "ms") for each in links)
    report.at_most("slowest deep link, ms", slowest, 600)
    report.at_most("from page to page, ms", seen.median("from page to page", "ms"), 250)
    report.at_most("filter to rows, p95, ms", percentile(seen.values("filter to rows", "ms"), 0.95), 150)
    report.at_most("next page to rows, ms", seen.median("next page to rows", "ms"), 100)
    for name in LIVE:
        said = name or "home"
        report.at_most(f"live refresh of {said}, p95, ms", live[f"{said} p95"], 50)
        report.at_most(f"memory of a session of {said}, MiB", live[f"{said} MiB"], 1)
