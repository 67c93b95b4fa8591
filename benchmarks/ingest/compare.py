"""Ingest of one big table into bronze beside the drain of the same table: wall, processor, memory."""

from __future__ import annotations

import shutil

from benchmarks import measure
from benchmarks.measure import Cost
from benchmarks.odoo_source import JOURNAL, journal_items
from benchmarks.report import Report, Samples
from benchmarks.server import Server, server

MB = 1_000_000
DRAIN = "COPY drain"
FULL_ROWS, QUICK_ROWS = 5_000_000, 200_000


def _drain(host: Server, source: str) -> Cost:
    _, output = measure.module("benchmarks.ingest.drain", [source, JOURNAL, str(host.postmaster)], host.postmaster)
    return Cost.from_json(output)


def _ingest(host: Server, repeat: int, readers: int) -> Cost:
    """Into an empty lake of a new installation each time; the last one's files are gone before the clock runs."""
    shutil.rmtree(host.home / "lake", ignore_errors=True)
    url = host.database(f"ops_{repeat}", migrated=True)
    arguments = [url, str(host.home), JOURNAL, str(readers), str(host.postmaster)]
    _, output = measure.module("benchmarks.ingest.ours", arguments, host.postmaster)
    return Cost.from_json(output)


def run(quick: bool, rows: int | None = None) -> Report:
    """Drain and ingest in turn.

    Args:
        rows: journal items in the source; by default 200,000 with ``quick``, else 5,000,000.
    """
    repeats = 2 if quick else 3
    wanted = rows or (QUICK_ROWS if quick else FULL_ROWS)
    ingest = "ingest into bronze"
    seen = Samples()
    with server() as host:
        source = journal_items(host, wanted)
        (host.home / "secrets").mkdir()
        (host.home / "secrets" / "odoo_dsn").write_text(source)
        _drain(host, source)  # Into the page cache, for both.
        for repeat in range(repeats):
            for row, cost in ((DRAIN, _drain(host, source)), (ingest, _ingest(host, repeat, 2))):
                seen.add(row, "wall s", cost.wall)
                seen.add(row, "rows/s", wanted / cost.wall)
                seen.add(row, "client CPU s", cost.client)
                seen.add(row, "server CPU s", cost.server)
                seen.add(row, "peak MB", cost.peak_bytes / MB)
    options = f"{' --quick' if quick else ''}{f' --rows {rows}' if rows else ''}"
    report = Report("ingest", f"python -m benchmarks ingest{options}", repeats, seen.spreads())
    report.at_most("ingest / COPY drain, wall", seen.ratio("wall s", ingest, DRAIN), 1.5)
    report.at_most("peak of the ingest process, MB", max(seen.values(ingest, "peak MB")), 512)
    report.notes.append(
        f"{wanted:,} journal items of 40 columns (16 of them numeric); page cache warm; Postgres local."
    )
    report.notes.append("Ingest: snapshot, read, type, fingerprint, Parquet (zstd), landing, fenced commit, lineage.")
    return report
