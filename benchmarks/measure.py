"""Times a piece of work and counts the processor seconds that it cost, in its own processes and in the server's.

The machine is shared and noisy: wall time alone says little, CPU seconds per job say more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Cost:
    """Seconds: on the wall, in the measured client processes, in the database server's processes.

    ``peak_bytes`` is the highest resident size of any one client process.
    """

    wall: float
    client: float
    server: float
    peak_bytes: int = 0

    @property
    def cpu(self) -> float:
        return self.client + self.server


def server_seconds(postmaster: int) -> float:
    """User and system seconds that the server with this postmaster pid has spent, ended backends included."""
    total = 0.0
    root = psutil.Process(postmaster)
    times = root.cpu_times()
    total += times.user + times.system + times.children_user + times.children_system
    for child in root.children(recursive=True):
        try:
            own = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += own.user + own.system
    return total


def postmaster_pid(data_directory: Path) -> int:
    return int((data_directory / "postmaster.pid").read_text().split()[0])


def _tree_seconds_and_bytes(pid: int) -> tuple[float, int]:
    seconds, peak = 0.0, 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, 0
    for process in processes:
        try:
            times = process.cpu_times()
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return seconds, peak


def command(arguments: Sequence[str], postmaster: int, timeout: float = 600.0) -> tuple[Cost, str]:
    """Runs a command to its end and returns its cost and standard output.

    Raises:
        RuntimeError: the command failed; the message ends with what it wrote.
    """
    before_server, before_children = server_seconds(postmaster), os.times()
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = 0
    while True:
        try:
            output, _ = process.communicate(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _tree_seconds_and_bytes(process.pid)[1])
            if time.perf_counter() - started > timeout:
                process.kill()
                process.communicate()
                raise RuntimeError(f"{arguments[0]} took more than {timeout:.0f} s") from None
    wall = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[:4])} … ended with {process.returncode}: {output[-2000:]}")
    after = os.times()
    client = (after.children_user - before_children.children_user) + (
        after.children_system - before_children.children_system
    )
    return Cost(wall, client, server_seconds(postmaster) - before_server, peak), output


def module(name: str, arguments: Sequence[str], postmaster: int) -> tuple[Cost, str]:
    """Runs ``python -m name`` in a process of its own, as :func:`command` does."""
    return command([sys.executable, "-m", name, *arguments], postmaster)


def call(work: Callable[[], None], postmaster: int) -> Cost:
    """Measures a function of this process."""
    before_server, before = server_seconds(postmaster), os.times()
    started = time.perf_counter()
    work()
    wall = time.perf_counter() - started
    after = os.times()
    own = (after.user - before.user) + (after.system - before.system)
    return Cost(wall, own, server_seconds(postmaster) - before_server)
