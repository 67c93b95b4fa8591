"""Ingest: tables of a source into bronze, all of one moment, each exactly once.

In order: compare the source with its contract; read every table inside one snapshot and stage it beside its bronze
table; write down the landing; commit table after table. Nothing is visible before everything is staged, and whoever
takes the run over commits the same files.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
import structlog

from ops.errors import BadInput
from ops.model import DatasetVersion, PhaseResult
from pipelines import landing as landings
from pipelines.changes import LSN, changed, whole
from pipelines.columns import UTC_MICROSECONDS, conform
from pipelines.contract import Contract, Table, named
from pipelines.fingerprint import combined
from pipelines.handler import Context
from pipelines.lake import CommitRef
from pipelines.landing import Landed, Landing
from pipelines.sources.postgres import PostgresSource
from pipelines.sources.source import Snapshot, Source
from pipelines.spec import IngestPhase, Phase

log = structlog.get_logger()


@dataclass(frozen=True)
class Ingest:
    """What one ingest phase reads.

    Attributes:
        phase: the phase's name.
        tables: source table → bronze table.
        full: read everything again and replace, also where the contract says incremental.
        readers: connections that read at the same time.
    """

    phase: str
    contract: Contract
    tables: Mapping[str, str]
    full: bool = False
    readers: int = 2


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """The handler of kind ``ingest``; errors as :func:`run`, and SecretMissing for a dsn that cannot be resolved."""
    assert isinstance(phase, IngestPhase)
    tables = {table.removeprefix("bronze."): table for table in phase.writes}
    what = Ingest(phase.name, named(phase.contract), tables, phase.full, phase.readers)
    return run(ctx, what, PostgresSource(ctx.secrets.resolve(phase.source.dsn), phase.source.db_schema))


def run(ctx: Context, what: Ingest, source: Source) -> PhaseResult:
    """Carries an ingest out.

    Raises:
        SourceUnreachable, SchemaDrift, StorageFailed: nothing of it is visible.
        LeaseLost: what was committed before stays, and the next owner completes it.
    """
    landing = landings.load(ctx.lake, ctx.effect_of, what.phase)
    if landing is None:
        landing = landings.settle(ctx.lake, ctx.effect_of, what.phase, _land(ctx, what, source))
    datasets = tuple(_commit(ctx, what.phase, table, landed) for table, landed in landing.tables.items())
    rows = sum(dataset.rows for dataset in datasets)
    return PhaseResult(
        rows_in=rows,
        rows_out=rows,
        byte_size=sum(dataset.byte_size for dataset in datasets),
        output_fingerprint=combined({dataset.table: dataset.fingerprint for dataset in datasets}),
        metrics={
            "source_taken_at": landing.taken_at.isoformat(),
            "source_position": landing.position,
            "rows": {dataset.table: dataset.rows for dataset in datasets},
        },
        datasets=datasets,
    )


def _commit(ctx: Context, phase: str, table: str, landed: Landed) -> DatasetVersion:
    ref = CommitRef(ctx.run_id, ctx.lease_token, phase, effect_of=ctx.effect_of)
    return ctx.lake.commit(ctx.fence, ref, table, landed.staged, landed.mode, since=landed.since)


def _land(ctx: Context, what: Ingest, source: Source) -> Landing:
    if unknown := [name for name in what.tables if name not in what.contract.tables]:
        raise BadInput(f"the contract of {what.contract.source} has no table {', '.join(unknown)}", {"tables": unknown})
    with source.snapshot() as snapshot:
        names = list(what.tables)
        what.contract.compare(names, snapshot.columns(names))
        landed = _Lander(ctx, what, snapshot).all()
        return Landing(snapshot.taken_at, snapshot.position, landed)


class _Lander:
    """Reads the tables of one snapshot, several at a time; the first failure stops them all."""

    def __init__(self, ctx: Context, what: Ingest, snapshot: Snapshot) -> None:
        self._ctx, self._what, self._snapshot = ctx, what, snapshot
        self._failed = threading.Event()
        self._counting = threading.Lock()
        self._rows = 0
        self._expected = float(sum(snapshot.estimated_rows(list(what.tables)).values()))
        self._landed: dict[str, Landed] = {}

    def all(self) -> dict[str, Landed]:
        with ThreadPoolExecutor(self._what.readers, "ingest") as readers:
            jobs = [readers.submit(self._one, name) for name in self._what.tables]
        # Of several failures the first that is not a mere echo ("stopped") is the reason.
        errors = [error for job in jobs if (error := job.exception()) is not None]
        if errors:
            for table, landed in self._landed.items():
                self._ctx.lake.discard(table, landed.staged)
            raise next((error for error in errors if not isinstance(error, _Stopped)), errors[0])
        return {bronze: self._landed[bronze] for bronze in self._what.tables.values()}

    def _one(self, name: str) -> None:
        bronze = self._what.tables[name]
        try:
            version = self._ctx.lake.version(bronze)
            batches, replaces = self._batches(name, self._what.contract.tables[name], bronze, version)
            staged = self._ctx.lake.stage(
                bronze, self._counted(batches, bronze), key=self._what.contract.tables[name].key
            )
            self._landed[bronze] = Landed(
                "replace" if replaces else "append", staged, -1 if version is None else version
            )
            log.info("table staged", run=str(self._ctx.run_id), phase=self._what.phase, table=bronze, rows=staged.rows)
        except BaseException:
            self._failed.set()
            raise

    def _batches(self, name: str, table: Table, bronze: str, pinned: int | None) -> tuple[Iterator[pl.DataFrame], bool]:
        if table.sync == "snapshot" or self._what.full or pinned is None:
            return whole(self._snapshot, name, table), True
        return changed(self._snapshot, name, table, self._ctx.lake.scan(bronze, pinned)), False

    def _counted(self, batches: Iterator[pl.DataFrame], bronze: str) -> Iterator[pl.DataFrame]:
        schema: pl.Schema | None = None
        for batch in batches:
            if self._failed.is_set():
                raise _Stopped("stopped, because another table failed")
            full = self._with_lineage(batch)
            # The first batch has every column; one of deletes has the key alone.
            schema = schema or full.schema
            yield conform(full, schema, bronze)
            with self._counting:
                self._rows += batch.height
                self._ctx.progress(self._rows, max(self._expected, self._rows), bronze, table=bronze)

    def _with_lineage(self, batch: pl.DataFrame) -> pl.DataFrame:
        return batch.with_columns(
            pl.lit(str(self._ctx.effect_of)).alias("_run_id"),
            pl.lit(self._snapshot.taken_at).cast(UTC_MICROSECONDS).alias("_ingested_at"),
            pl.lit(self._snapshot.position, pl.Int64).alias(LSN),
        )


class _Stopped(Exception):
    """This reader stopped because another one failed."""
