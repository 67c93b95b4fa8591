"""The dashboard's own process, on the benchmark's database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import Server
from ops.embedded_host import free_port

START_SECONDS = 120.0


@dataclass(frozen=True)
class Page:
    """A page that is served.

    Attributes:
        ready_seconds: from the start of its process to its first answer.
    """

    where: str
    port: int
    pid: int
    ready_seconds: float

    @property
    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def page(host: Server, database: str) -> Iterator[Page]:
    """Serves the page as ``controlroom up`` does, to whoever sits at this machine."""
    port = free_port()
    environment = {
        **os.environ,
        "CONTROLROOM_HOME": str(host.home),
        "CONTROLROOM_DATABASE_URL": host.cluster.url(database),
        "CONTROLROOM_LOGIN_URL": host.cluster.login_url(database),
    }
    log = host.home / "dashboard.log"
    began = time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "--port", str(port)],
            env=environment, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _until_it_answers(process, port, log)
        yield Page(f"http://127.0.0.1:{port}", port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(60)


def _until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the page did not come up:\n{log.read_text(errors='replace')[-3000:]}") from None
            time.sleep(0.01)
