"""What a phase uses, read from the kernel while it works, by whoever watches its process.

For the process executor that is the owner, from outside: a handler that keeps the interpreter's lock, or one that lies, is
measured all the same. Figures are of one try, from its beginning, and only grow; `docs/caps.md` says what each means.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SAMPLE_SECONDS = 1.0
PROC = Path("/proc")
_TICK_SECONDS = 0.01  # USER_HZ is 100 wherever Linux has user space: it is part of the ABI


@dataclass(frozen=True)
class Usage:
    """What one try at a phase has used so far.

    Attributes:
        seconds: since it was begun.
        cpu_seconds: user and system, of its process and of the processes that that started.
        peak_memory_bytes: the largest resident set that any one of these processes had.
        read_bytes, written_bytes: through read and write calls, from whatever; not through sockets or mapped memory.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def to_json(self) -> dict[str, object]:
        """As the ops schema takes it."""
        return {**asdict(self), "seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 6)}

    def at_least(self, other: Usage) -> Usage:
        """The larger of each figure."""
        return Usage(
            max(self.seconds, other.seconds),
            max(self.cpu_seconds, other.cpu_seconds),
            max(self.peak_memory_bytes, other.peak_memory_bytes),
            max(self.read_bytes, other.read_bytes),
            max(self.written_bytes, other.written_bytes),
        )


class Meter:
    """Measures one process from now on, for as long as it carries out one phase.

    A long-lived process remembers its largest resident set for life; the kernel forgets it when asked (clear_refs), so that
    what is told is the phase's. Where it may not be asked, the largest of the samples is told instead, which may be less.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._begun = time.monotonic()
        self._forgets = _forget_peak(pid)
        self._before = _counted(pid)
        self._last = Usage()

    def read(self, *, children: bool = True) -> Usage:
        """What was used until now; what was last seen, where the process is gone.

        Args:
            children: look at the children that live, too; one that was waited for is counted in its parent.
        """
        now = _counted(self._pid)
        if now is None or self._before is None:
            return self._last
        peak = _status_bytes(self._pid, "VmHWM" if self._forgets else "VmRSS")
        cpu = now.cpu_seconds - self._before.cpu_seconds
        read, written = now.read_bytes - self._before.read_bytes, now.written_bytes - self._before.written_bytes
        for child in descendants(self._pid) if children else ():
            if (of_child := _counted(child)) is not None:
                cpu += of_child.cpu_seconds
                read, written = read + of_child.read_bytes, written + of_child.written_bytes
                peak = max(peak, _status_bytes(child, "VmHWM"))
        seen = Usage(time.monotonic() - self._begun, cpu, peak, read, written)
        self._last = self._last.at_least(seen)
        return self._last


def _counted(pid: int) -> Usage | None:
    """Since the process began; None where it is gone."""
    try:
        # The clock of another process's processor time, as clock_getcpuclockid(3) makes it: exact where stat has ticks.
        own = time.clock_gettime((~pid << 3) | 2)
        # After the name, which may hold anything: fields 16 and 17 are of children that were waited for.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, OverflowError):
        return None
    children = (int(fields[13]) + int(fields[14])) * _TICK_SECONDS
    read = written = 0
    # Another user's process may not be asked.
    with contextlib.suppress(OSError):
        io = dict(line.split(": ") for line in (PROC / str(pid) / "io").read_text().splitlines())
        read, written = int(io["rchar"]), int(io["wchar"])
    return Usage(0.0, own + children, 0, read, written)


def _status_bytes(pid: int, name: str) -> int:
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def _forget_peak(pid: int) -> bool:
    try:
        (PROC / str(pid) / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def descendants(pid: int) -> Iterator[int]:
    """Every process below this one that lives."""
    with contextlib.suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            with contextlib.suppress(OSError):
                for child in (thread / "children").read_text().split():
                    yield int(child)
                    yield from descendants(int(child))
