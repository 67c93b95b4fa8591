"""The answer of a question: rows as cells, and a chart of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import altair as alt
import polars as pl

# So many rows are read of an answer, so many stand on a page of it, and so long may a cell be.
READ, PAGE, CELL = 5_000, 100, 200
KINDS: Mapping[str, str] = {"bars": "mark_bar", "line": "mark_line", "area": "mark_area", "points": "mark_point"}
HEIGHT = 320
COUNTED = "number of rows"


@dataclass(frozen=True)
class Page:
    """Rows of an answer as texts; ``numbers`` tells which columns are aligned as numbers."""

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str | None, ...], ...]
    said: str


@dataclass(frozen=True)
class Drawing:
    """What is drawn: ``y`` is a column of numbers or :data:`COUNTED`, ``colour`` a column or nothing."""

    kind: str
    x: str
    y: str
    colour: str | None = None


def page(frame: pl.DataFrame, first: int, whole: int) -> Page:
    """The rows from ``first`` on; ``whole`` is how many the answer has in all."""
    shown = frame.slice(first, PAGE)
    kinds = frame.schema.values()
    last = first + shown.height
    if not whole:
        said = "No row."
    elif whole <= shown.height:
        said = f"All {whole:,} rows." if whole > 1 else "One row."
    else:
        said = f"Rows {first + 1:,} to {last:,} of {whole:,}"
        said += f"; the first {frame.height:,} can be looked at, a download has all." if frame.height < whole else "."
    return Page(
        tuple(frame.columns),
        tuple(str(each) for each in kinds),
        tuple(each.is_numeric() for each in kinds),
        tuple(tuple(_cell(value) for value in row) for row in shown.iter_rows()),
        said,
    )


def _cell(value: object) -> str | None:
    """As people read it; None is null, which must not be taken for an empty text."""
    match value:
        case None:
            return None
        case bool():
            text = str(value).lower()
        case int():
            text = f"{value:,}"
        case float():
            # As many digits as a float is sure of.
            text = f"{value:,.15g}"
        case Decimal():
            text = f"{value:,f}"
        case datetime():
            text = value.isoformat(" ")
        case date():
            text = value.isoformat()
        case _:
            text = str(value)
    return text if len(text) <= CELL else f"{text[:CELL]} …"


def axes(frame: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Columns that may be x, and those that may be y."""
    drawable = [name for name, kind in frame.schema.items() if not kind.is_nested() and kind != pl.Binary]
    return drawable, [*(name for name in drawable if frame.schema[name].is_numeric()), COUNTED]


def proposed(frame: pl.DataFrame) -> Drawing | None:
    """What one would most likely draw: numbers over time as a line, by name as bars; None where there is nothing to draw."""
    xs, ys = axes(frame)
    if not xs or not frame.height:
        return None
    timely = next((name for name in xs if frame.schema[name].is_temporal()), None)
    named = next((name for name in xs if not frame.schema[name].is_numeric()), None)
    x = timely or named or xs[0]
    y = next((name for name in ys if name != x), COUNTED)
    return Drawing("line" if timely else "bars" if named else "points", x, y)


def chart(frame: pl.DataFrame, drawing: Drawing) -> alt.Chart:
    """The answer drawn; values of one x are added up by bars and areas."""
    names = list(dict.fromkeys(each for each in (drawing.x, drawing.y, drawing.colour) if each and each != COUNTED))
    # Names of a person's making would be read as paths and types by the grammar: columns are numbered.
    alias = {name: f"c{number}" for number, name in enumerate(names)}
    data = frame.select(pl.col(name).alias(short) for name, short in alias.items())
    data = data.with_columns(pl.col(short).cast(pl.Float64) for short, kind in data.schema.items() if kind.is_decimal())
    encoded = {
        "x": alt.X(f"{alias[drawing.x]}:{_type(frame.schema[drawing.x])}", title=drawing.x),
        "y": _y(frame, drawing, alias),
        "tooltip": [alt.Tooltip(f"{alias[name]}:{_type(frame.schema[name])}", title=name) for name in names],
    }
    if drawing.colour:
        encoded["color"] = alt.Color(f"{alias[drawing.colour]}:N", title=drawing.colour)
    said = f"{drawing.y} by {drawing.x}"
    marked = getattr(alt.Chart(data, height=HEIGHT, description=said), KINDS[drawing.kind])()
    drawn: alt.Chart = marked.encode(**encoded)
    return drawn


def _y(frame: pl.DataFrame, drawing: Drawing, alias: Mapping[str, str]) -> alt.Y:
    if drawing.y == COUNTED:
        return alt.Y("count():Q", title=COUNTED)
    if drawing.kind in ("bars", "area"):
        return alt.Y(f"sum({alias[drawing.y]}):Q", title=drawing.y)
    return alt.Y(f"{alias[drawing.y]}:{_type(frame.schema[drawing.y])}", title=drawing.y)


def _type(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "Q"
    return "T" if kind in (pl.Date, pl.Datetime) else "N"


def csv_of(frame: pl.DataFrame) -> bytes:
    """As spreadsheets read it; lists and structs as JSON."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    texts = [
        pl.Series(name, [None if each is None else json.dumps(each, default=str) for each in frame[name].to_list()])
        for name in nested
    ]
    return frame.with_columns(texts).write_csv().encode()
