"""Receivers of messages as processes of their own, to be started, killed and read."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def receiver(kind: str, port: int, log: Path, cut: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.compute.receivers", kind, str(port), str(log), str(cut)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until, "the receiver did not start"
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Arrived:
    """A message that a receiver wrote down before it answered, or cut the connection."""

    batch: str
    ids: list[str]
    answered: bool
    text: str


def received(log: Path) -> list[Arrived]:
    """In the order in which they came; a line that the receiver died in counts as not arrived."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    return [Arrived(**json.loads(line)) for line in lines if line.endswith("\n")]
