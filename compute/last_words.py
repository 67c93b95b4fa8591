"""The logs of phases that were just stopped by force: they come a moment after, and are registered with the phase's end."""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from typing import Any

from compute.hand import Answer
from ops.model import Artifact

PATIENCE_SECONDS = 2.0


def hear_last_words(inbox: queue.SimpleQueue[Any], logs: Mapping[str, list[Artifact]]) -> None:
    """Waits until each of these phases has ended, or not any longer; everything else that comes is moot by now.

    Args:
        logs: phase → where its log goes.
    """
    deadline, waiting = time.monotonic() + PATIENCE_SECONDS, set(logs)
    while waiting and (left := deadline - time.monotonic()) > 0:
        try:
            message = inbox.get(timeout=left)
        except queue.Empty:
            return
        if isinstance(message, Answer) and message.phase in waiting:
            if message.log is not None:
                logs[message.phase].append(message.log)
            elif message.result is not None or message.error is not None:
                waiting.discard(message.phase)
