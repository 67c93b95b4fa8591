"""Whether events are what the OpenLineage specification says, as JSON, from outside of what made them.

The specification's JSON Schema files are in no package that can be installed here. The client's classes are generated from
them, so the schema is made back from those: each field with its type, required where it has no default, nothing beyond them.
What the classes leave out is added from the specification's text: what every event and facet must have, formats, and the names
under which facets stand, each with its prefix where it is no facet of the specification.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

import attr
from jsonschema import Draft202012Validator, FormatChecker
from openlineage.client.generated import (
    base,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_dataset,
    documentation_job,
    error_message_run,
    job_type_job,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    ownership_job,
    parent_run,
    processing_engine_run,
    schema_dataset,
    source_code_job,
    sql_job,
    storage_dataset,
    symlinks_dataset,
    tags_dataset,
    tags_run,
)

Json = dict[str, Any]
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
RUN_FACETS: Mapping[str, type] = {
    "parent": parent_run.ParentRunFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    "tags": tags_run.TagsRunFacet,
}
JOB_FACETS: Mapping[str, type] = {
    "jobType": job_type_job.JobTypeJobFacet,
    "ownership": ownership_job.OwnershipJobFacet,
    "documentation": documentation_job.DocumentationJobFacet,
    "sql": sql_job.SQLJobFacet,
    "sourceCode": source_code_job.SourceCodeJobFacet,
}
DATASET_FACETS: Mapping[str, type] = {
    "schema": schema_dataset.SchemaDatasetFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "symlinks": symlinks_dataset.SymlinksDatasetFacet,
    "storage": storage_dataset.StorageDatasetFacet,
    "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet,
    "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet,
    "documentation": documentation_dataset.DocumentationDatasetFacet,
    "ownership": ownership_dataset.OwnershipDatasetFacet,
    "tags": tags_dataset.TagsDatasetFacet,
}
INPUT_FACETS = {"dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet}
OUTPUT_FACETS = {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet}
# Facets of nobody's but ours: any object that says who made it, by the schema of its kind.
OWN = {"run": r"^controlroom_\w+$"}
URI: Json = {"type": "string", "format": "uri", "minLength": 1}


def faults(event: Json) -> list[str]:
    """What is wrong with an event, each with its place."""
    known = {"RunEvent": RUN_EVENT, "JobEvent": JOB_EVENT, "DatasetEvent": DATASET_EVENT}
    kind = str(event.get("schemaURL", "")).removeprefix(SPEC)
    if kind not in known:
        return [f"schemaURL is {event.get('schemaURL')!r}"]
    found = Draft202012Validator(known[kind], format_checker=FormatChecker()).iter_errors(event)
    return [f"{each.json_path}: {each.message}" for each in found]


def _of_class(kind: type, instead: Mapping[str, Json] | None = None, within: tuple[type, ...] = ()) -> Json:
    """``instead``: schemas for fields by name. What a class has of its own kind within itself is an object."""
    if kind in within:
        return {"type": "object"}
    hints = typing.get_type_hints(kind)
    properties, required = {}, []
    for field in attr.fields(kind):
        properties[field.name] = (instead or {}).get(field.name) or _of_type(hints[field.name], (*within, kind))
        if field.default is attr.NOTHING:
            required.append(field.name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _of_type(hint: Any, within: tuple[type, ...]) -> Json:  # noqa: PLR0911 - one line for each kind of type
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        [found] = [each for each in arguments if each is not type(None)]
        return _of_type(found, within)
    if origin is list:
        return {"type": "array", "items": _of_type(arguments[0], within)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(arguments[1], within)}
    if hint is Any:
        return {}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [each.value for each in hint]}
    if attr.has(hint):
        return _of_class(hint, within=within)
    return {"type": {str: "string", int: "integer", bool: "boolean", float: "number"}[hint]}


def _facet(kind: type) -> Json:
    url = kind._get_schema()  # type: ignore[attr-defined]
    made = _of_class(kind, {"_schemaURL": {"const": url}, "_producer": URI})
    return {**made, "required": [*made["required"], "_producer", "_schemaURL"]}


def _facets(known: Mapping[str, type], own: str | None = None) -> Json:
    anything = {"type": "object", "required": ["_producer", "_schemaURL"]}
    return {
        "type": "object",
        "properties": {name: _facet(kind) for name, kind in known.items()},
        "patternProperties": {own: anything} if own else {},
        "additionalProperties": False,
    }


def _named(kind: type, facets: Json, **more: Json) -> Json:
    names = {"namespace": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1}}
    return _of_class(kind, {"facets": facets, **names, **more})


def _event(kind: type, **parts: Json) -> Json:
    time: Json = {"type": "string", "format": "date-time"}
    url: Json = {"const": kind._get_schema()}  # type: ignore[attr-defined]
    made = _of_class(kind, {"eventTime": time, "producer": URI, "schemaURL": url, **parts})
    return {**made, "required": sorted({*made["required"], "eventTime", "producer", "schemaURL"})}


_RUN = _of_class(base.Run, {"runId": {"type": "string", "format": "uuid"}, "facets": _facets(RUN_FACETS, OWN["run"])})
_JOB = _named(base.Job, _facets(JOB_FACETS))
_INPUTS = {
    "type": "array",
    "items": _named(base.InputDataset, _facets(DATASET_FACETS), inputFacets=_facets(INPUT_FACETS)),
}
_OUTPUTS = {
    "type": "array",
    "items": _named(base.OutputDataset, _facets(DATASET_FACETS), outputFacets=_facets(OUTPUT_FACETS)),
}
RUN_EVENT = _event(base.RunEvent, run=_RUN, job=_JOB, inputs=_INPUTS, outputs=_OUTPUTS)
JOB_EVENT = _event(base.JobEvent, job=_JOB, inputs=_INPUTS, outputs=_OUTPUTS)
DATASET_EVENT = _event(base.DatasetEvent, dataset=_named(base.StaticDataset, _facets(DATASET_FACETS)))
