"""Everything that can be switched on, around a stand.

Traces, logs, a steward with its duties that tells a receiver of lineage, a scrape each second, caps, a pool and prices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files

import psycopg
from psycopg.rows import dict_row

from benchmarks.noop import SAYS
from benchmarks.server import Server
from benchmarks.stand import Stand
from ops.database import connect
from ops.limits import Limits
from ops.rpc import Rpc

POOL = "bench_source"
SCRAPE_SECONDS = 1.0
SETTLE_SECONDS = 60.0
# Never reached: what is measured is what limits cost those whom they do not stop.
PLENTY = Decimal(10**9)
RECEIVED = {"/v1/traces": "posts of traces", "/api/v1/lineage": "events of lineage"}


@contextmanager
def receiver() -> Iterator[str]:
    """The URL of a receiver of traces and of lineage."""
    with _speaking([sys.executable, "-m", "benchmarks.receiver"], os.environ) as url:
        yield url


def traced(url: str) -> dict[str, str]:
    """What an executor's environment needs so that it traces to the receiver, and so that its phases say something."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, SAYS: "1"}


@dataclass
class Watch:
    """What watches a stand; :meth:`used` says what of it had something to do."""

    stand: Stand
    receiver: str
    scrapes: list[int] = field(default_factory=list)

    def used(self) -> dict[str, int]:
        """How often each thing was used, when all that is done afterwards has been done for every run.

        Raises:
            RuntimeError: it is not done after a while; the message has what there is.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while not _settled(seen := self._seen()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not everything is used by every run after {SETTLE_SECONDS:.0f} s: {seen}")
            time.sleep(0.2)
        return seen

    def _seen(self) -> dict[str, int]:
        with self.stand.connection.cursor(row_factory=dict_row) as cursor:
            seen = cursor.execute((files("benchmarks") / "used.sql").read_bytes()).fetchone()
        assert seen is not None
        with urllib.request.urlopen(self.receiver, timeout=30) as answer:
            posted = json.load(answer)
        return {**seen, **{said: posted.get(path, 0) for path, said in RECEIVED.items()}, "scrapes": len(self.scrapes)}


def _settled(seen: Mapping[str, int]) -> bool:
    few = ("posts of traces", "scrapes")
    return all(count >= (1 if name in few else seen["runs"]) for name, count in seen.items())


@contextmanager
def watched(host: Server, stand: Stand, receiver_url: str) -> Iterator[Watch]:
    """A steward that tells of lineage, metrics that are scraped each second, limits and prices, until the block ends."""
    _limit(stand.url)
    environment = {**os.environ, "CONTROLROOM_HOME": str(host.home), "CONTROLROOM_DATABASE_URL": stand.url}
    told = {**environment, "CONTROLROOM_OPENLINEAGE": receiver_url}
    watch, done = Watch(stand, receiver_url), threading.Event()
    serve = [sys.executable, "-m", "controlroom", "metrics", "--port", "0"]
    steward = subprocess.Popen(
        [sys.executable, "-m", "compute.steward"], env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with _speaking(serve, environment) as said:
            where = said.removeprefix("metrics: ")
            thread = threading.Thread(target=_scrape, args=(where, watch.scrapes, done), name="scrape", daemon=True)
            thread.start()
            try:
                _wait_for_telling(stand.connection, steward)
                yield watch
            finally:
                done.set()
                thread.join()
    finally:
        steward.terminate()
        steward.wait(30)


def _limit(url: str) -> None:
    """A concurrent cap, metered ones and a pool that concern every run, and a price of each unit."""
    with connect(url, autocommit=True) as connection:
        Rpc(connection).ensure_project("default", "bench")
        limits = Limits(connection)
        limits.set_cap("default", None, "bench_runs", "runs", PLENTY, "concurrent")
        limits.set_cap("default", "bench", "bench_cpu", "cpu_seconds", PLENTY, "day")
        limits.set_cap("default", None, "bench_money", "money", PLENTY, "month")
        limits.set_pool("default", "bench", POOL, 100)
        for unit in ("cpu_second", "gb_hour", "gb_read", "gb_written"):
            limits.set_price("default", unit, Decimal("0.01"), "EUR")


def _wait_for_telling(connection: psycopg.Connection, steward: subprocess.Popen[bytes]) -> None:
    """Of runs that ended before the first look for them, nothing is told."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not connection.execute("select 1 from private.lineage_mark").fetchone():
        if steward.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the steward did not begin to tell of lineage")
        time.sleep(0.05)


def _scrape(where: str, scrapes: list[int], done: threading.Event) -> None:
    while not done.wait(SCRAPE_SECONDS):
        with urllib.request.urlopen(where, timeout=30) as answer:
            scrapes.append(len(answer.read()))


@contextmanager
def _speaking(command: list[str], environment: Mapping[str, str]) -> Iterator[str]:
    """A process, and the first line that it prints."""
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        if not said:
            raise RuntimeError(f"{' '.join(command[1:])} ended with {process.wait(10)}")
        yield said
    finally:
        process.terminate()
        process.communicate(timeout=30)
