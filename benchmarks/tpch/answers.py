"""Whether two answers are the same, and whether an answer begins as the published one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl

Rows = Sequence[Sequence[object]]
TOLERANCE = 1e-6
# Scale → query → rows and how the first row begins: at scale 1 as the specification has it.
PUBLISHED = Path(__file__).parent / "published.json"


def different(one: pl.DataFrame, other: pl.DataFrame, order: Sequence[str] = ()) -> str | None:
    """Where two answers part; None where nowhere.

    Whole numbers, and decimals of one scale, must be equal. A quotient or an average is a float to one engine and a decimal of
    few digits to another: those are the same to a millionth.

    Args:
        order: the columns that the query orders by: rows that are alike in them may change places.
    """
    if one.shape != other.shape:
        return f"{one.height} rows of {one.width} columns, {other.height} of {other.width}"
    where = _parting(one.columns, one.rows(), other.rows())
    if where is None or not order or _parting(order, one.select(order).rows(), other.select(order).rows()):
        return where
    return _parting(one.columns, *(sorted(each.rows(), key=_without_fractions) for each in (one, other)))


def ordered_by(sql: str) -> list[str]:
    """The columns of a query's last ORDER BY."""
    _, _, last = sql.rpartition("order by ")
    return [] if last == sql else [part.split()[0] for part in last.split("limit")[0].split(",")]


def _parting(columns: Sequence[str], rows: Rows, others: Rows) -> str | None:
    for number, (left, right) in enumerate(zip(rows, others, strict=True), 1):
        for name, mine, theirs in zip(columns, left, right, strict=True):
            if not _same(mine, theirs):
                return f"row {number}, {name}: {mine}, {theirs}"
    return None


def _without_fractions(row: Sequence[object]) -> list[str]:
    return [str(value) for value in row if not isinstance(value, float | Decimal)]


def unpublished(answer: pl.DataFrame, query: str, scale: float) -> str | None:
    """Where an answer parts from the published one; None where nowhere, or where none is known."""
    known = json.loads(PUBLISHED.read_text()).get(f"{scale:g}", {}).get(query)
    if known is None:
        return None
    if answer.height != known["rows"]:
        return f"{answer.height} rows, published are {known['rows']}"
    for name, mine, text in zip(answer.columns, answer.row(0), known["first"], strict=False):
        published = text if isinstance(mine, str) or text is None else float(text)
        if not _same(float(mine) if isinstance(published, float) and mine is not None else mine, published):
            return f"{name} of the first row: {mine}, published is {text}"
    return None


def _same(mine: object, others: object) -> bool:
    if not isinstance(mine, int | float | Decimal) or not isinstance(others, int | float | Decimal):
        return mine == others
    if _scale(mine) is not None and _scale(mine) == _scale(others):
        return mine == others
    return math.isclose(mine, others, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _scale(value: float | Decimal) -> int | None:
    """Digits behind the point of an exact number; None for a float."""
    if isinstance(value, Decimal):
        return -int(value.as_tuple().exponent)
    return 0 if isinstance(value, int) else None
