"""Which table versions a run reads: pinned once, before its first phase, by whoever owned it first."""

from __future__ import annotations

from collections.abc import Mapping

from ops.errors import NotFound
from ops.model import TableVersion
from pipelines.commit import entries
from pipelines.lake import Lake, owner_of
from pipelines.plan import dependencies, reaches
from pipelines.refresh import compared
from pipelines.spec import Phase, Pipeline, QueryPhase

Manifest = Mapping[str, object]


def from_outside(pipeline: Pipeline) -> dict[str, str]:
    """Table → the first phase that reads it from before the run: no phase that it waits for writes it."""
    needed = dependencies(pipeline.phases)
    found: dict[str, str] = {}
    for phase in pipeline.phases:
        for table in phase.reads:
            made = any(table in other.writes and reaches(needed, phase.name, other.name) for other in pipeline.phases)
            if not made:
                found.setdefault(table, phase.name)
    return found


def named(pipeline: Pipeline) -> tuple[str, ...]:
    """Tables that queries name in their SQL, with the versions that they name, from before the run."""
    read = {table for phase in pipeline.phases if isinstance(phase, QueryPhase) for table in phase.named}
    return tuple(table for table in from_outside(pipeline) if table in read)


def anothers(pipeline: Pipeline) -> tuple[str, ...]:
    """Tables of other projects that the pipeline reads."""
    return tuple(table for table in from_outside(pipeline) if owner_of(table))


def manifest(pipeline: Pipeline, lake: Lake, released: Mapping[str, int | None]) -> dict[str, object]:
    """The versions of now. ``bases`` are the outputs as they stand before the run: what a merge starts from; ``former``,
    of a refresh, what readers have of the tables that it makes.

    Args:
        released: what readers get of the tables that Postgres knows, other projects' among them. Of one that it does not
            know, which others than runs made, it is the lake's newest version.

    Raises:
        NotFound: with every table that is read and does not exist.
    """
    wanted = from_outside(pipeline)
    tables = {table: released[table] if table in released else outsiders_version(lake, table) for table in wanted}
    if missing := sorted(table for table, version in tables.items() if version is None):
        said = ", ".join(f"{table} (read by phase {wanted[table]})" for table in missing)
        raise NotFound(
            f"no such table: {said}; run the pipeline that writes it first, to its success", {"tables": missing}
        )
    bases = {table: lake.version(table) for phase in pipeline.phases for table in phase.writes}
    former = {table: released.get(table) for table in compared(pipeline)}
    return {
        "tables": tables,
        "bases": {table: version for table, version in bases.items() if version is not None},
        **({"former": former} if former else {}),
    }


def outsiders_version(lake: Lake, table: str) -> int | None:
    """The newest version of a table that no run wrote; None where there is none.

    A run's commit that Postgres does not know is what a cut-off owner left: nobody's to read before it is reconciled.
    """
    version = lake.version(table)
    if version is None or any(True for _ in entries(lake.storage, lake.path(table), version)):
        return None
    return version


def pinned(manifest: Manifest) -> dict[str, TableVersion]:
    """Table → version, as a manifest has it."""
    tables = manifest.get("tables")
    if not isinstance(tables, Mapping):
        return {}
    return {str(table): TableVersion(str(table), int(version)) for table, version in tables.items()}


def inputs_of(phase: Phase, available: Mapping[str, TableVersion]) -> dict[str, TableVersion]:
    """What of the available versions the phase reads."""
    return {table: available[table] for table in phase.reads if table in available}
