"""What an engine is to the process of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from pipelines.sandbox.job import Job


@dataclass(frozen=True)
class Carried:
    """What a query left.

    Attributes:
        plan: the engine's own, after its optimizer, with tables by their names in place of their files.
    """

    rows: pl.DataFrame
    plan: str


class Engine(Protocol):
    """Carries a query out within the rights and limits of the process that it is called in."""

    @property
    def identity(self) -> str:
        """Name and version; another one may give another answer."""

    def carry_out(self, job: Job) -> Carried:
        """The query's rows, ``job.most`` of them at most, and how they were come by; it reads nothing but the job's tables.

        Raises:
            BadInput: SQL that the gate or the engine refuses, with what to write in its place.
            SchemaDrift, StorageFailed: of the tables.
        """
