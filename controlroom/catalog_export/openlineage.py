"""The catalog as static OpenLineage events, a line each: a DatasetEvent for each table, a JobEvent for what writes it."""

from __future__ import annotations

from openlineage.client.event_v2 import DatasetEvent, InputDataset, Job, JobEvent, OutputDataset, StaticDataset
from openlineage.client.serde import Serde

from compute.lineage.events import PRODUCER
from compute.lineage.facets import column_lineage, of_table
from compute.lineage.naming import Place, namespace_of
from controlroom.catalog_export.snapshot import Snapshot
from ops.catalog import Entry
from ops.lineage import KnownTable


def text(snapshot: Snapshot) -> str:
    """Newline-delimited JSON."""
    place = Place(snapshot.lake, snapshot.scope)
    events: list[DatasetEvent | JobEvent] = [_table(snapshot, place, entry) for entry in snapshot.entries]
    events += [_job(snapshot, place, entry) for entry in snapshot.entries if entry.table in snapshot.writers]
    return "".join(f"{Serde.to_json(event)}\n" for event in events)


def _table(snapshot: Snapshot, place: Place, entry: Entry) -> DatasetEvent:
    known = KnownTable(entry.columns, entry.description, entry.owners, entry.tags, entry.notes)
    facets = of_table(place, (entry.table, entry.version), known)
    if origins := snapshot.origins(entry.table):
        facets["columnLineage"] = column_lineage(place, origins)
    dataset = StaticDataset(place.namespace, place.name(entry.table), facets=facets)
    return DatasetEvent(eventTime=entry.updated_at.isoformat(), dataset=dataset, producer=PRODUCER)


def _job(snapshot: Snapshot, place: Place, entry: Entry) -> JobEvent:
    pipeline, phase = snapshot.writers[entry.table]
    return JobEvent(
        eventTime=entry.updated_at.isoformat(),
        job=Job(namespace_of(snapshot.scope), f"{pipeline}.{phase}"),
        inputs=[InputDataset(place.namespace, place.name(source)) for source in snapshot.sources(entry.table)],
        outputs=[OutputDataset(place.namespace, place.name(entry.table))],
        producer=PRODUCER,
    )
