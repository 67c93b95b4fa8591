"""Telling a server that nobody waits any more, whatever ended the process that asked it.

A question's process is killed: by its limits, by its asker, or with everything that a canceled phase has started
(``compute/family.py``), and then no thread of its own gets to speak. So a second process, which is nobody's child, waits for
its end: a pipe that closes. It has the same rights, and lives a few seconds longer at most.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from urllib.request import Request, urlopen

SECONDS = 5.0
MOST_FILES = 4096


class Farewell:
    """Sends DELETE to what :meth:`owed` named last, when this process ends or :meth:`close` is called.

    Args:
        headers: of that request.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        waiting, self._pipe = os.pipe()
        between = os.fork()
        if between == 0:
            # Its parent ends at once, so that it is found by nobody who ends this process's family.
            if os.fork() == 0:
                _wait(waiting, headers)
            os._exit(0)
        os.close(waiting)
        os.waitpid(between, 0)

    def owed(self, address: str | None) -> None:
        """What is to be told at the end; None for nothing."""
        with suppress(BrokenPipeError):
            os.write(self._pipe, f"{address or ''}\n".encode())

    def close(self) -> None:
        os.close(self._pipe)


def _wait(waiting: int, headers: Mapping[str, str]) -> None:
    """Never returns. Its copies of the answer's pipe are closed first: who reads it waits for the last of them."""
    try:
        os.closerange(0, waiting)
        os.closerange(waiting + 1, MOST_FILES)
        with open(waiting, encoding="utf-8") as lines:
            last = ""
            for line in lines:
                last = line.strip()
        # The timeout below is of each read: a server that answers a byte at a time would keep this process.
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        if last.startswith(("http://", "https://")):
            with urlopen(Request(last, headers=dict(headers), method="DELETE"), timeout=SECONDS):  # noqa: S310 - see above
                pass
    finally:
        os._exit(0)
