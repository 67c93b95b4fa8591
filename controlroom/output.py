"""How answers look: a table for a person, JSON for a program. Both show the same rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import typer

from ops.jsonable import jsonable

STATUS_STYLES: Mapping[str, str] = {
    "succeeded": "green",
    "running": "cyan",
    "claimed": "cyan",
    "queued": "yellow",
    "pending": "dim",
    "skipped": "dim",
    "failed": "bold red",
    "canceled": "magenta",
}


def show(rows: Sequence[Mapping[str, object]], columns: Sequence[str], as_json: bool, title: str | None = None) -> None:
    """Prints rows: ``columns`` of them as a table, or all of them as a JSON array."""
    if as_json:
        show_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if _numeric(rows, column) else "left")
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    # Into a file or a pipe nothing is cut to a terminal's width.
    Console(width=None if sys.stdout.isatty() else 200).print(table if rows else "none")


def show_json(value: object) -> None:
    """Prints a value of ours as JSON: dates in ISO 8601, decimals as text."""
    typer.echo(json.dumps(jsonable(value), indent=2, ensure_ascii=False))


def styled(status: object) -> str:
    """A status with its colour, as Rich markup."""
    style = STATUS_STYLES.get(str(status))
    return f"[{style}]{status}[/{style}]" if style else str(status)


def ago(moment: datetime | None) -> str:
    """``12 s ago``, ``3 h ago``; empty for None."""
    return "" if moment is None else f"{length(datetime.now(UTC) - moment)} ago"


def length(span: timedelta) -> str:
    """A span in its largest fitting unit."""
    seconds = max(span.total_seconds(), 0.0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _numeric(rows: Sequence[Mapping[str, object]], column: str) -> bool:
    values = [row.get(column) for row in rows if row.get(column) is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _cell(column: str, value: object) -> str:
    from rich.markup import escape

    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return ago(value)
        case list() | tuple():
            return escape(", ".join(map(str, value)))
        case _:
            return styled(escape(str(value))) if column == "status" else escape(str(value))
