"""Times a piece of work and counts the processor seconds that it cost, in its own processes and in the server's.

The machine is shared and noisy: wall time alone says little, CPU seconds per job say more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """Seconds: on the wall, in the measured client processes, in the database server's processes.

    ``peak_bytes`` is the highest resident size of any one client process, where it was watched.
    """

    wall: float
    client: float
    server: float
    peak_bytes: int = 0

    @property
    def cpu(self) -> float:
        return self.client + self.server

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Cost:
        """Reads the last line of what a measured process wrote."""
        return cls(**json.loads(text.strip().splitlines()[-1]))


def tree_seconds(pid: int) -> float:
    """User and system seconds of a process and all its descendants, those included that have ended and been reaped.

    For a postmaster these are all its backends.
    """
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def tree_peak_bytes(pid: int) -> int:
    """The largest resident size of any one process of the tree, now."""
    peak = 0
    for process in _tree(pid):
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return peak


def own_peak_bytes() -> int:
    """The largest resident size that this process ever had.

    From the kernel's own mark: ``getrusage`` would count what the parent was when it forked us.
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def postmaster_pid(data_directory: Path) -> int:
    return int((data_directory / "postmaster.pid").read_text().split()[0])


class Meter:
    """What a process (this one by default), its descendants and the server spend from now on."""

    def __init__(self, postmaster: int, pid: int | None = None) -> None:
        self._postmaster, self._pid = postmaster, pid or os.getpid()
        self._server, self._client = tree_seconds(postmaster), tree_seconds(self._pid)
        self._started = time.perf_counter()

    def read(self) -> Cost:
        wall = time.perf_counter() - self._started
        return Cost(wall, tree_seconds(self._pid) - self._client, tree_seconds(self._postmaster) - self._server)


@contextmanager
def peak_of(pid: int) -> Iterator[Callable[[], int]]:
    """Watches a tree of processes; the yielded function gives the highest size in bytes seen so far."""
    highest, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not ended.wait(SAMPLE_SECONDS):
            highest = max(highest, tree_peak_bytes(pid))

    thread = threading.Thread(target=watch, name="peak", daemon=True)
    thread.start()
    try:
        yield lambda: highest
    finally:
        ended.set()
        thread.join()


def command(arguments: Sequence[str], postmaster: int, timeout: float = 1800.0) -> tuple[Cost, str]:
    """Runs a command to its end and returns its whole cost, start included, and its output.

    Raises:
        RuntimeError: the command failed; the message ends with what it wrote.
    """
    meter = Meter(postmaster)
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with peak_of(process.pid) as peak:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f"{arguments[0]} took more than {timeout:.0f} s") from None
        highest = peak()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[:4])} … ended with {process.returncode}: {output[-2000:]}")
    cost = meter.read()
    return Cost(cost.wall, cost.client, cost.server, highest), output


def module(name: str, arguments: Sequence[str], postmaster: int) -> tuple[Cost, str]:
    """Runs ``python -m name`` in a process of its own, as :func:`command` does."""
    return command([sys.executable, "-m", name, *arguments], postmaster)


def call(work: Callable[[], object], postmaster: int) -> Cost:
    """Measures a function of this process."""
    meter = Meter(postmaster)
    work()
    return meter.read()
