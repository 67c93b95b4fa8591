"""What DataHub and OpenMetadata take in, by their own published definitions, which `make` puts beside the environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
FOLDER = Path(__file__).parents[2] / ".venv" / "shapes"
OURS, AVRO = "com.linkedin.", "com.linkedin.pegasus2avro."
NUMBERS = {"int": int, "long": int, "float": int | float, "double": int | float}


def definitions() -> Path:
    """Skips where they are not installed."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER.relative_to(FOLDER.parents[1])} is missing; `make .venv/.shapes` installs it")
    return FOLDER


def datahub_faults(proposals: Sequence[Json]) -> Iterator[str]:
    """Each proposal against the Avro schema of its aspect, which DataHub's file source reads it by."""
    folder = definitions() / "datahub" / "metadata" / "schemas"
    aspects = {}
    for path in folder.glob("*.avsc"):
        schema = json.loads(path.read_text())
        if isinstance(schema, dict) and "Aspect" in schema:
            aspects[schema["Aspect"]["name"]] = schema
    for each in proposals:
        where = f"{each['entityUrn']} {each['aspectName']}"
        if set(each) != {"entityType", "entityUrn", "changeType", "aspectName", "aspect"} or set(each["aspect"]) != {
            "json"
        }:
            yield f"{where}: not the form of a proposal"
        elif each["aspectName"] not in aspects:
            yield f"{where}: there is no such aspect"
        else:
            yield from _Avro().faults(aspects[each["aspectName"]], each["aspect"]["json"], where)


class _Avro:
    """The checks of Avro's own validation, over JSON: fields that are needed, none beyond them, types, enums, unions."""

    def __init__(self) -> None:
        self._named: dict[str, Json] = {}

    def faults(self, schema: Any, value: Any, where: str, space: str = "") -> Iterator[str]:
        if isinstance(schema, list):
            yield from self._union(schema, value, where, space)
        elif isinstance(schema, str):
            yield from self._simple(schema, value, where, space)
        elif schema["type"] == "record":
            yield from self._record(schema, value, where, space)
        elif schema["type"] == "array":
            assert isinstance(value, list), where
            for at, each in enumerate(value):
                yield from self.faults(schema["items"], each, f"{where}[{at}]", space)
        elif schema["type"] == "map":
            for name, each in value.items():
                yield from self.faults(schema["values"], each, f"{where}.{name}", space)
        elif schema["type"] == "enum":
            self._named[f"{schema.get('namespace', space)}.{schema['name']}"] = schema
            if value not in schema["symbols"]:
                yield f"{where}: {value!r} is none of {schema['symbols']}"
        else:
            yield from self.faults(schema["type"], value, where, space)

    def _record(self, schema: Json, value: Any, where: str, space: str) -> Iterator[str]:
        space = schema.get("namespace", space)
        self._learn(schema, space)
        if not isinstance(value, Mapping):
            yield f"{where}: {value!r} is no {schema['name']}"
            return
        for name in value.keys() - {field["name"] for field in schema["fields"]}:
            yield f"{where}: {schema['name']} has no field {name}"
        for field in schema["fields"]:
            if field["name"] in value:
                yield from self.faults(field["type"], value[field["name"]], f"{where}.{field['name']}", space)
            elif "default" not in field:
                yield f"{where}: {schema['name']} needs {field['name']}"

    def _learn(self, schema: Any, space: str) -> None:
        """Names are used wherever they stand after their definition, also in fields that the value does not have."""
        if isinstance(schema, list):
            for each in schema:
                self._learn(each, space)
        elif isinstance(schema, dict):
            space = schema.get("namespace", space)
            if "name" in schema and schema.get("type") in ("record", "enum", "fixed"):
                self._named[f"{space}.{schema['name']}"] = schema
            for each in schema.get("fields", []):
                self._learn(each["type"], space)
            for key in ("items", "values", "type"):
                if isinstance(schema.get(key), dict | list):
                    self._learn(schema[key], space)

    def _union(self, schema: list[Any], value: Any, where: str, space: str) -> Iterator[str]:
        records = {f"{each.get('namespace', space)}.{each['name']}": each for each in schema if _is_record(each)}
        if len(records) > 1:
            [(name, inner)] = value.items()
            if (avro := name.replace(OURS, AVRO, 1)) not in records:
                yield f"{where}: {name} is none of {sorted(records)}"
            else:
                yield from self.faults(records[avro], inner, where, space)
            return
        tried = [list(self.faults(each, value, where, space)) for each in schema]
        if all(tried):
            yield from max(tried, key=len)

    def _simple(self, name: str, value: Any, where: str, space: str) -> Iterator[str]:
        known = {"null": type(None), "string": str, "boolean": bool, **NUMBERS}
        if name in known:
            if not isinstance(value, known[name]) or (name in NUMBERS and isinstance(value, bool)):
                yield f"{where}: {value!r} is no {name}"
        else:
            yield from self.faults(self._named[name if "." in name else f"{space}.{name}"], value, where, space)


def _is_record(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "record"


# In a process of its own: the models' package would bring half of OpenMetadata in, and its `metadata` is everybody's name.
_OPENMETADATA = """
import json, sys, types
folder = sys.argv[1]
sys.path.append(folder)
package = types.ModuleType("metadata")
package.__path__ = [folder + "/metadata"]
sys.modules["metadata"] = package
from pydantic import ValidationError
from metadata.generated.schema.api.classification.createClassification import CreateClassificationRequest
from metadata.generated.schema.api.classification.createTag import CreateTagRequest
from metadata.generated.schema.api.data.createDatabase import CreateDatabaseRequest
from metadata.generated.schema.api.data.createDatabaseSchema import CreateDatabaseSchemaRequest
from metadata.generated.schema.api.data.createTable import CreateTableRequest
from metadata.generated.schema.api.services.createDatabaseService import CreateDatabaseServiceRequest
from metadata.generated.schema.type.entityLineage import LineageDetails
known = {
    "services/databaseServices": CreateDatabaseServiceRequest, "databases": CreateDatabaseRequest,
    "databaseSchemas": CreateDatabaseSchemaRequest, "classifications": CreateClassificationRequest,
    "tags": CreateTagRequest, "tables": CreateTableRequest,
}
faults = []
for line in sys.stdin:
    one = json.loads(line)
    path = one["path"].removeprefix("/api/v1/")
    model = LineageDetails if path.startswith("lineage/") else known[path]
    beyond = one["body"].keys() - model.model_fields.keys()
    faults += [f"{path}: {model.__name__} has no {name}" for name in beyond]
    try:
        model.model_validate_json(json.dumps(one["body"]))
    except ValidationError as error:
        faults.append(f"{path}: {error}")
print(json.dumps(faults))
"""


def openmetadata_faults(lines: str) -> list[str]:
    """Each request against the model that OpenMetadata generates from its JSON Schema."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _OPENMETADATA, str(definitions())],
        input=lines, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found
