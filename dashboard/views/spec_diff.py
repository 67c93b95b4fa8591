"""What differs between two specs, line by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 2000
KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True)
class DiffLine:
    """``kind``: added, removed, place (where in the spec), or same."""

    kind: str
    text: str


def spec_diff(before: Mapping[str, object], after: Mapping[str, object], names: tuple[str, str]) -> list[DiffLine]:
    """A unified diff of the specs as JSON with sorted keys; empty where they are the same. At most ``LONGEST`` lines."""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), *names, lineterm=""))[2:]
    shown = [DiffLine(KINDS.get(line[:1], "same"), line) for line in lines[:LONGEST]]
    if len(lines) > LONGEST:
        shown.append(DiffLine("place", f"… and {len(lines) - LONGEST:,} more lines"))
    return shown


def changed(lines: list[DiffLine]) -> str:
    """``3 lines added, 1 removed``."""
    added, removed = (sum(line.kind == kind for line in lines) for kind in ("added", "removed"))
    return f"{added} {'line' if added == 1 else 'lines'} added, {removed} removed"


def _lines(spec: Mapping[str, object]) -> list[str]:
    return json.dumps(spec, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
