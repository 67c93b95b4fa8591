"""A process that works for us and all that it starts: in a session of its own, so that it can be ended as a whole."""

from __future__ import annotations

import contextlib
import os
import signal

from compute.metering import descendants


def lead() -> None:
    """Makes this process the first of a session; what it starts belongs to it, unless that begins one of its own."""
    os.setsid()


def end(leader: int) -> None:
    """Kills a process that leads, its session's group, and what stems from it elsewhere.

    What has left the group and lost its parent before is not found any more.
    """
    # First what may be elsewhere: it is nobody's as soon as its parent is gone; and whoever ends its own family ends here.
    for kill, pids in ((os.kill, list(descendants(leader))), (os.killpg, [leader]), (os.kill, [leader])):
        for pid in pids:
            # Of one that has only just been made there is no group yet.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)
