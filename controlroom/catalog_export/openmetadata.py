"""The catalog as OpenMetadata's own create requests, a line each, in the order in which they are to be sent.

A line is ``{"method", "path", "body"}``; all are PUT, so sending them again changes nothing. Owners are ids there that only the
server knows: who has asked for them gives them along, and they are in the body. ``owners`` of a line are the paths under which
the server gives those that are missing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from controlroom.catalog_export.snapshot import ALL_ROWS, Snapshot
from ops.catalog import ColumnEdge, ColumnNote, Entry
from ops.errors import BadInput

Json = dict[str, object]
API = "/api/v1"
CLASSIFICATION = "ControlRoom"
_TYPES: Mapping[str, str] = {
    "boolean": "BOOLEAN", "string": "STRING", "binary": "BINARY", "date": "DATE", "timestamp": "TIMESTAMPZ",
    "timestamp_ntz": "TIMESTAMP", "byte": "TINYINT", "short": "SMALLINT", "integer": "INT", "long": "BIGINT", "float": "FLOAT",
    "double": "DOUBLE", "decimal": "DECIMAL", "arraytype": "ARRAY", "maptype": "MAP",
    "structtype": "STRUCT",
}  # fmt: skip
_DECIMAL = re.compile(r"decimal\((\d+), *(\d+)\)")
_ELEMENT = re.compile(r"ArrayType\(PrimitiveType\(\"(\w+)\"")


def text(snapshot: Snapshot, ids: Mapping[str, UUID] | None = None) -> str:
    """Newline-delimited JSON.

    Args:
        ids: owner, as we name it, → its id on the server.
    """
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in _lines(snapshot, ids or {}))


def read_ids(file: Path | None) -> dict[str, UUID]:
    """Ids of owners from a file, ``{"@sales": "…", "ada": "…"}``; none without one.

    Raises:
        BadInput: it is not that.
    """
    if file is None:
        return {}
    try:
        said = json.loads(file.read_text())
        return {str(name): UUID(str(given)) for name, given in said.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise BadInput(
            f'--owners {file} cannot be read as {{"@team": "id", "person": "id"}}: {error}; give the ids as the server has them'
        ) from error


def _lines(snapshot: Snapshot, ids: Mapping[str, UUID]) -> Iterator[Json]:
    service, database = _parts(snapshot)
    yield _put("services/databaseServices", {"name": service, "serviceType": "DeltaLake"})
    yield _put("databases", {"name": database, "service": service})
    for layer in sorted({entry.table.partition(".")[0] for entry in snapshot.entries}):
        yield _put("databaseSchemas", {"name": layer, "database": f"{service}.{database}"})
    yield from _tags(snapshot)
    for entry in snapshot.entries:
        known = [{"id": str(ids[name]), "type": _kind(name)} for name in entry.owners if name in ids]
        missing = [_owner(name) for name in entry.owners if name not in ids]
        body = _table(snapshot, entry) | ({"owners": known} if known else {})
        yield _put("tables", body) | ({"owners": missing} if missing else {})
    for entry in snapshot.entries:
        yield from _lineage(snapshot, entry)


def _put(path: str, body: Json) -> Json:
    return {"method": "PUT", "path": f"{API}/{path}", "body": body}


def _parts(snapshot: Snapshot, table: str = "") -> tuple[str, str]:
    """Service and database of the scope, or of the project whose table it is. No name of ours has a dot in it."""
    scope, _, _ = table.rpartition(":")
    org, _, project = scope.partition("/")
    return f"controlroom_{org or snapshot.scope.org}", f"{project or snapshot.scope.project}_{snapshot.scope.env}"


def _fqn(snapshot: Snapshot, table: str) -> str:
    return ".".join([*_parts(snapshot, table), table.rpartition(":")[2]])


def _column_fqn(snapshot: Snapshot, table: str, column: str) -> str:
    name = '"' + column.replace('"', '""') + '"' if "." in column or '"' in column else column
    return f"{_fqn(snapshot, table)}.{name}"


def _owner(name: str) -> str:
    return f"{API}/{_kind(name)}s/name/{quote(name.removeprefix('@'), safe='')}"


def _kind(name: str) -> str:
    return "team" if name.startswith("@") else "user"


def _tags(snapshot: Snapshot) -> Iterator[Json]:
    """The tags of people; those of personal data every OpenMetadata has."""
    used = {name for entry in snapshot.entries for name in entry.tags}
    used |= {name for entry in snapshot.entries for note in entry.notes.values() for name in note.tags}
    if used:
        yield _put("classifications", {"name": CLASSIFICATION, "description": "Tags given in Lakehouse Control Room."})
    for name in sorted(used):
        yield _put("tags", {"classification": CLASSIFICATION, "name": name, "description": name})


def _label(fqn: str, *, suspected: bool = False) -> Json:
    return {
        "tagFQN": fqn,
        "source": "Classification",
        "labelType": "Derived" if suspected else "Manual",
        "state": "Suggested" if suspected else "Confirmed",
    }


def _tag_label(name: str) -> Json:
    return _label(f'{CLASSIFICATION}."{name}"' if "." in name else f"{CLASSIFICATION}.{name}")


def _column_labels(note: ColumnNote) -> list[Json]:
    labels = [_tag_label(name) for name in note.tags]
    match note.pii:
        case "yes" | "suspected":
            labels.append(_label("PII.Sensitive", suspected=note.pii == "suspected"))
        case "no":
            labels.append(_label("PII.NonSensitive"))
    return labels


def _table(snapshot: Snapshot, entry: Entry) -> Json:
    layer, _, name = entry.table.partition(".")
    service, database = _parts(snapshot)
    body: Json = {
        "name": name,
        "tableType": "Regular",
        "databaseSchema": f"{service}.{database}.{layer}",
        "columns": [
            _column(column, kind, position, entry.notes.get(column, ColumnNote()))
            for position, (column, kind) in enumerate(entry.columns.items(), 1)
        ],
    }
    if entry.description:
        body["description"] = entry.description
    if entry.tags:
        body["tags"] = [_tag_label(tag) for tag in entry.tags]
    return body


def _column(name: str, kind: str, position: int, note: ColumnNote) -> Json:
    data_type = _type(kind)
    column: Json = {"name": name, "dataType": data_type, "dataTypeDisplay": kind, "ordinalPosition": position}
    if found := _DECIMAL.fullmatch(kind):
        column |= {"precision": int(found[1]), "scale": int(found[2])}
    if data_type == "ARRAY":
        element = _ELEMENT.match(kind)
        column["arrayDataType"] = _type(element[1]) if element else "UNKNOWN"
    if data_type == "STRUCT":
        column["children"] = []
    if note.description:
        column["description"] = note.description
    if labels := _column_labels(note):
        column["tags"] = labels
    return column


def _type(kind: str) -> str:
    return _TYPES.get(re.split(r"[(<{]", kind, maxsplit=1)[0].strip().lower(), "UNKNOWN")


def _lineage(snapshot: Snapshot, entry: Entry) -> Iterator[Json]:
    """By names: the form that needs no id of the server's."""
    by_source: dict[str, list[ColumnEdge]] = defaultdict(list)
    for edges in snapshot.edges(entry.table).values():
        for each in edges:
            by_source[each.input_table].append(each)
    written_by = ".".join(snapshot.writers.get(entry.table, ()))
    for source in snapshot.sources(entry.table):
        ends = (quote(_fqn(snapshot, each), safe="") for each in (source, entry.table))
        body: Json = {"source": "PipelineLineage", "columnsLineage": _columns(snapshot, entry, by_source[source])}
        if written_by:
            body["description"] = f"Written by {written_by}."
        yield _put("lineage/table/name/" + "/table/name/".join(ends), body)


def _columns(snapshot: Snapshot, entry: Entry, edges: Sequence[ColumnEdge]) -> list[Json]:
    """One a column and way; what decides which rows there are bears on each column."""
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in edges:
        for column in entry.columns if each.column == ALL_ROWS else [each.column]:
            grouped[column, each.kind, each.subtype].append(_column_fqn(snapshot, each.input_table, each.input_column))
    return [
        {
            "fromColumns": sources,
            "toColumn": _column_fqn(snapshot, entry.table, column),
            "function": f"{kind}:{subtype}",
        }
        for (column, kind, subtype), sources in grouped.items()
    ]
