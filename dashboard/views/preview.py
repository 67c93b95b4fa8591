"""What an artifact looks like: a table, JSON, text or a picture. From its first bytes; nothing is computed from it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ops.views import ArtifactRow

# So much of an artifact is looked at, and so much of that is shown.
BYTES, ROWS, COLUMNS, CELL = 256 * 1024, 100, 30, 200
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
TEXTS = ("application/sql", "application/yaml", "application/toml")


@dataclass(frozen=True)
class Preview:
    """``kind`` is table, text, picture or none; ``note`` says what is left out, or why there is nothing to see."""

    kind: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""


def kind_of(row: ArtifactRow) -> str:
    """What an artifact would be shown as, by what it says of itself: table, json, lines, text, picture or none."""
    kind = row.content_type.partition(";")[0].strip().lower()
    by_type = {"text/csv": "table", "application/json": "json", "application/x-ndjson": "lines"}
    if kind in by_type:
        return by_type[kind]
    if kind in PICTURES:
        return "picture"
    return "text" if kind.startswith("text/") or kind in TEXTS else "none"


def preview(row: ArtifactRow, data: bytes) -> Preview:
    """``data`` are the first bytes, at most :data:`BYTES`."""
    whole = len(data) >= row.byte_size
    match kind_of(row):
        case "none":
            return Preview("none", f"{row.content_type} is not shown here; download it.")
        case "picture":
            return Preview("picture")
        case "table":
            return _csv(_text(data), whole)
        case "json":
            return _json(_text(data), whole)
        case "lines":
            return _lines(_text(data), whole)
        case _:
            return Preview("text", "" if whole else _left_out(), text=_text(data))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


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
        found.pop()
    try:
        values = [json.loads(each) for each in found if each.strip()]
    except ValueError:
        return Preview("text", "" if whole else _left_out(), text=text)
    if values and all(isinstance(each, dict) for each in values):
        return _objects(values, whole)
    return Preview("text", "" if whole else _left_out(), text=text)


def _objects(values: Sequence[dict[str, object]], whole: bool) -> Preview:
    columns = list(dict.fromkeys(name for each in values for name in each))
    return _table(columns, [[each.get(name) for name in columns] for each in values], whole)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], whole: bool) -> Preview:
    said = []
    if len(rows) > ROWS or not whole:
        said.append(f"the first {min(len(rows), ROWS):,} rows")
    if len(columns) > COLUMNS:
        said.append(f"the first {COLUMNS} of {len(columns):,} columns")
    cells = tuple(tuple(_cell(each) for each in row[:COLUMNS]) for row in rows[:ROWS])
    note = f"Shown are {' and '.join(said)}; download it for all." if said else ""
    return Preview("table", note, tuple(map(str, columns[:COLUMNS])), cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CELL else f"{text[:CELL]} …"


def _left_out() -> str:
    return f"Shown are the first {BYTES // 1024} KiB; download it for all."
