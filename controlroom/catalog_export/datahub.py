"""The catalog as DataHub's metadata change proposals, in the JSON that its file source reads.

One proposal an aspect, each an upsert. What a run says of a table stands in ``datasetProperties`` and ``schemaMetadata``; what
people say of it stands in the aspects that DataHub's own page edits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from controlroom.catalog_export.snapshot import ALL_ROWS, Snapshot
from ops.catalog import ColumnEdge, ColumnNote, Entry

Json = dict[str, object]
PLATFORM = "urn:li:dataPlatform:delta-lake"
ACTOR = "urn:li:corpuser:controlroom"
FABRICS = {"dev": "DEV", "stage": "STG", "prod": "PROD"}
PII = {"yes": "pii", "suspected": "pii_suspected"}
_TYPES: Mapping[str, str] = {
    "boolean": "Boolean", "string": "String", "binary": "Bytes", "date": "Date", "timestamp": "Time", "timestamp_ntz": "Time",
    "byte": "Number", "short": "Number", "integer": "Number", "long": "Number", "float": "Number", "double": "Number",
    "decimal": "Number", "arraytype": "Array", "maptype": "Map", "structtype": "Record",
}  # fmt: skip
# What has a meaning in a URN.
_RESERVED = re.compile(r"[%(),␟]")


def text(snapshot: Snapshot) -> str:
    """A JSON array."""
    proposals = [each for entry in snapshot.entries for each in _of_table(snapshot, entry)]
    return json.dumps([*_tags(snapshot), *proposals], indent=2, ensure_ascii=False) + "\n"


def _of_table(snapshot: Snapshot, entry: Entry) -> Iterator[Json]:
    urn, stamp = _urn(snapshot, entry.table), _stamp(entry)
    yield _proposal("dataset", urn, "status", {"removed": False})
    yield _proposal("dataset", urn, "datasetProperties", _properties(snapshot, entry))
    yield _proposal("dataset", urn, "schemaMetadata", _schema(entry, stamp))
    if entry.description:
        words: Json = {"description": entry.description, "created": stamp, "lastModified": stamp}
        yield _proposal("dataset", urn, "editableDatasetProperties", words)
    if fields := [_words(name, note) for name, note in sorted(entry.notes.items()) if _said(note)]:
        said: Json = {"editableSchemaFieldInfo": fields, "created": stamp, "lastModified": stamp}
        yield _proposal("dataset", urn, "editableSchemaMetadata", said)
    if entry.tags:
        yield _proposal("dataset", urn, "globalTags", _tagged(entry.tags))
    if entry.owners:
        owners = [{"owner": _owner(name), "type": "DATAOWNER"} for name in entry.owners]
        yield _proposal("dataset", urn, "ownership", {"owners": owners, "lastModified": stamp})
    if sources := snapshot.sources(entry.table):
        yield _proposal("dataset", urn, "upstreamLineage", _upstream(snapshot, entry, sources, stamp))


def _proposal(kind: str, urn: str, aspect: str, value: Json) -> Json:
    return {
        "entityType": kind,
        "entityUrn": urn,
        "changeType": "UPSERT",
        "aspectName": aspect,
        "aspect": {"json": value},
    }


def _urn(snapshot: Snapshot, table: str) -> str:
    """Of a table of the scope, or of another project's as ``org/project:layer.name``."""
    scope, _, own = table.rpartition(":")
    org, _, project = scope.partition("/")
    name = ".".join([org or snapshot.scope.org, project or snapshot.scope.project, own])
    return f"urn:li:dataset:({PLATFORM},{name},{FABRICS[snapshot.scope.env]})"


def _field_urn(urn: str, column: str) -> str:
    return f"urn:li:schemaField:({urn},{_encoded(column)})"


def _encoded(name: str) -> str:
    return _RESERVED.sub(lambda found: quote(found[0]), name)


def _stamp(entry: Entry) -> Json:
    return {"time": int(entry.updated_at.timestamp() * 1000), "actor": ACTOR}


def _owner(name: str) -> str:
    return f"urn:li:corpGroup:{_encoded(name[1:])}" if name.startswith("@") else f"urn:li:corpuser:{_encoded(name)}"


def _tagged(names: Sequence[str]) -> Json:
    return {"tags": [{"tag": f"urn:li:tag:{_encoded(name)}"} for name in names]}


def _tags(snapshot: Snapshot) -> Iterator[Json]:
    """Every tag that is used, as an entity of its own."""
    words = {"pii": "Personal data.", "pii_suspected": "Made from personal data; nobody has said yes or no of it."}
    used = {name for entry in snapshot.entries for name in entry.tags}
    used |= {name for entry in snapshot.entries for note in entry.notes.values() for name in _column_tags(note)}
    for name in sorted(used):
        value: Json = {"name": name, "description": words.get(name, "")}
        yield _proposal("tag", f"urn:li:tag:{_encoded(name)}", "tagProperties", value)


def _column_tags(note: ColumnNote) -> list[str]:
    return [*note.tags, *([PII[note.pii]] if note.pii in PII else [])]


def _said(note: ColumnNote) -> bool:
    return bool(note.description or _column_tags(note))


def _words(column: str, note: ColumnNote) -> Json:
    said: Json = {"fieldPath": column}
    if note.description:
        said["description"] = note.description
    if tags := _column_tags(note):
        said["globalTags"] = _tagged(tags)
    return said


def _properties(snapshot: Snapshot, entry: Entry) -> Json:
    facts = {"version": entry.version, "total_rows": entry.total_rows, "fingerprint": entry.fingerprint}
    told = {name: str(value) for name, value in facts.items() if value is not None}
    if entry.table in snapshot.writers:
        told["written_by"] = ".".join(snapshot.writers[entry.table])
    scope = snapshot.scope
    return {
        "name": entry.table,
        "qualifiedName": f"{scope.org}/{scope.project}/{scope.env}:{entry.table}",
        "customProperties": told,
        "lastModified": {"time": _stamp(entry)["time"]},
        "tags": [],
    }


def _schema(entry: Entry, stamp: Json) -> Json:
    fields = [
        {
            "fieldPath": name,
            "nullable": True,
            "type": {"type": {f"com.linkedin.schema.{_TYPES.get(_base(kind), 'Null')}Type": {}}},
            "nativeDataType": kind,
            "recursive": False,
            "isPartOfKey": False,
        }
        for name, kind in entry.columns.items()
    ]
    return {
        "schemaName": entry.table,
        "platform": PLATFORM,
        "version": 0,
        "created": stamp,
        "lastModified": stamp,
        "hash": "",
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": json.dumps(dict(entry.columns))}},
        "fields": fields,
    }


def _base(kind: str) -> str:
    return re.split(r"[(<{]", kind, maxsplit=1)[0].strip().lower()


def _upstream(snapshot: Snapshot, entry: Entry, sources: Sequence[str], stamp: Json) -> Json:
    upstreams = [{"dataset": _urn(snapshot, source), "type": "TRANSFORMED", "auditStamp": stamp} for source in sources]
    fine = [
        each for column, edges in snapshot.edges(entry.table).items() for each in _fine(snapshot, entry, column, edges)
    ]
    return {"upstreams": upstreams, "fineGrainedLineages": fine}


def _fine(snapshot: Snapshot, entry: Entry, column: str, edges: Sequence[ColumnEdge]) -> Iterator[Json]:
    """One a column and way: what a value is made of apart from what only decides which value it is."""
    downstreams = list(entry.columns) if column == ALL_ROWS else [column]
    urn = _urn(snapshot, entry.table)
    for subtype in dict.fromkeys(each.subtype for each in edges):
        sources = [each for each in edges if each.subtype == subtype]
        yield {
            "upstreamType": "FIELD_SET",
            "upstreams": [_field_urn(_urn(snapshot, each.input_table), each.input_column) for each in sources],
            "downstreamType": "FIELD_SET" if column == ALL_ROWS else "FIELD",
            "downstreams": [_field_urn(urn, name) for name in downstreams],
            "transformOperation": f"{sources[0].kind}:{subtype}",
            "confidenceScore": 1.0,
        }
