"""What an engine is to the process of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

    from pipelines.sandbox.job import Job

LONGEST_PLAN = 2**18
# How much later a server ends a query by itself: ours ends it first, and says which setting raises it.
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Carried:
    """What a query left.

    Attributes:
        plan: the engine's own, after its optimizer; of our tables by their names in place of their files.
        engine: who carried it out, name and version as it says itself; a server's is not known before.
    """

    rows: pl.DataFrame
    plan: str
    engine: str


class Engine(Protocol):
    """Carries a query out within the rights and limits of the process that it is called in.

    That process may be killed at any time. What an engine has begun elsewhere must end then as well, by itself.
    """

    @property
    def identity(self) -> str:
        """Name and version of what is here; another one may give another answer."""

    def carry_out(self, job: Job) -> Carried:
        """The query's rows, ``job.most`` of them at most, and how they were come by; it reads the job's tables, or asks its
        server, and nothing else.

        Raises:
            BadInput: SQL that is refused, with what to write in its place.
            SchemaDrift, StorageFailed: of the tables.
            SourceUnreachable, NotAllowed, PhaseFailed: of the server.
            QueryLimitExceeded: it ended the query for its time.
        """
