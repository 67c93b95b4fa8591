"""The reference pipelines' transformations as a script: no runs, no leases, no fence, no staging, no fingerprints, no checks.

It reads Odoo, writes bronze, reads it, writes silver, reads that, writes gold: the same Delta tables, with the same
functions and SQL, one after another. Arguments: Odoo's URL, the lake's directory, the postmaster's pid.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import polars as pl
from deltalake import write_deltalake

from benchmarks.measure import Meter
from pipelines.catalogue import spec_path
from pipelines.changes import LSN, whole
from pipelines.contract import named
from pipelines.registry import named_function
from pipelines.sources.postgres import PostgresSource
from pipelines.spec import IngestPhase, TransformPhase
from pipelines.spec_source import load

Write = Callable[[str, pl.DataFrame], None]


def bronze(odoo: str, write: Write) -> None:
    """Every table of each group, all of one snapshot."""
    for phase in load(spec_path("odoo_ingest_bronze")).phases:
        assert isinstance(phase, IngestPhase)
        tables = named(phase.contract).tables
        with PostgresSource(odoo).snapshot() as snapshot:
            for table in phase.writes:
                name = table.removeprefix("bronze.")
                rows = pl.concat(list(whole(snapshot, name, tables[name])))
                write(table, rows.with_columns(
                    pl.lit(snapshot.taken_at).cast(pl.Datetime("us", "UTC")).alias("_ingested_at"),
                    pl.lit(snapshot.position, pl.Int64).alias(LSN),
                ))  # fmt: skip


def transforms(pipeline: str, lake: Path, write: Write) -> None:
    """The transform phases of a reference pipeline, in its order."""
    for phase in load(spec_path(pipeline)).phases:
        if not isinstance(phase, TransformPhase):
            continue
        frames = {alias: pl.scan_delta(str(path(lake, table))) for alias, table in phase.inputs.items()}
        if phase.sql is not None:
            rows = pl.SQLContext(frames).execute(phase.sql)
        else:
            made = named_function(phase.python or "")(frames, phase.with_)
            assert isinstance(made, pl.LazyFrame)
            rows = made
        write(phase.output.table, rows.collect(engine="streaming"))


def path(lake: Path, table: str) -> Path:
    return lake / Path(*table.split("."))


def main(odoo: str, lake: Path, postmaster: int) -> None:
    def write(table: str, rows: pl.DataFrame) -> None:
        target = path(lake, table)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_deltalake(str(target), rows.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="overwrite")

    layers: dict[str, Callable[[], None]] = {
        "bronze": lambda: bronze(odoo, write),
        "silver": lambda: transforms("bronze_to_silver", lake, write),
        "gold": lambda: transforms("silver_to_gold", lake, write),
    }
    costs = {}
    for layer, work in layers.items():
        meter = Meter(postmaster)
        work()
        costs[layer] = asdict(meter.read())
    print(json.dumps(costs))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
