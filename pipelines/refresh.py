"""What a full refresh of a pipeline carries out: its tables anew and whole, each compared with what readers have.

Derived from the spec and nothing else, so that every owner of the run, and whoever verifies it, derives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from ops.errors import BadInput
from pipelines.expectations import TableName
from pipelines.plan import dependencies
from pipelines.spec import CustomPhase, IngestPhase, Phase, Pipeline, QueryPhase, TransformPhase, ValidatePhase

COMPARE = "compare"
KEPT = (TransformPhase, ValidatePhase, QueryPhase)


class ComparePhase(CustomPhase):
    """A table as the run made it beside a version of it: no phase of a spec, a refresh has one for each table.

    Attributes:
        key: columns that name a row, for rows that are in one of them only, or differ.
        against: the version that readers have; None where they have none.
    """

    kind: Literal["compare"]
    table: TableName
    key: tuple[str, ...] = ()
    against: int | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.table,)

    @property
    def writes(self) -> tuple[str, ...]:
        return ()


def refreshed(pipeline: Pipeline) -> Pipeline:
    """The pipeline's transforms with their tables replaced whole, its checks and queries, and a comparison a table.

    What shows a table to others (publish, kinds of third parties) is left out: readers do not have it yet.

    Raises:
        BadInput: something of it cannot be made anew, or there is nothing to make.
    """
    _refuse(pipeline)
    needed = dependencies(pipeline.phases)
    names = {phase.name for phase in pipeline.phases if isinstance(phase, KEPT)}
    written: dict[str, TransformPhase] = {}
    phases: list[Phase] = []
    for phase in pipeline.phases:
        if phase.name not in names:
            continue
        more: dict[str, object] = {"depends_on": tuple(_kept(phase.name, needed, names))}
        if isinstance(phase, TransformPhase):
            if phase.output.table not in written:
                # Later phases that write the same table add to what the first one began.
                more["output"] = phase.output.model_copy(update={"mode": "replace"})
            written[phase.output.table] = phase
        phases.append(phase.model_copy(update=more))
    comparisons = [_comparison(table, last, phases) for table, last in written.items()]
    return pipeline.model_copy(update={"phases": (*phases, *comparisons)})


def of_run(spec: Mapping[str, object], kinds: Iterable[str]) -> Pipeline:
    """What a run carries out, from its spec and the kinds of its phases: a comparison among them makes it a refresh."""
    pipeline = Pipeline.from_json(spec)
    return refreshed(pipeline) if COMPARE in kinds else pipeline


def compared(pipeline: Pipeline) -> tuple[str, ...]:
    """Tables that are compared with what readers have."""
    return tuple(phase.table for phase in pipeline.phases if isinstance(phase, ComparePhase))


def beside(pipeline: Pipeline, former: object) -> Pipeline:
    """The pipeline with the versions to compare with.

    Args:
        former: table → version that readers have, as the run's manifest has it.
    """
    versions = former if isinstance(former, Mapping) else {}
    phases = [
        phase.model_copy(update={"against": versions.get(phase.table)}) if isinstance(phase, ComparePhase) else phase
        for phase in pipeline.phases
    ]
    return pipeline.model_copy(update={"phases": tuple(phases)})


def _refuse(pipeline: Pipeline) -> None:
    faults: list[str] = []
    for phase in pipeline.phases:
        if isinstance(phase, IngestPhase):
            faults.append(f"{phase.name} reads a source, which has moved on; refresh the pipelines behind it")
        elif isinstance(phase, TransformPhase) and phase.output.mode == "scd2":
            faults.append(f"{phase.name} keeps a history (scd2), which cannot be computed anew")
        elif isinstance(phase, TransformPhase) and phase.output.mode == "partition":
            faults.append(f"{phase.name} makes partitions; a backfill computes those anew")
        elif isinstance(phase, TransformPhase) and phase.output.table in phase.reads:
            faults.append(f"{phase.name} reads the table that it writes and cannot begin without it")
    if not faults and not any(isinstance(phase, TransformPhase) for phase in pipeline.phases):
        faults.append("it makes no table")
    if faults:
        raise BadInput(f"{pipeline.pipeline} cannot be refreshed: {'; '.join(faults)}", {"faults": faults})


def _kept(name: str, needed: Mapping[str, tuple[str, ...]], names: set[str]) -> list[str]:
    """What a phase waits for; behind a phase that is left out, what that one waited for."""
    found: dict[str, None] = {}
    for before in needed[name]:
        found.update(dict.fromkeys([before] if before in names else _kept(before, needed, names)))
    return list(found)


def _comparison(table: str, last: TransformPhase, phases: list[Phase]) -> ComparePhase:
    # After its checks too: what fails them is not worth a comparison.
    needed = tuple(phase.name for phase in phases if table in phase.writes or table in phase.reads)
    return ComparePhase(
        name=f"compare_{table.replace('.', '_')}", kind="compare", table=table, key=last.output.key, depends_on=needed
    )
