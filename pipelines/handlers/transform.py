"""Transform: one table from others, by SQL or by a function over lazy frames, into the lake under the fence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from ops.errors import BadInput
from ops.model import DatasetVersion, Fingerprint, PhaseResult
from pipelines.column_lineage import ColumnLineage, of_plan, put_aside
from pipelines.fingerprint import combined
from pipelines.frames import pinned, polars_errors, query, scans
from pipelines.handler import Context
from pipelines.lake import CommitRef
from pipelines.partition import Span
from pipelines.registry import named_function
from pipelines.sifting import sift
from pipelines.spec import Output, Phase, TransformPhase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a transform.

    Raises:
        BadInput: the SQL is wrong, or the function returns no lazy frame.
        CheckFailed: a rule of what it makes is broken and says ``fail``; nothing was written.
        SchemaDrift: an input lacks a column, or the output does not fit the table; nothing was written.
        LeaseLost, CommitConflict, StorageFailed: see :meth:`pipelines.lake.Lake.commit`.
    """
    assert isinstance(phase, TransformPhase)
    inputs = tuple(pinned(ctx, table) for table in dict.fromkeys(phase.inputs.values()))
    rows_in = sum(ctx.lake.rows(one.table, one.version) for one in inputs)
    output = phase.output
    ref = CommitRef(ctx.run_id, ctx.lease_token, phase.name, effect_of=ctx.effect_of)
    effective = _latest_commit(ctx, phase) if output.mode == "scd2" else None
    within = span(ctx, output)
    ctx.progress(0, rows_in, output.table)
    with polars_errors(phase.name):
        if phase.expect:
            with storage_errors(output.table):
                sifted = sift(ctx, phase, rows(ctx, phase), inputs, effective, within)
            datasets, metrics = sifted.datasets, sifted.metrics
        else:
            made = ctx.lake.commit(
                ctx.fence, ref, output.table, rows(ctx, phase), output.mode, output.key, inputs=inputs,
                effective_at=effective, span=within,
            )  # fmt: skip
            datasets, metrics = (made,), {}
    ctx.progress(rows_in, rows_in, output.table)
    dataset, lineage = datasets[0], column_lineage(ctx, phase)
    return PhaseResult(
        rows_in=rows_in,
        rows_out=dataset.rows,
        byte_size=sum(one.byte_size for one in datasets),
        output_fingerprint=_fingerprint(datasets),
        metrics={"total_rows": dataset.total_rows, "version": dataset.version, "adopted": dataset.adopted, **metrics},
        datasets=datasets,
        column_lineage={
            output.table: lineage,
            **{one.table: put_aside(output.table, dataset.schema) for one in datasets[1:]},
        },
    )


def _fingerprint(datasets: Sequence[DatasetVersion]) -> Fingerprint:
    """Of all that the phase made; of its table alone where it put nothing aside."""
    if len(datasets) == 1:
        return datasets[0].fingerprint
    return combined({one.table: one.fingerprint for one in datasets})


def rows(ctx: Context, phase: TransformPhase) -> pl.LazyFrame:
    """What the phase computes, lazily."""
    frames = scans(ctx, phase.inputs)
    if phase.sql is not None:
        return query(frames, phase.sql, ctx.params, [ctx.lake.path(table) for table in phase.inputs.values()])
    made = named_function(phase.python or "")(frames, {**ctx.params, **phase.with_})
    if not isinstance(made, pl.LazyFrame):
        raise BadInput(f"{phase.python} returned {type(made).__name__}; return a LazyFrame", {"phase": phase.name})
    return made


def span(ctx: Context, output: Output) -> Span | None:
    """The rows that the run's partitions hold, where the phase replaces those.

    Raises:
        BadInput: the run's parameters name no whole partitions.
    """
    if output.by is None or ctx.partition is None:
        return None
    return ctx.partition.span(output.by, ctx.params)


def column_lineage(ctx: Context, phase: TransformPhase) -> ColumnLineage:
    """Which input columns each output column was made from; what cannot be told is said to be unknown."""
    if phase.sql is not None:
        sql = phase.sql
        tables = {
            alias: (table, ctx.lake.scan(table, pinned(ctx, table).version).collect_schema())
            for alias, table in phase.inputs.items()
        }
        return of_plan(tables, lambda frames: query(frames, sql, ctx.params))
    # A function may do more than plan: it is called once, with its rows, and never again for a record of it.
    return ColumnLineage(unknown=("*",), reason=f"{phase.python} is a function of Python's")


def _latest_commit(ctx: Context, phase: TransformPhase) -> datetime:
    """When the newest input was committed: the moment from which an scd2 row holds, the same on every repeat."""
    tables = dict.fromkeys(phase.inputs.values())
    stamps = [ctx.lake.handle(table, pinned(ctx, table).version).history(1)[0].get("timestamp") for table in tables]
    return datetime.fromtimestamp(max(int(stamp or 0) for stamp in stamps) / 1000, UTC)
