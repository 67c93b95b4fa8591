"""Claim → complete, side by side: bare pgbench, our claim under pgbench, our RPCs, procrastinate, pgqueuer."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files

import psycopg

from benchmarks import measure
from benchmarks.measure import Cost, Meter
from benchmarks.noop import noops
from benchmarks.queue import ours
from benchmarks.report import Report, Samples
from benchmarks.server import Server, server
from benchmarks.stand import plain_stand
from pipelines.catalogue import new_phases

CLIENTS = 4
BATCH = 10
SLOTS = 4
BARE, CLAIM = "bare claim under pgbench", "claim_run under pgbench"
OURS, EXECUTOR = "claim → complete by RPC, full history", "executor, one no-op phase, full history"
PEERS = {"procrastinate": "benchmarks.queue.peer_procrastinate", "pgqueuer": "benchmarks.queue.peer_pgqueuer"}


def _pgbench(host: Server, url: str, script: str, jobs: int, batch: int) -> tuple[float, Cost]:
    """Claims all jobs, ``batch`` in each call; jobs per second, and the cost."""
    path = files("benchmarks.queue") / "sql" / script
    arguments = [
        host.pgbench,
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={CLIENTS}",
        "--jobs=2",
        f"--transactions={jobs // CLIENTS // batch}",
        f"--define=batch={batch}",
        f"--file={path}",
        url,
    ]
    cost, output = measure.command(arguments, host.postmaster)
    found = re.search(r"tps = ([0-9.]+)", output)
    if found is None:
        raise RuntimeError(f"pgbench said nothing of tps: {output[-500:]}")
    return float(found.group(1)) * batch, cost


def _bare(host: Server, jobs: int, batch: int) -> tuple[float, Cost]:
    url = host.database("bare", migrated=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((files("benchmarks.queue") / "sql" / "bare_schema.sql").read_bytes())
        connection.execute("insert into bare_job (priority) select 100 from generate_series(1, %s)", [jobs])
        connection.execute("vacuum analyze bare_job")
    return _pgbench(host, url, "bare_claim.sql", jobs, batch)


def _our_claim(host: Server, jobs: int, batch: int) -> tuple[float, Cost]:
    url = host.database("claim", migrated=True)
    ours.prepare(url, jobs)
    return _pgbench(host, url, "our_claim.sql", jobs, batch)


def _ours(host: Server, jobs: int) -> Cost:
    url = host.database("ours", migrated=True)
    ours.prepare(url, jobs)
    return _drained("benchmarks.queue.ours", host, url, jobs)


def _executor(host: Server, jobs: int) -> Cost:
    """Real runs of one no-op phase, each in the executor's child processes; from their commit to the last one's end."""
    pipeline = noops(1)
    with plain_stand(host, "executor", SLOTS) as stand:
        stand.run_all([pipeline] * 4 * SLOTS)
        with stand.connection.transaction():
            ours.queue_runs(stand.connection, jobs, pipeline.to_json(), new_phases(pipeline))
            meter = Meter(host.postmaster, stand.executor)
        stand.wait_until_empty()
        return meter.read()


def _peer(name: str) -> Callable[[Server, int], Cost]:
    def run(host: Server, jobs: int) -> Cost:
        url = host.database(name, migrated=False)
        measure.module(PEERS[name], ["prepare", url, str(jobs), "0"], host.postmaster)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        return _drained(PEERS[name], host, url, jobs)

    return run


def _drained(module: str, host: Server, url: str, jobs: int) -> Cost:
    """Each contender measures itself from its first claim to its last answer: its imports are not counted."""
    _, output = measure.module(module, ["drain", url, str(jobs), str(host.postmaster)], host.postmaster)
    return Cost.from_json(output)


CLAIMS = (
    (BARE, _bare, 1),
    (CLAIM, _our_claim, 1),
    (f"{BARE}, {BATCH} a call", _bare, BATCH),
    (f"{CLAIM}, {BATCH} a call", _our_claim, BATCH),
)


def run(quick: bool) -> Report:
    """Runs all contenders in turn, again and again, so that a noisy minute hurts each alike."""
    repeats, claims, jobs, phases = (1, 400, 400, 100) if quick else (5, 8000, 4000, 1000)
    seen = Samples()
    contenders: dict[str, tuple[Callable[[Server, int], Cost], int]] = {
        OURS: (_ours, jobs),
        EXECUTOR: (_executor, phases),
        **{name: (_peer(name), jobs) for name in PEERS},
    }
    with server() as host:
        for _ in range(repeats):
            for row, claim, batch in CLAIMS:
                tps, cost = claim(host, claims, batch)
                seen.add(row, "jobs/s", tps)
                seen.add(row, "server CPU ms/job", 1000 * cost.server / claims)
            for row, (drain, count) in contenders.items():
                cost = drain(host, count)
                seen.add(row, "jobs/s", count / cost.wall)
                seen.add(row, "jobs per CPU-second", count / cost.cpu)
                seen.add(row, "client CPU ms/job", 1000 * cost.client / count)
                seen.add(row, "server CPU ms/job", 1000 * cost.server / count)
    report = Report("queue", f"python -m benchmarks queue{' --quick' if quick else ''}", repeats, seen.spreads())
    report.at_least("claim_run / bare claim, claims per second", seen.ratio("jobs/s", CLAIM, BARE), 0.8)
    for row in (OURS, EXECUTOR):
        for name, bound in (("procrastinate", 10), ("pgqueuer", 2)):
            report.at_least(f"{row} / {name}, jobs per CPU-second", seen.ratio("jobs per CPU-second", row, name), bound)
    report.notes.append(
        f"A repeat: {claims} claims by {CLIENTS} pgbench clients, {jobs} no-op jobs drained by one process ({phases} runs by "
        f"the executor with {SLOTS} slots); fsync and autovacuum on."
    )
    report.notes.append(
        f"Ours: claims of {ours.CLAIMS_A_CALL}, start and complete of each in one pipeline, as controlroom_executor; four "
        "hash-chained events a run (the executor's: six). procrastinate keeps jobs and events; pgqueuer keeps a log alone."
    )
    return report
