"""A mart published to Postgres beside a bare binary COPY of the same frame: wall, processor, memory, and what readers see."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import polars as pl
import psycopg
from deltalake import WriterProperties, write_deltalake

from benchmarks import measure
from benchmarks.lease import PROJECT, places
from benchmarks.measure import Cost
from benchmarks.publish.mart import mart
from benchmarks.publish.ours import TABLE, TARGET
from benchmarks.report import Report, Samples
from benchmarks.server import Server, server
from ops.model import Scope
from pipelines.staging import GROUP_ROWS

MB = 1_000_000
BARE, OURS = "bare binary COPY", "publish phase"
FULL_ROWS, QUICK_ROWS = 5_000_000, 100_000
LOOK_SECONDS = 0.005


@dataclass
class Seen:
    """What a reader in a loop met."""

    looks: int = 0
    failures: int = 0
    longest: float = 0.0


@contextmanager
def reading(url: str, rows: int) -> Iterator[Seen]:
    """A reader that asks again and again, on a connection of its own; it must always find all rows."""
    seen, done = Seen(), threading.Event()

    def read() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.wait(LOOK_SECONDS):
                clock = time.perf_counter()
                try:
                    row = connection.execute(f"select max(id) from {TARGET} where id >= {rows - 1}".encode()).fetchone()
                    seen.failures += row != (rows - 1,)
                except psycopg.Error:
                    seen.failures += 1
                seen.longest = max(seen.longest, time.perf_counter() - clock)
                seen.looks += 1

    thread = threading.Thread(target=read, name="reader")
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _bare(host: Server, url: str, file: Path) -> Cost:
    _, output = measure.module("benchmarks.publish.bare", [url, str(file), str(host.postmaster)], host.postmaster)
    return Cost.from_json(output)


def _ours(host: Server, ops: str) -> Cost:
    """The same rows each time, under another fingerprint: else nothing would be written."""
    arguments = [ops, str(host.home), uuid4().hex, str(host.postmaster)]
    _, output = measure.module("benchmarks.publish.ours", arguments, host.postmaster)
    return Cost.from_json(output)


def _prepared(host: Server, rows: int) -> tuple[str, str, Path]:
    """The ops database, the readers' database, a file of the frame; the same frame in the lake."""
    readers, ops = host.database("readers", migrated=False), host.database("ops", migrated=True)
    (host.home / "secrets").mkdir()
    (host.home / "secrets" / "readers").write_text(readers)
    frame, file = mart(rows), host.home / "mart.parquet"
    frame.write_parquet(file)
    lake = places(ops, host.home).lake(Scope("default", PROJECT, "dev"))
    # Row groups as the lake's own writers make them.
    groups = WriterProperties(max_row_group_size=GROUP_ROWS)
    write_deltalake(lake.path(TABLE), frame.to_arrow(compat_level=pl.CompatLevel.oldest()), writer_properties=groups)
    return ops, readers, file


def run(quick: bool, rows: int | None = None) -> Report:
    """Bare COPY and publish in turn.

    Args:
        rows: of the mart; by default 100,000 with ``quick``, else 5,000,000.
    """
    repeats = 2 if quick else 5
    wanted = rows or (QUICK_ROWS if quick else FULL_ROWS)
    seen, failures = Samples(), 0
    with server() as host:
        ops, readers, file = _prepared(host, wanted)
        _ours(host, ops)  # There is something to swap, and the files are in the page cache for both.
        with psycopg.connect(readers, autocommit=True) as connection:
            # Readers look by it; it is moved to each table that comes.
            connection.execute(f"create index by_id on {TARGET} (id)".encode())
        for _ in range(repeats):
            bare = _bare(host, readers, file)
            with reading(readers, wanted) as reader:
                ours = _ours(host, ops)
            failures += reader.failures
            seen.add(OURS, "readers' looks", reader.looks)
            seen.add(OURS, "longest look ms", 1000 * reader.longest)
            for row, cost in ((BARE, bare), (OURS, ours)):
                seen.add(row, "wall s", cost.wall)
                seen.add(row, "rows/s", wanted / cost.wall)
                seen.add(row, "client CPU s", cost.client)
                seen.add(row, "server CPU s", cost.server)
                seen.add(row, "peak MB", cost.peak_bytes / MB)
    options = f"{' --quick' if quick else ''}{f' --rows {rows}' if rows else ''}"
    report = Report("publish", f"python -m benchmarks publish{options}", repeats, seen.spreads())
    report.at_most("publish / bare binary COPY, wall", seen.ratio("wall s", OURS, BARE), 1.5)
    report.at_most("peak of the publishing process, MB", max(seen.values(OURS, "peak MB")), 512)
    report.at_most("looks of readers that failed", failures, 0)
    report.notes.append(f"{wanted:,} rows of 12 columns, 4 of them numeric(18, 2); Postgres local.")
    report.notes.append(
        "Publish: reads the Delta table, encodes, copies, builds the index that readers use, analyzes, counts and adds up, "
        "swaps under the fence. The bare COPY has the frame in memory (its peak is that) and builds and checks nothing."
    )
    return report
