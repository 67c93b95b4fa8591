"""What is looked at after the probes' run. A check returns what it saw, as a sentence, or raises ``Unproven``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from openlineage.client.event_v2 import RunEvent, RunState
from openlineage.client.generated.column_lineage_dataset import ColumnLineageDatasetFacet, InputField

from compute.lineage.events import told
from ops.artifacts import ArtifactStore
from ops.catalog import Catalog
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import SpecInvalid
from ops.lineage import LineageTelling
from ops.model import EventType, PhaseStatus, RunStatus
from ops.reads import Reads
from ops.rpc import Rpc
from ops.views import RunDetail
from pipelines.lake import Lake
from pipelines.spec import spec_sha256
from pipelines.spec_source import load, parse

SPEC = Path(__file__).with_name("capability_probe.yaml")
TABLE, SEED, SEED_ROWS = "silver.capability_probe", "bronze.probe_seed", 10


class Unproven(Exception):
    """What the probe saw is not what the capability promises; the message says what."""


@dataclass(frozen=True)
class Sight:
    """What a check may look at: the run that has ended, and where its traces are."""

    run: RunDetail
    connection: Connection
    rpc: Rpc
    reads: Reads
    lake: Lake
    artifacts: ArtifactStore


def require(holds: bool, said: str) -> None:
    """Raises Unproven with ``said`` unless it holds."""
    if not holds:
        raise Unproven(said)


def jobs(sight: Sight) -> str:
    """A run of several phases went from end to end, each said when it began and ended, and the chain of events is whole."""
    run = sight.run
    require(run.status is RunStatus.SUCCEEDED, f"its run is {run.status}: {run.error_code}: {run.error_message}")
    phases = sight.reads.phases(run.run_id)
    done = [phase.name for phase in phases if phase.status is PhaseStatus.SUCCEEDED]
    require(len(done) == len(phases) >= 3, f"only {done} of {[phase.name for phase in phases]} succeeded")
    told = {(event.phase, event.type) for event in sight.reads.events(run.run_id)}
    silent = [name for name in done if not {(name, EventType.PHASE_STARTED), (name, EventType.PHASE_SUCCEEDED)} <= told]
    require(not silent, f"phases {silent} did not say when they began and ended")
    chain = sight.rpc.verify_event_chain(run.run_id)
    require(chain.ok, f"the event chain breaks at {chain.first_bad_seq}")
    return f"{len(done)} phases in order, {chain.events} events, their chain whole"


def authoring(sight: Sight) -> str:
    """A spec in YAML is read, a wrong one is refused with the place of its fault, and what ran is what was written."""
    text = SPEC.read_text()
    try:
        parse(text.replace("kind: query", "kind: quarry"), str(SPEC))
    except SpecInvalid as refused:
        line = next(number for number, each in enumerate(text.splitlines(), 1) if "kind: query" in each)
        require(
            f":{line}" in refused.message or f"line {line}" in refused.message, f"the fault has no place: {refused}"
        )
    else:
        raise Unproven("a spec with an unknown kind of phase was accepted")
    require(sight.run.spec_sha256 == spec_sha256(load(SPEC)), "the run's definition is not the file's")
    known = f"version {sight.run.pipeline_version} of {sight.run.pipeline}"
    return f"{known} registered and run; a faulty spec refused by line {line}"


def sql_warehouse(sight: Sight) -> str:
    """A query over the lake left its text, its result and a manifest, and the answer is right."""
    found = {each.kind: each for each in sight.reads.artifacts(sight.run.run_id) if each.phase == "ask"}
    require({"sql", "plan", "result", "preview", "manifest"} <= set(found), f"the query left only {sorted(found)}")
    for each in found.values():
        sight.artifacts.verify(each.uri, each.sha256)
    manifest = json.loads(sight.artifacts.read(found["manifest"].uri))
    preview = json.loads(sight.artifacts.read(found["preview"].uri))
    require(preview == [{"n": 15}], f"the answer is {preview}, not 15 rows")
    pinned = manifest["inputs"]
    return f"answered over {TABLE} version {pinned[TABLE]}, manifest and result verified by their sha256"


def table_format(sight: Sight) -> str:
    """Two versions of a Delta table were written, and each can be read as it was."""
    versions = [each.version for each in sight.reads.dataset_versions(sight.run.run_id) if each.table == TABLE]
    require(len(versions) == 2, f"the run wrote versions {versions}, not two")
    require(all(later == first + 1 for first, later in pairwise(versions)), f"versions {versions} do not follow")
    rows = [sight.lake.rows(TABLE, version) for version in versions]
    require(rows == [10, 15], f"read back: {rows} rows, written were 10 and 15")
    return f"{TABLE} read back at versions {versions[0]} (10 rows) and {versions[1]} (15 rows)"


def lineage(sight: Sight) -> str:
    """What the run wrote says what it was made from, at which version, and so does what OpenLineage is told."""
    made = [each for each in sight.reads.dataset_versions(sight.run.run_id) if each.table == TABLE]
    edges = {(one.table, one.version) for each in made for one in each.inputs}
    require(bool(edges) and {table for table, _ in edges} == {SEED}, f"the edges are {sorted(edges)}")
    [(table, version)] = edges
    events = [each for _, told in _told(sight) for each in told]
    begun = sum(each.eventType is RunState.START for each in events)
    require(len(events) == 2 * begun >= 4, f"{len(events)} events of OpenLineage begin {begun} runs")
    facets = [output.facets or {} for each in events for output in each.outputs or ()]
    sources = {source.field for each in facets for source in _origins(each.get("columnLineage"))}
    require(sources == {"id"}, f"told are the columns {sorted(sources)} of {table}, not id")
    return f"{len(made)} versions of {TABLE} made from {table} version {version}; {len(events)} events of OpenLineage say so"


def _told(sight: Sight) -> Iterator[tuple[int, list[RunEvent]]]:
    return told(LineageTelling(sight.rpc.source).story(sight.run.run_id), sight.lake.storage.url)


def _origins(facet: object) -> list[InputField]:
    if not isinstance(facet, ColumnLineageDatasetFacet):
        return []
    return [source for each in facet.fields.values() for source in each.inputFields]


def catalog(sight: Sight) -> str:
    """The catalog knows the table with its columns and versions, keeps what is said of it, and tells a stranger nothing."""
    run, known = sight.run, Catalog(sight.connection)
    found = known.entry(run.project_id, run.env, TABLE)
    known.note_dataset(found.dataset_id, "What the probes write.", ["@platform-owners"])
    known.note_column(found.dataset_id, "id", "A number.", pii="no")
    found = known.entry(run.project_id, run.env, TABLE)
    said = found.description, list(found.owners), found.notes["id"].pii
    require(
        said == ("What the probes write.", ["@platform-owners"], "no"), f"what was said of {TABLE} is kept as {said}"
    )
    versions = [each for each in known.versions(found.dataset_id) if each.run_id == run.run_id]
    written = {each.version for each in sight.reads.dataset_versions(run.run_id) if each.table == TABLE}
    require(
        {each.version for each in versions} == written, f"versions {written} were written, {len(versions)} are known"
    )
    require(all(list(each.columns) == ["id"] for each in versions), f"its columns are {dict(found.columns)}, not id")
    with acting_as(sight.connection, AUTHENTICATED, {"sub": "a stranger to the probes"}) as stranger:
        seen = Catalog(stranger).entries(run.project_id, run.env)
    require(not seen, f"a stranger reads of {[each.table for each in seen]}")
    return f"{TABLE} is known with {len(versions)} versions, its columns, its owner and its note; a stranger sees none of it"


CHECKS: Mapping[str, Callable[[Sight], str]] = {
    "Jobs/Workflows": jobs,
    "Pipeline authoring": authoring,
    "SQL Warehouse": sql_warehouse,
    "Table format": table_format,
    "Catalog/Governance": catalog,
    "Lineage": lineage,
}
"""Capability → its probe. A capability without one is a claim or a plan, and is shown as that."""
