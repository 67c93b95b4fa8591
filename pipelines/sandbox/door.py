"""What is said of a question before anything is queued: by the gate, or of a server's by its first words."""

from __future__ import annotations

from pipelines.sandbox.gate import admit
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.servers.statement import one_select


def check(sql: str, engine: str = EMBEDDED) -> None:
    """Raises BadInput: the engine would refuse the SQL before it looked at a table."""
    if engine == EMBEDDED:
        admit(sql)
    else:
        one_select(sql)
