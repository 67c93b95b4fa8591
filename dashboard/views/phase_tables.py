"""Which tables each phase reads and writes, from a stored spec. Specs of any age are read: what is not there is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.views import Json


@dataclass(frozen=True)
class PhaseTables:
    """``about`` is the table that a validation judges or a publication tells of."""

    reads: tuple[str, ...] = ()
    about: str = ""


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
    return PhaseTables(tuple(dict.fromkeys([*reads, *([about] if about else [])])), about)
