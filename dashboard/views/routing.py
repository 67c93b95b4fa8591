"""The routing matrix as a table that people type into, and what they changed in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ops.alerts import RouteRow
from ops.errors import BadInput

# Column of the table → field of a route.
COLUMNS: Mapping[str, str] = {
    "area": "area", "order": "priority", "fits": "match", "primary owner": "primary_owner",
    "secondary": "secondary_owner", "then": "escalation", "where the work happens": "surface",
}  # fmt: skip
_STEP = re.compile(r"(\d+(?:\.\d+)?) min (\S+)")
_FIT = re.compile(r"(\w+) ?= ?(\S+)")


def table_of(rows: Sequence[RouteRow]) -> dict[str, list[Any]]:
    """Columns of texts and numbers, one entry a route."""
    return {column: [_cell(column, row) for row in rows] for column in COLUMNS}


def route_changes(rows: Sequence[RouteRow], edited: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Area → the fields that were changed; of an area that is new, all that are said.

    Args:
        edited: the lines of ``rows`` in their order, then those that were added.

    Raises:
        BadInput: with every fault of what was typed.
    """
    known = {row.area: row for row in rows}
    areas = [str(line.get("area") or "").strip() for line in edited]
    faults = _faults_of_names([row.area for row in rows], areas)
    changes: dict[str, dict[str, Any]] = {}
    for area, line in zip(areas, edited, strict=True):
        if not area:
            continue
        fields, refused = _fields(known.get(area), line)
        faults += [f"{area}: {each}" for each in refused]
        if fields:
            changes[area] = fields
        if area not in known and not fields.get("primary_owner"):
            faults.append(f"{area}: a new row needs a primary owner")
    if faults:
        raise BadInput("; ".join(faults), {"faults": faults})
    return changes


def _faults_of_names(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """A row is found by its area: another name would be another row, and which of two of one name is meant nobody knows."""
    renamed = [
        f"{was} became {area}: a row keeps its area, and is not removed here. Write {was} again; where {area} is to be asked "
        "instead, add a row for it with a lower order"
        for was, area in zip(before, now, strict=False)
        if area and area != was
    ]
    twice = [f"{area} stands in {times} rows" for area, times in Counter(now).items() if area and times > 1]
    return [*("a row has no area" for area in now if not area), *renamed, *twice]


def _fields(row: RouteRow | None, line: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of a line differs from the row, and what of it is refused."""
    fields, refused = dict[str, Any](), list[str]()
    for column, field in COLUMNS.items():
        typed, was = line.get(column), _cell(column, row) if row else None
        if field == "area" or typed == was or (typed in (None, "") and was in (None, "")):
            continue
        try:
            fields[field] = _field(column, typed)
        except BadInput as error:
            refused.append(error.message)
    return fields, refused


def change_lines(rows: Sequence[RouteRow], changes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each change as a sentence: what stands there now and what will."""
    known, columns = {row.area: row for row in rows}, {field: column for column, field in COLUMNS.items()}
    return [
        f"{area}, {columns[field]}: {_said(_cell(columns[field], known[area]) if area in known else '')} → "
        f"{_said(_as_typed(columns[field], value))}"
        for area, fields in changes.items()
        for field, value in fields.items()
    ]


def _cell(column: str, row: RouteRow) -> Any:
    return _as_typed(column, getattr(row, COLUMNS[column]))


def _as_typed(column: str, value: Any) -> Any:
    if column == "fits":
        return ", ".join(f"{name} = {each}" for name, each in value.items())
    if column == "then":
        return ", ".join(f"{step['after_minutes']:g} min {_whom(step)}" for step in value)
    return value


def _whom(step: Mapping[str, Any]) -> str:
    return str(step.get("to") or "+".join(map(str, step.get("channels") or ())))


def _field(column: str, typed: Any) -> Any:
    """What stands in a cell, as the field has it. Raises BadInput."""
    text = str(typed or "").strip()
    if column == "order":
        if not isinstance(typed, int | float) or int(typed) != typed:
            raise BadInput(f"order is {text!r}; give a whole number, the lowest is asked first")
        return int(typed)
    if column == "fits":
        return _facts(text)
    if column == "then":
        return [
            {
                "after_minutes": float(minutes),
                **({"to": whom} if whom == "secondary" else {"channels": whom.split("+")}),
            }
            for minutes, whom in _parts(text, _STEP, "then", "30 min secondary, 60 min pager")
        ]
    return text


def _facts(text: str) -> dict[str, str]:
    """What an alert must be to fit. Raises BadInput."""
    parts = _parts(text, _FIT, "fits", "env = prod, pipeline = orders")
    facts = dict(parts)
    if len(facts) < len(parts):
        twice = next(name for name, times in Counter(name for name, _ in parts).items() if times > 1)
        raise BadInput(f"fits is {text!r}; an alert has one {twice}: say it once, and add a row for the other")
    return facts


def _parts(text: str, pattern: re.Pattern[str], column: str, example: str) -> list[tuple[str, str]]:
    """In the order in which they are written: two steps may wait for the same time."""
    parts = [each.strip() for each in text.split(",") if each.strip()]
    found = [pattern.fullmatch(each) for each in parts]
    if None in found:
        raise BadInput(f"{column} is {text!r}; write it as {example}")
    return [(match[1], match[2]) for match in found if match]


def _said(value: Any) -> str:
    return "nothing" if value in ("", None) else str(value)
