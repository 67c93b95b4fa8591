"""Facets of tables and of columns, from what the catalog knows of a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    documentation_dataset,
    lifecycle_state_change_dataset,
    ownership_dataset,
    schema_dataset,
    storage_dataset,
    symlinks_dataset,
    tags_dataset,
)

from compute.lineage.naming import Place, namespace_of
from ops.lineage import ColumnOrigin, KnownTable, TableAt, Written

Facets = dict[str, DatasetFacet]
ALL_ROWS = "*"


def of_table(place: Place, at: TableAt, known: KnownTable | None) -> Facets:
    """What is said of a table wherever it stands: as what, at which version, in whose words, with which columns."""
    table, version = at
    scope, own = place.owner(table)
    facets: Facets = {
        "storage": storage_dataset.StorageDatasetFacet(storageLayer="delta", fileFormat="parquet"),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="TABLE"),
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(
            identifiers=[symlinks_dataset.Identifier(namespace=namespace_of(scope), name=own, type="TABLE")]
        ),
    }
    if version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version))
    return facets | (_of_known(known) if known is not None else {})


def of_written(place: Place, written: Written, known: KnownTable | None) -> Facets:
    """As :func:`of_table`, with what the writing did and what its columns came from."""
    facets = of_table(place, (written.table, written.version), known)
    if change := _change(written):
        facets["lifecycleStateChange"] = lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(change)
    if written.columns_from:
        facets["columnLineage"] = column_lineage(place, written.columns_from)
    return facets


def column_lineage(place: Place, origins: Sequence[ColumnOrigin]) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """The facet for the origins of one table's columns; those of ``*`` bear on the table as a whole."""
    by_column: dict[str, list[ColumnOrigin]] = defaultdict(list)
    for each in origins:
        by_column[each.column].append(each)
    whole = by_column.pop(ALL_ROWS, [])
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            name: column_lineage_dataset.Fields(inputFields=_inputs(place, found)) for name, found in by_column.items()
        },
        dataset=_inputs(place, whole),
    )


def _inputs(place: Place, origins: Sequence[ColumnOrigin]) -> list[column_lineage_dataset.InputField]:
    ways: dict[tuple[str, str], list[column_lineage_dataset.Transformation]] = defaultdict(list)
    for each in sorted(origins):
        ways[each.input_table, each.input_column].append(
            column_lineage_dataset.Transformation(type=each.kind, subtype=each.subtype)
        )
    return [
        column_lineage_dataset.InputField(place.namespace, place.name(table), column, transformations)
        for (table, column), transformations in ways.items()
    ]


def _of_known(known: KnownTable) -> Facets:
    facets: Facets = {"schema": schema_dataset.SchemaDatasetFacet(fields=_fields(known))} if known.columns else {}
    if known.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(description=known.description)
    if known.owners:
        owners = [ownership_dataset.Owner(name=name, type="OWNER") for name in known.owners]
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(owners=owners)
    if tags := _tags(known):
        facets["tags"] = tags_dataset.TagsDatasetFacet(tags=tags)
    return facets


def _fields(known: KnownTable) -> list[schema_dataset.SchemaDatasetFacetFields]:
    return [
        schema_dataset.SchemaDatasetFacetFields(
            name=name, type=kind, description=_description(known, name), ordinal_position=position
        )
        for position, (name, kind) in enumerate(known.columns.items(), 1)
    ]


def _description(known: KnownTable, column: str) -> str | None:
    note = known.notes.get(column)
    return note.description or None if note else None


def _tags(known: KnownTable) -> list[tags_dataset.TagsDatasetFacetFields]:
    """Of people; ``pii`` is yes, no or suspected, where a suspicion is ours."""
    tag = tags_dataset.TagsDatasetFacetFields
    found = [tag(key=name, value="true", source="USER") for name in known.tags]
    for column, note in known.notes.items():
        found += [tag(key=name, value="true", source="USER", field=column) for name in note.tags]
        if note.pii:
            source = "INTEGRATION" if note.pii == "suspected" else "USER"
            found.append(tag(key="pii", value=note.pii, source=source, field=column))
    return found


_CHANGES: Mapping[str, lifecycle_state_change_dataset.LifecycleStateChange] = {
    "replace": lifecycle_state_change_dataset.LifecycleStateChange.OVERWRITE
}


def _change(written: Written) -> lifecycle_state_change_dataset.LifecycleStateChange | None:
    if written.version == 0:
        return lifecycle_state_change_dataset.LifecycleStateChange.CREATE
    return _CHANGES.get(written.mode)
