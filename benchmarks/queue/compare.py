"""Claim → complete, side by side: bare pgbench, our RPC under pgbench, our executor, procrastinate, pgqueuer."""

from __future__ import annotations

import os
import re
import statistics
from collections import defaultdict
from importlib.resources import files

import psycopg

from benchmarks import measure
from benchmarks.queue import ours
from benchmarks.report import Report, Spread
from benchmarks.server import Server, server

CLIENTS = 4


def _pgbench(host: Server, url: str, script: str, claims: int) -> tuple[float, measure.Cost]:
    path = files("benchmarks.queue") / "sql" / script
    arguments = [
        host.pgbench,
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={CLIENTS}",
        "--jobs=2",
        f"--transactions={claims // CLIENTS}",
        f"--file={path}",
        url,
    ]
    cost, output = measure.command(arguments, host.postmaster)
    found = re.search(r"tps = ([0-9.]+)", output)
    if found is None:
        raise RuntimeError(f"pgbench said nothing of tps: {output[-500:]}")
    return float(found.group(1)), cost


def _bare(host: Server, jobs: int) -> tuple[float, measure.Cost]:
    url = host.database("bare", migrated=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((files("benchmarks.queue") / "sql" / "bare_schema.sql").read_bytes())
        connection.execute("insert into bare_job (priority) select 100 from generate_series(1, %s)", [jobs])
        connection.execute("vacuum analyze bare_job")
    return _pgbench(host, url, "bare_claim.sql", jobs)


def _our_claim(host: Server, jobs: int) -> tuple[float, measure.Cost]:
    url = host.database("claim", migrated=True)
    ours.prepare(url, jobs)
    return _pgbench(host, url, "our_claim.sql", jobs)


def _drain(host: Server, name: str, jobs: int) -> measure.Cost:
    url = host.database(name, migrated=name == "ours")
    module = "benchmarks.queue.ours" if name == "ours" else f"benchmarks.queue.peer_{name}"
    measure.module(module, ["prepare", url, str(jobs)], host.postmaster)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    cost, _ = measure.module(module, ["drain", url, str(jobs)], host.postmaster)
    return cost


def run(quick: bool) -> Report:
    """Runs all contenders in turn, ``repeats`` times, so that a noisy minute hurts each alike."""
    repeats, jobs = (1, 400) if quick else (5, 3000)
    report = Report("queue", f"python -m benchmarks queue{' --quick' if quick else ''}", repeats)
    seen: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with server() as host:
        for _ in range(repeats):
            for row, claim in (("bare pgbench claim", _bare), ("claim_run under pgbench", _our_claim)):
                tps, cost = claim(host, jobs)
                seen[row]["claims/s"].append(tps)
                seen[row]["server CPU ms/job"].append(1000 * cost.server / jobs)
            for name in ("ours", "procrastinate", "pgqueuer"):
                cost = _drain(host, name, jobs)
                row = "executor, full history" if name == "ours" else name
                seen[row]["jobs/s"].append(jobs / cost.wall)
                seen[row]["jobs per CPU-second"].append(jobs / cost.cpu)
                seen[row]["server CPU ms/job"].append(1000 * cost.server / jobs)
    for row, figures in seen.items():
        report.figures[row] = {name: Spread.of(values) for name, values in figures.items()}
    median = {row: {name: statistics.median(values) for name, values in figures.items()} for row, figures in seen.items()}
    executor = median["executor, full history"]["jobs per CPU-second"]
    report.at_least(
        "claim RPC / bare pgbench claim",
        median["claim_run under pgbench"]["claims/s"] / median["bare pgbench claim"]["claims/s"],
        0.8,
    )
    report.at_least("executor / procrastinate, jobs per CPU-second", executor / median["procrastinate"]["jobs per CPU-second"], 10)
    report.at_least("executor / pgqueuer, jobs per CPU-second", executor / median["pgqueuer"]["jobs per CPU-second"], 2)
    report.notes.append(f"{jobs} no-op jobs a repeat, {CLIENTS} pgbench clients on {os.cpu_count()} cores, fsync on.")
    report.notes.append("Process start is inside each contender's figures: all are Python processes that import their library.")
    return report
