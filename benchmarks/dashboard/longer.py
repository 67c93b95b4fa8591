"""The page on a history ten times as long, beside the ordinary one: two pages of one server, looked at in turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Page as Tab

from benchmarks.dashboard import looks
from benchmarks.dashboard.compare import LIVE
from benchmarks.dashboard.history import FULL_RUN, QUICK_RUN, TOLD, fill, long_run
from benchmarks.dashboard.serving import Page, page
from benchmarks.dashboard.sessions import percentile, watch
from benchmarks.report import Report, Samples, Spread
from benchmarks.server import Server, server
from ops.database import connect
from ops.model import RunId

ORDINARY, LONG = "ordinary", "long"
MOST = 1.2
# So often each history is watched, in turn: what else the machine does then meets both.
BLOCKS, QUICK_BLOCKS = 4, 1


def run(quick: bool, rows: int | None = None) -> Report:
    """Args:
    rows: runs in the long history; a full run has ten million beside one million.
    """
    short, long_, repeats, sessions, seconds = (2_000, 6_000, 1, 5, 7.0) if quick else (TOLD, 10 * TOLD, 20, 100, 30.0)
    sizes = {ORDINARY: short, LONG: rows or long_}
    seen = {each: Samples() for each in sizes}
    with server() as host:
        opened = {name: _filled(host, name, runs, quick) for name, runs in sizes.items()}
        with looks.browser() as browser, _served(host, sizes) as pages:
            tabs = {name: browser.new_page(viewport={"width": 1400, "height": 1000}) for name in sizes}
            for address, there in looks.links(opened[ORDINARY]).items():
                _links(seen, pages, tabs, opened, address, there, repeats)
            for _ in range(repeats):
                for name in sizes:
                    looks.navigation(seen[name], tabs[name], pages[name].where, 1)
                    looks.lists(seen[name], tabs[name], pages[name].where, 1)
        with _served(host, sizes) as pages:
            for place in LIVE:
                _live(seen, pages, place, QUICK_BLOCKS if quick else BLOCKS, sessions, seconds)
    return _report(quick, repeats, sizes, seen)


def _filled(host: Server, name: str, runs: int, quick: bool) -> RunId:
    with connect(host.database(name, migrated=True), autocommit=True) as owner:
        fill(owner, runs)
        return long_run(owner, *(QUICK_RUN if quick else FULL_RUN))


@contextmanager
def _served(host: Server, sizes: Mapping[str, int]) -> Iterator[dict[str, Page]]:
    with ExitStack() as both:
        yield {name: both.enter_context(page(host, name)) for name in sizes}


def _links(
    seen: Mapping[str, Samples],
    pages: Mapping[str, Page],
    tabs: Mapping[str, Tab],
    opened: Mapping[str, RunId],
    address: str,
    there: str,
    repeats: int,
) -> None:
    for number in range(repeats + 1):
        for name in pages:
            own = address.replace(str(opened[ORDINARY]), str(opened[name]))
            took = looks.loaded(tabs[name], f"{pages[name].where}/{own}", there)
            # The first is the one that the browser does not know yet.
            if number:
                seen[name].add(looks.named(address), "ms", took)


def _live(
    seen: Mapping[str, Samples], pages: Mapping[str, Page], place: str, blocks: int, sessions: int, seconds: float
) -> None:
    for name in pages:
        watch(pages[name].port, place, 1, 5.0)
    for _ in range(blocks):
        for name in pages:
            for value in watch(pages[name].port, place, sessions, seconds).milliseconds:
                seen[name].add(f"live: {place or 'home'}", "ms", value)


def _report(quick: bool, repeats: int, sizes: Mapping[str, int], seen: Mapping[str, Samples]) -> Report:
    figures = {
        row: {name: Spread.of(seen[name].values(row, "ms")) for name in sizes} for row in seen[ORDINARY].spreads()
    }
    command = f"python -m benchmarks history{' --quick' if quick else ''}"
    report = Report("history", command, repeats, figures)
    for row in figures:
        one, other = seen[LONG].values(row, "ms"), seen[ORDINARY].values(row, "ms")
        if row.startswith("live"):
            report.at_most(f"{row}, p95, times the ordinary", percentile(one, 0.95) / percentile(other, 0.95), MOST)
        else:
            both = Samples()
            for value, beside in zip(one, other, strict=True):
                both.add(LONG, "ms", value)
                both.add(ORDINARY, "ms", beside)
            report.at_most(f"{row}, times the ordinary", both.ratio("ms", LONG, ORDINARY), MOST)
    report.notes.append(
        f"Milliseconds, {sizes[ORDINARY]:,} and {sizes[LONG]:,} runs in two databases of one server, each with a page of its "
        f"own; the last {min(TOLD, sizes[ORDINARY]):,} and {min(TOLD, sizes[LONG]):,} with ten events each."
    )
    report.notes.append(
        "A ratio is the median of the ratios of each turn; of the live pages, watched in turn as well, that of their p95."
    )
    return report
