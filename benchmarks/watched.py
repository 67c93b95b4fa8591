"""Everything that watches, switched on around a stand: traces, logs, a steward with its duties, a scrape each second."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.noop import SAYS
from benchmarks.server import Server

SCRAPE_SECONDS = 1.0


@contextmanager
def traced() -> Iterator[dict[str, str]]:
    """What an executor's environment needs so that it traces to a receiver, and so that its phases say something."""
    with _speaking([sys.executable, "-m", "benchmarks.receiver"], os.environ) as url:
        yield {"OTEL_EXPORTER_OTLP_ENDPOINT": url, SAYS: "1"}


@contextmanager
def watched(host: Server, url: str) -> Iterator[None]:
    """A steward, and metrics that are scraped each second, until the block ends."""
    environment = {**os.environ, "CONTROLROOM_HOME": str(host.home), "CONTROLROOM_DATABASE_URL": url}
    done = threading.Event()
    serve = [sys.executable, "-m", "controlroom", "metrics", "--port", "0"]
    steward = subprocess.Popen(
        [sys.executable, "-m", "compute.steward"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with _speaking(serve, environment) as said:
            where = said.removeprefix("metrics: ")
            thread = threading.Thread(target=_scrape, args=(where, done), name="scrape", daemon=True)
            thread.start()
            try:
                yield
            finally:
                done.set()
                thread.join()
    finally:
        steward.terminate()
        steward.wait(30)


def _scrape(where: str, done: threading.Event) -> None:
    while not done.wait(SCRAPE_SECONDS):
        with urllib.request.urlopen(where, timeout=30) as answer:
            answer.read()


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
