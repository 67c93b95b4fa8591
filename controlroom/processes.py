"""Processes that the stack started: each in a session of its own, known by pid and start time, ended only by those.

A record in ``HOME/run`` names each. Every process of ours also carries the home in its environment, which children inherit:
so orphans of a part that was killed are found as well. A name or a command line is never looked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.embedded_host import is_running
from ops.errors import StackFailed

MARK = "CONTROLROOM_STACK"
PYTHON = sys.executable
# What a part left of its children has no more to do.
CHILDREN_SECONDS = 3.0


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same pid. ``began`` is in clock ticks since boot."""

    pid: int
    began: int

    @property
    def alive(self) -> bool:
        return is_running(self.pid) and _began(self.pid) == self.began


@dataclass(frozen=True)
class Part:
    """A recorded process. ``where`` is the address or file under which it is reached."""

    name: str
    pid: int
    began: int
    boot: str
    where: str

    @property
    def alive(self) -> bool:
        return self.boot == _boot() and Identity(self.pid, self.began).alive


def recorded(home: Path) -> dict[str, Part]:
    """Parts by name, alive or not; a damaged record counts as none."""
    parts = {}
    for path in sorted((home / "run").glob("*.json")):
        with contextlib.suppress(ValueError, TypeError):
            part = Part(**json.loads(path.read_text()))
            parts[part.name] = part
    return parts


def spawn(home: Path, name: str, command: Sequence[str], environment: Mapping[str, str], where: str) -> Part:
    """Starts a part in its own session with its output in ``HOME/logs``, and records it."""
    (home / "run").mkdir(parents=True, exist_ok=True)
    log = log_file(home, name)
    with open(log, "ab") as output:
        # A pipe would fill up or break when the starter ends, and its terminal's Ctrl-C is not meant for the stack.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=home,
            env={**environment, MARK: str(home)},
        )
    # It outlives us on purpose; Popen would warn about a child that nobody waits for.
    process.returncode = 0
    part = Part(name, process.pid, _began(process.pid) or 0, _boot(), where)
    partial = home / "run" / f"{name}.json.partial"
    partial.write_text(json.dumps(asdict(part)) + "\n")
    partial.rename(home / "run" / f"{name}.json")
    return part


def forget(home: Path, name: str) -> None:
    """Removes a part's record."""
    (home / "run" / f"{name}.json").unlink(missing_ok=True)


def stop(home: Path, part: Part, patience: float) -> None:
    """Ends a recorded part, then what is left of its children, and forgets it.

    Args:
        patience: seconds that the part itself may take.
    """
    if part.alive:
        children = family([part.pid])
        end([Identity(part.pid, part.began)], patience)
        end(children, CHILDREN_SECONDS)
    forget(home, part.name)


def log_file(home: Path, name: str) -> Path:
    """Where a part's output goes; the folder exists."""
    (home / "logs").mkdir(parents=True, exist_ok=True)
    return home / "logs" / f"{name}.log"


def wait_until_ready(home: Path, part: Part, ready: Callable[[], bool], seconds: float) -> None:
    """Waits for a real answer of a part.

    Raises:
        StackFailed: it died or does not answer in time; the message ends with its last words.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        _reap(part.pid)
        if not part.alive or time.monotonic() > deadline:
            why = f"does not answer after {seconds:g} s" if part.alive else "ended"
            raise StackFailed(f"{part.name} {why}: {last_words(home, part.name)}; see {log_file(home, part.name)}")
        time.sleep(0.05)


def last_words(home: Path, name: str) -> str:
    """The last lines of a part's log, in one."""
    lines = log_file(home, name).read_text(errors="replace").splitlines() if log_file(home, name).exists() else []
    return " · ".join(line.strip() for line in lines[-3:] if line.strip()) or "it said nothing"


def family(roots: Iterable[int]) -> set[Identity]:
    """Live processes among ``roots`` and all their descendants."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        children.setdefault(_parent(pid), []).append(pid)
    found: set[int] = set()
    pending = [pid for pid in roots if is_running(pid)]
    while pending:
        pid = pending.pop()
        if pid not in found:
            found.add(pid)
            pending += children.get(pid, [])
    return {Identity(pid, began) for pid in found if is_running(pid) and (began := _began(pid)) is not None}


def marked(home: Path) -> set[Identity]:
    """Live processes that carry this home's mark, with their descendants; never the caller or one it descends from."""
    mark = f"{MARK}={home}".encode()
    carriers = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                carriers.append(pid)
    own, pid = set(), os.getpid()
    while pid > 1:
        own.add(pid)
        pid = _parent(pid)
    return {each for each in family(carriers) if each.pid not in own}


def end(processes: Iterable[Identity], patience: float, how: signal.Signals = signal.SIGTERM) -> None:
    """Asks processes to end, and kills those that still live after ``patience`` seconds."""
    waiting = [each for each in processes if each.alive]
    _send(waiting, how)
    if still := _outlast(waiting, patience):
        _send(still, signal.SIGKILL)
        _outlast(still, 10.0)


def _outlast(processes: list[Identity], seconds: float) -> list[Identity]:
    deadline = time.monotonic() + seconds
    while True:
        for each in processes:
            _reap(each.pid)
        processes = [each for each in processes if each.alive]
        if not processes or time.monotonic() > deadline:
            return processes
        time.sleep(0.03)


def _send(processes: Iterable[Identity], how: signal.Signals) -> None:
    for each in processes:
        with contextlib.suppress(ProcessLookupError):
            if each.alive:
                os.kill(each.pid, how)


def _reap(pid: int) -> None:
    """Takes a dead child's status, so that it does not stay as a zombie; others' children are left alone."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/PID/stat`` from the third on; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _began(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
