"""What an artifact looks like: a table, JSON, text or a picture. Nothing is computed from it.

It is looked at from its first bytes; lines and text, which are mostly logs, from their last: there stands what went wrong.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ops.views import ArtifactRow

# So much of an artifact is looked at, and so much of that is shown.
BYTES, ROWS, COLUMNS, CELL = 256 * 1024, 100, 30, 200
# Where the columns of Parquet are stands at its end: it is read whole or not at all.
PARQUET_BYTES = 4 * 1024 * 1024
# A page of a column is unpacked whole, and compression makes much of little: a hundred kilobytes of it can be gigabytes.
UNPACKED_BYTES = 64 * 1024 * 1024
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
PARQUETS = ("application/vnd.apache.parquet", "application/x-parquet")
TEXTS = ("application/sql", "application/yaml", "application/toml")
TOO_LARGE = (
    f"Parquet of more than {PARQUET_BYTES // 1024**2} MiB, unpacked {UNPACKED_BYTES // 1024**2}, is not shown here; download "
    "it, or ask its table in SQL."
)


@dataclass(frozen=True)
class Preview:
    """``kind`` is table, text, picture or none; ``note`` says what is left out, or why there is nothing to see."""

    kind: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""


def kind_of(row: ArtifactRow) -> str:
    """What an artifact would be shown as, by what it says of itself: table, parquet, json, lines, text, picture or none."""
    kind = row.content_type.partition(";")[0].strip().lower()
    by_type = {
        "text/csv": "table",
        "application/json": "json",
        "application/x-ndjson": "lines",
        **dict.fromkeys(PARQUETS, "parquet"),
    }
    if kind in by_type:
        return by_type[kind]
    if kind in PICTURES:
        return "picture"
    return "text" if kind.startswith("text/") or kind in TEXTS else "none"


def part_of(row: ArtifactRow) -> tuple[int, int]:
    """Which bytes of it are looked at: from where on, and how many at most; none of what needs no look or is too large."""
    match kind_of(row):
        case "picture" | "none":
            return 0, 0
        case "parquet":
            return 0, row.byte_size if row.byte_size <= PARQUET_BYTES else 0
        case "lines" | "text":
            return max(row.byte_size - BYTES, 0), BYTES
        case _:
            return 0, BYTES


def preview(row: ArtifactRow, data: bytes) -> Preview:
    """``data`` are the bytes that :func:`part_of` names."""
    whole = len(data) >= row.byte_size
    match kind_of(row):
        case "none":
            return Preview("none", f"{row.content_type} is not shown here; download it.")
        case "picture":
            return Preview("picture")
        case "parquet":
            return _parquet(data) if whole else Preview("none", TOO_LARGE)
        case kind:
            read = {"table": _csv, "json": _json, "lines": _lines}.get(kind, _plain)
            return read(_text(data), whole)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _plain(text: str, whole: bool) -> Preview:
    return Preview("text", "" if whole else _left_out("last"), text=text)


def _csv(text: str, whole: bool) -> Preview:
    lines = list(csv.reader(io.StringIO(text)))
    if not whole and len(lines) > 1:
        lines.pop()
    if not lines:
        return Preview("none", "It is empty.")
    return _table(lines[0], lines[1:], whole)


def _json(text: str, whole: bool) -> Preview:
    try:
        value = json.loads(text)
    except ValueError:
        return Preview("text", _left_out() if not whole else "It is no JSON, whatever it says of itself.", text=text)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return _objects(value, whole)
    return Preview("text", text=json.dumps(value, indent=1, ensure_ascii=False))


def _lines(text: str, whole: bool) -> Preview:
    found = text.splitlines()
    if not whole and len(found) > 1:
        # The first of the last bytes begins somewhere within a line.
        del found[0]
    try:
        values = [json.loads(each) for each in found if each.strip()]
    except ValueError:
        values = []
    if values and all(isinstance(each, dict) for each in values):
        return _objects(values, whole, "last")
    return Preview("text", "" if whole else _left_out("last"), text=text)


def _parquet(data: bytes) -> Preview:
    """The first rows and columns of it; what else it holds is not unpacked."""
    # Here, for most people look at no Parquet.
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        told = read_metadata(io.BytesIO(data))
        if sum(told.row_group(number).total_byte_size for number in range(told.num_row_groups)) > UNPACKED_BYTES:
            return Preview("none", TOO_LARGE)
        names = list(pl.read_parquet_schema(io.BytesIO(data)))
        frame = pl.read_parquet(io.BytesIO(data), columns=names[:COLUMNS], n_rows=ROWS + 1, use_pyarrow=False)
    # Polars panics at some files that are none; whatever it says, there is nothing to see.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ArrowException, OSError, ValueError):
        return Preview("none", "It is no Parquet that can be read, whatever it says of itself.")
    rows = [[None if value is None else str(value) for value in row] for row in frame.iter_rows()]
    return _table(names, rows, whole=True)


def _objects(values: Sequence[dict[str, object]], whole: bool, end: str = "first") -> Preview:
    columns = list(dict.fromkeys(name for each in values for name in each))
    return _table(columns, [[each.get(name) for name in columns] for each in values], whole, end)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], whole: bool, end: str = "first") -> Preview:
    said = []
    if len(rows) > ROWS or not whole:
        said.append(f"the {end} {min(len(rows), ROWS):,} rows")
    if len(columns) > COLUMNS:
        said.append(f"the first {COLUMNS} of {len(columns):,} columns")
    shown = rows[-ROWS:] if end == "last" else rows[:ROWS]
    cells = tuple(tuple(_cell(each) for each in row[:COLUMNS]) for row in shown)
    note = f"Shown are {' and '.join(said)}; download it for all." if said else ""
    return Preview("table", note, tuple(map(str, columns[:COLUMNS])), cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CELL else f"{text[:CELL]} …"


def _left_out(end: str = "first") -> str:
    return f"Shown are the {end} {BYTES // 1024} KiB; download it for all."
