"""What native code and subprocesses write to the file descriptors of a process that carries out one phase at a time.

A file takes it, not a pipe: native code may write while it holds the interpreter's lock, and a pipe that is full would then
wait for a reader that waits for the lock. The file belongs to the owner, who finds in it the last words of a process that died.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import sys
import tempfile

KEEP_BYTES = 1024 * 1024


def new_file() -> int:
    """A file of no name for one process's output; its descriptor. Whatever is written goes to its end."""
    with tempfile.TemporaryFile() as file:
        descriptor = os.dup(file.fileno())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
    return descriptor


def taken(descriptor: int) -> bytes:
    """What is in the file, which is empty afterwards: all of it, or the beginning and the end of much."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return b""
    data = os.pread(descriptor, min(size, KEEP_BYTES // 2), 0)
    if size > KEEP_BYTES // 2:
        rest = min(size - len(data), KEEP_BYTES // 2)
        gap = size - len(data) - rest
        data += (f"\n{gap} bytes were left out here\n".encode() if gap else b"") + os.pread(
            descriptor, rest, size - rest
        )
    os.ftruncate(descriptor, 0)
    return data


class NativeOutput:
    """Stands in for this process's standard output and error from now on; Python's own streams still go where they went."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        sys.stdout.flush()
        sys.stderr.flush()
        kept = [os.fdopen(os.dup(number), "w", buffering=1) for number in (1, 2)]
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        sys.stdout, sys.stderr = kept
        self._libc = ctypes.CDLL(None)

    def lines(self) -> list[str]:
        """What was written since the last time."""
        # What C's own buffers hold belongs to this phase and not to the next.
        self._libc.fflush(None)
        return taken(self._descriptor).decode(errors="replace").splitlines()
