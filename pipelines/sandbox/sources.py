"""The second look: what a plan would read, said by the engine itself, against the tables that were given."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

import polars as pl

from ops.errors import BadInput

_SCAN = re.compile(r"^\s*(?P<format>[A-Za-z_ ]*?)\s*SCAN\b\s*(?P<sources>.*)$", re.MULTILINE)


def check_sources(plan: pl.LazyFrame, roots: Collection[str]) -> None:
    """Plans the query – which reads the logs of its tables, and no rows – and compares what it would scan.

    A subquery within an expression, a WITH and a recursive one show their scans too. Text of the query in the plan can
    look like a scan, which refuses too much, never too little.

    Args:
        roots: directories or URLs of the given tables.

    Raises:
        BadInput: the plan reads something else.
    """
    places = {*roots, *(os.path.realpath(root) for root in roots if "://" not in root)}
    allowed = tuple(f"{place.rstrip('/')}/" for place in places)
    for scan in _SCAN.finditer(plan.explain()):
        sources = scan["sources"].strip().removeprefix("[")
        if scan["format"] == "Parquet" and sources.startswith(allowed) and "/../" not in sources:
            continue
        raise BadInput(f"the query would read {sources[:200] or scan['format']}, which is none of its tables")
