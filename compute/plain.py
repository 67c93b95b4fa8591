"""An executor without Ray: one process that owns runs, and warm child processes that carry their phases out."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from compute.executor import LeasedExecutor, Options, drain_on_signals
from compute.hands.processes import ProcessHands
from compute.phase_work import Places
from ops import logs
from ops.database import database_url
from ops.secrets import SecretStore
from ops.settings import Settings


def run_executor(
    settings: Settings, slots: int = 2, grace_seconds: float = 30.0, capabilities: Sequence[str] = ()
) -> None:
    """Works until SIGTERM or SIGINT, then drains and returns.

    Args:
        slots: runs owned, and phases carried out, at once.
        capabilities: what it can do beyond what every executor can.
    """
    logs.configure(SecretStore(settings.home).redact)
    places = Places.of(settings, database_url(settings))
    options = Options(
        f"{socket.gethostname()}-{os.getpid()}", slots, settings.lease_seconds, capabilities, grace_seconds
    )
    executor = LeasedExecutor(options, places, ProcessHands(max(slots, 2), settings.home))
    drain_on_signals(executor)
    executor.work()
