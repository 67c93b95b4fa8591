"""Take executors out of work, in the name of the person who asks."""

from __future__ import annotations

from uuid import UUID

from dashboard.data.source import rpc


def drain(executor_id: UUID) -> bool:
    """Asks it to take no further run and to end; False: somebody has asked before. Raises NotAllowed, Conflict."""
    with rpc() as calling:
        return calling.drain_executor(executor_id)
