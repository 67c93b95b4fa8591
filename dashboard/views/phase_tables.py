"""Which tables each phase reads and writes, from a stored spec. Specs of any age are read: what is not there is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ops.views import Json

# What makes fewer or more rows of rows.
_FOLDS = re.compile(
    r"\b(group\s+by|distinct|join|union|intersect|except|unnest|explode|limit|(sum|count|min|max|avg|median|first|last)\s*\()",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PhaseTables:
    """``about`` is the table that a validation judges or a publication tells of.

    Attributes:
        row_by_row: its SQL makes at most one row of each; of a named function that cannot be told.
    """

    reads: tuple[str, ...] = ()
    about: str = ""
    row_by_row: bool = False


def tables_by_phase(spec: Json) -> dict[str, PhaseTables]:
    """Phase → its tables."""
    phases = spec.get("phases")
    found = [each for each in phases if isinstance(each, Mapping)] if isinstance(phases, list) else []
    return {str(each.get("name")): _tables(each) for each in found}


def reads_of(spec: Json) -> list[str]:
    """Every table that a phase reads."""
    return sorted({table for each in tables_by_phase(spec).values() for table in each.reads})


def _tables(phase: Mapping[str, object]) -> PhaseTables:
    inputs = phase.get("inputs")
    reads = [str(each) for each in inputs.values()] if isinstance(inputs, Mapping) else []
    about = str(phase.get("table") or "")
    sql = phase.get("sql")
    row_by_row = isinstance(sql, str) and phase.get("kind") == "transform" and not _FOLDS.search(sql)
    return PhaseTables(tuple(dict.fromkeys([*reads, *([about] if about else [])])), about, row_by_row)
