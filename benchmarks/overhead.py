"""What the control plane costs a run that does nothing: five no-op phases in a row, on warm executors."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.measure import Meter
from benchmarks.noop import noops
from benchmarks.report import Report, Samples
from benchmarks.server import Server, server
from benchmarks.stand import Stand, plain_stand, ray_stand, wall
from benchmarks.watched import POOL, receiver, traced, watched
from pipelines.spec import Pipeline

PHASES = 5
WARM_UP = 5
BURSTS = 3
SLOTS = 2
PLAIN, RAY = "plain executor", "executor and phases on Ray"
WATCHED = "plain executor, everything on"


def _measured(host: Server, stands: Mapping[str, Stand], runs: int, seen: Samples) -> None:
    """One run at a time, then all at once: the first says how long one takes, the second what it costs.

    Stands take turns, run by run, so that whatever else the machine does is every stand's alike.
    """
    for _ in range(WARM_UP):
        for row, stand in stands.items():
            stand.run(_pipeline(row))
    for _ in range(runs):
        for row, stand in stands.items():
            seen.add(row, "one run, ms", 1000 * wall(stand.run(_pipeline(row))))
    for _ in range(BURSTS):
        for row, stand in stands.items():
            _burst(host, stand, row, runs, seen)


def _pipeline(row: str) -> Pipeline:
    return noops(PHASES, POOL if row == WATCHED else None)


def _burst(host: Server, stand: Stand, row: str, runs: int, seen: Samples) -> None:
    meter = Meter(host.postmaster, stand.executor)
    facts = stand.run_all([_pipeline(row)] * runs)
    spent = meter.read()
    began, ended = min(one["created_at"] for one in facts), max(one["finished_at"] for one in facts)
    seen.add(row, "burst, runs/s", runs / (ended - began).total_seconds())
    seen.add(row, "executor CPU ms/run", 1000 * spent.client / runs)
    seen.add(row, "server CPU ms/run", 1000 * spent.server / runs)


def run(quick: bool) -> Report:
    """Runs of five phases, from creation to end by the database's clock; Ray only where there is time to start it."""
    runs = 5 if quick else 100
    seen = Samples()
    with server() as host:
        with (
            receiver() as url,
            plain_stand(host, "plain", slots=SLOTS) as plain,
            plain_stand(host, "watched", slots=SLOTS, more=traced(url)) as everything,
            watched(host, everything, url) as watch,
        ):
            _measured(host, {PLAIN: plain, WATCHED: everything}, runs, seen)
            used = watch.used()
        if not quick:
            with ray_stand(host, "ray", slots=SLOTS) as stand:
                _measured(host, {RAY: stand}, runs, seen)
    report = Report("overhead", f"python -m benchmarks overhead{' --quick' if quick else ''}", runs, seen.spreads())
    report.at_most("run of five no-op phases, median ms", seen.median(PLAIN, "one run, ms"), 100)
    both = seen.median(PLAIN, "one run, ms"), seen.median(WATCHED, "one run, ms")
    report.at_most("the same with everything on, median ms", both[1], 100)
    report.at_most("everything on, as a multiple of everything off", both[1] / both[0], 2)
    if not quick:
        report.at_most("the same on Ray, median ms", seen.median(RAY, "one run, ms"), 100)
    report.notes.append(
        f"Each phase waits for the one before; {runs} runs, then {BURSTS} bursts of {runs}, {SLOTS} slots."
    )
    report.notes.append(
        "Everything on: each run traced to an OTLP receiver, each phase with a log of its own that is kept, a steward at its "
        "duties that tells a receiver of OpenLineage over HTTP, metrics scraped each second, a concurrent and two metered caps "
        "and a pool that concern each run and hold none back, a price of each unit. The executor's CPU is without the "
        "steward's and the scrape's."
    )
    for what, count in used.items():
        report.at_least(f"everything on: {what}", count, 1)
    report.notes.append(f"{4 + 2 * PHASES} hash-chained events a run.")
    return report
