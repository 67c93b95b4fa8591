"""Tables of the lake as lines, and what a table's page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from dashboard.views.run import Fact
from dashboard.views.words import ago, exact, size, span
from ops.catalog import ColumnNote, SchemaChange, schema_changes
from ops.dataset_reads import BEGINNING, ColumnSource, DatasetDetail, DatasetSummary, Neighbour, WrittenVersion

FRESHNESS: Mapping[str, tuple[str, str]] = {
    "ok": ("fresh", "good"),
    "warn": ("getting old", "waits"),
    "error": ("too old", "bad"),
}
# What its age is told by.
CLOCKS = {"event": "by its data", "release": "by its release", "never": "it was never released"}
# What a source does to a column, in the word that a reader expects.
EFFECTS: Mapping[str, str] = {
    "IDENTITY": "taken over",
    "TRANSFORMATION": "computed from",
    "AGGREGATION": "aggregated from",
    "JOIN": "joined by",
    "GROUP_BY": "grouped by",
    "FILTER": "filtered by",
    "SORT": "sorted by",
    "WINDOW": "windowed over",
    "CONDITIONAL": "decided by",
}


@dataclass(frozen=True)
class DatasetLine:
    dataset_id: str
    table: str
    where: str
    description: str
    version: str
    rows: str
    size: str
    released: str
    released_at: str
    run_id: str
    pipeline: str
    fresh: str
    fresh_tone: str


@dataclass(frozen=True)
class ColumnLine:
    name: str
    type: str
    description: str
    tags: tuple[str, ...]
    pii: str
    sources: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Step:
    """A neighbour in the lineage; ``note`` says which version was read and whether there is a newer one."""

    table: str
    dataset_id: str
    note: str
    tone: str


def by_layer(rows: Sequence[DatasetSummary], now: datetime) -> list[tuple[str, list[DatasetLine]]]:
    """The rows of a page under their layers; they come sorted."""
    return [(layer, [_line(row, now) for row in each]) for layer, each in groupby(rows, key=lambda row: row.layer)]


def _line(row: DatasetSummary, now: datetime) -> DatasetLine:
    fresh, fresh_tone = freshness_words(row.freshness, row.lag_seconds)
    return DatasetLine(
        str(row.dataset_id),
        f"{row.layer}.{row.name}",
        f"{row.org}/{row.project}/{row.env}",
        row.description,
        "not yet" if row.version is None else f"{row.version}",
        "" if row.total_rows is None else f"{row.total_rows:,}",
        "" if row.byte_size is None else size(row.byte_size),
        ago(row.released_at, now) if row.released_at else "no run that wrote it has succeeded",
        exact(row.released_at) if row.released_at else "",
        str(row.run_id or ""),
        row.pipeline or "",
        fresh,
        fresh_tone,
    )


def freshness_words(state: str | None, lag_seconds: float | None) -> tuple[str, str]:
    """How fresh it is and its tone; nothing where no rule asks."""
    if state is None:
        return "", "quiet"
    word, tone = FRESHNESS[state]
    return (word if lag_seconds is None else f"{word}: {span(timedelta(seconds=lag_seconds))}"), tone


def begins(address: str | None) -> tuple[str, str, UUID]:
    """Layer, name and id that the page begins after; of what is no place: the beginning."""
    parts = (address or "").split("/")
    try:
        layer, name, dataset_id = parts
        return layer, name, UUID(dataset_id)
    except ValueError:
        return BEGINNING


def facts(detail: DatasetDetail, newest: WrittenVersion | None, now: datetime) -> list[Fact]:
    """The numbers under a table's name; ``newest`` is the version that was written last."""
    fresh, _ = freshness_words(detail.freshness, detail.lag_seconds)
    released = detail.released_at
    return [
        Fact("version", "–" if detail.version is None else f"{detail.version}", _ahead(detail, newest)),
        Fact("rows", "–" if detail.total_rows is None else f"{detail.total_rows:,}", "in what readers get"),
        Fact("last commit", size(newest.byte_size) if newest else "–", f"{newest.rows:,} rows" if newest else "none"),
        Fact(
            "released",
            ago(released, now) if released else "never",
            exact(released, seconds=False) if released else "",
        ),
        Fact("freshness", fresh or "no rule", CLOCKS.get(detail.clock_kind or "", "nobody asks for it")),
        Fact("fingerprint", (detail.fingerprint or "–")[:12], "the same for the same content"),
    ]


def _ahead(detail: DatasetDetail, newest: WrittenVersion | None) -> str:
    if newest is not None and newest.version != detail.version:
        return f"version {newest.version} is written, not released"
    return "what readers get"


def column_lines(
    columns: Mapping[str, str], notes: Mapping[str, ColumnNote], sources: Sequence[ColumnSource]
) -> list[ColumnLine]:
    """Columns with what is said of them and where each comes from: what (and how), the table's id."""
    said = {
        "yes": "personal data",
        "suspected": "suspected to be personal data",
        "no": "no personal data",
    }
    lines = []
    for name, type_ in columns.items():
        note = notes.get(name, ColumnNote())
        found = tuple(_source(each) for each in sources if each.column == name)
        lines.append(
            ColumnLine(name, str(type_), note.description, tuple(note.tags), said.get(note.pii or "", ""), found)
        )
    return lines


def row_sources(sources: Sequence[ColumnSource]) -> list[tuple[str, str, str]]:
    """What decides which rows there are."""
    return [_source(each) for each in sources if each.column == "*"]


def _source(each: ColumnSource) -> tuple[str, str, str]:
    return EFFECTS[each.subtype], f"{each.input_table}.{each.input_column}", str(each.input_id or "")


def steps_up(neighbours: Sequence[Neighbour]) -> list[Step]:
    """What the newest version was made from."""
    return [_step(each, f"version {each.version}", "is there by now") for each in neighbours]


def steps_down(neighbours: Sequence[Neighbour]) -> list[Step]:
    """What was made from this table."""
    return [_step(each, f"has version {each.version} of this", "is not in it yet") for each in neighbours]


def _step(each: Neighbour, read: str, newer: str) -> Step:
    behind = each.newest is not None and each.newest > each.version
    note = f"{read}; {each.newest} {newer}" if behind else read
    return Step(each.table, str(each.dataset_id or ""), note, "waits" if behind else "good")


def readable(versions: Sequence[WrittenVersion], current: int | None) -> list[int]:
    """Those that a question may read: what readers get, and what runs wrote that succeeded. Of runs that one may not see it is
    not known, so they are tried."""
    if current is None:
        return []
    return [each.version for each in versions if each.version == current or each.run_status in ("succeeded", None)]


def changes(versions: Sequence[WrittenVersion]) -> list[SchemaChange]:
    """What versions changed in the columns, newest first as they come. Against the oldest of them, which changes nothing."""
    found = schema_changes(versions[::-1])
    return [each for each in reversed(found) if each.version != versions[-1].version]
