"""Validate: expectations of one pinned table in one scan; bad rows may be put aside with the reason."""

from __future__ import annotations

import json

import polars as pl
from blake3 import blake3

from ops.errors import CheckFailed
from ops.model import DatasetVersion, Fingerprint, PhaseResult
from pipelines.checks import Check, Subject, Verdict, compiled, verdicts
from pipelines.frames import pinned, polars_errors
from pipelines.handler import Context
from pipelines.lake import CommitRef
from pipelines.spec import Phase, ValidatePhase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a validation.

    Raises:
        CheckFailed: with every expectation that does not hold, where ``on_fail`` is ``fail``; under ``quarantine``
            where one of them is about the whole table.
    """
    assert isinstance(phase, ValidatePhase)
    one = pinned(ctx, phase.table)
    checks = compiled(phase.expect, _subject(ctx, phase.table, one.version))
    others = {table: ctx.lake.scan(table, pinned(ctx, table).version) for table in phase.reads}
    rows = ctx.lake.rows(phase.table, one.version)
    ctx.progress(0, rows, phase.table)
    with polars_errors(phase.name), storage_errors(phase.table):
        found = verdicts(checks, others[phase.table], others)
    ctx.progress(rows, rows, phase.table)
    failed = [verdict for verdict in found if not verdict.ok]
    # A broken count, schema or sum has no bad rows to put aside; quarantine must not let it pass.
    whole = {check.name for check in checks if check.bad is None}
    fatal = phase.on_fail == "fail" or (phase.on_fail == "quarantine" and any(one.check in whole for one in failed))
    if failed and fatal:
        said = "; ".join(f"{one.check}: expected {one.expected}, observed {one.observed}" for one in failed)
        raise CheckFailed(f"{phase.table}: {said}", {"table": phase.table, "checks": [vars(one) for one in found]})
    aside: tuple[DatasetVersion, ...] = ()
    if failed and phase.on_fail == "quarantine":
        aside = _put_aside(ctx, phase, [check for check, verdict in zip(checks, found, strict=True) if not verdict.ok])
    return PhaseResult(
        rows_in=rows,
        rows_out=sum(dataset.rows for dataset in aside),
        output_fingerprint=_fingerprint(found),
        metrics={"failed_checks": len(failed), "checks": [vars(verdict) for verdict in found]},
        datasets=aside,
    )


def _subject(ctx: Context, table: str, version: int) -> Subject:
    if version == 0:
        return Subject(ctx.lake.schema(table, 0), None, None)
    return Subject(
        ctx.lake.schema(table, version), ctx.lake.schema(table, version - 1), ctx.lake.rows(table, version - 1)
    )


def _put_aside(ctx: Context, phase: ValidatePhase, broken: list[Check]) -> tuple[DatasetVersion, ...]:
    marked = [(check.name, check.bad) for check in broken if check.bad is not None]
    if not marked:
        return ()
    one = pinned(ctx, phase.table)
    reasons = [pl.when(bad).then(pl.lit(name)) for name, bad in marked]
    bad_rows = (
        ctx.lake.scan(phase.table, one.version)
        .with_columns(pl.concat_str(reasons, separator="; ", ignore_nulls=True).alias("_reason"))
        .filter(pl.col("_reason") != "")
        .with_columns(pl.lit(str(ctx.effect_of)).alias("_run_id"))
    )
    ref = CommitRef(ctx.run_id, ctx.lease_token, phase.name, effect_of=ctx.effect_of)
    return (ctx.lake.commit(ctx.fence, ref, phase.writes[0], bad_rows, "append", inputs=(one,)),)


def _fingerprint(found: list[Verdict]) -> Fingerprint:
    text = json.dumps([vars(verdict) for verdict in found], sort_keys=True)
    return Fingerprint(f"v1:blake3:{blake3(text.encode()).hexdigest()}")
