"""What SQL of a person may use at most."""

from __future__ import annotations

from dataclasses import dataclass

from ops.errors import QueryLimitExceeded


@dataclass(frozen=True)
class QueryLimits:
    """Limits of one query. The settings of the same names with ``sql_`` before them say them for a process.

    Attributes:
        memory_mb: MiB of memory that the query's process may write to.
        seconds: from the question to the whole answer.
        rows: of the answer.
        result_mb: MiB of the answer on its way out of the process.
    """

    memory_mb: int = 2048
    seconds: float = 120.0
    rows: int = 1_000_000
    result_mb: int = 256

    def exceeded(self, name: str, said: str) -> QueryLimitExceeded:
        """The error for the limit of that name."""
        value, setting = getattr(self, name), f"CONTROLROOM_SQL_{name.upper()}"
        return QueryLimitExceeded(
            f"the query {said}; ask for less, or have {setting} raised above {value}",
            {"limit": name, "value": value, "setting": setting},
        )


DEFAULT_LIMITS = QueryLimits()
