"""What comes a moment after phases were stopped by force and is written down with their end: their logs, what they used."""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from typing import Any

from compute.hand import Answer
from compute.trying import Trying

PATIENCE_SECONDS = 2.0


def hear_last_words(inbox: queue.SimpleQueue[Any], stopped: Mapping[str, Trying]) -> None:
    """Waits until each of these phases has ended, or not any longer; everything else that comes is moot by now.

    Args:
        stopped: phase → what takes its log and its usage.
    """
    deadline, waiting = time.monotonic() + PATIENCE_SECONDS, set(stopped)
    while waiting and (left := deadline - time.monotonic()) > 0:
        try:
            message = inbox.get(timeout=left)
        except queue.Empty:
            return
        if isinstance(message, Answer) and message.phase in waiting:
            if message.log is not None:
                stopped[message.phase].logs.append(message.log)
            elif message.usage is not None:
                stopped[message.phase].usage = message.usage
            elif message.result is not None or message.error is not None:
                waiting.discard(message.phase)
