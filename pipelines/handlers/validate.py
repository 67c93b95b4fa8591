"""Validate: expectations of one pinned table in one scan; bad rows may be put aside with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
from blake3 import blake3

from ops.errors import CheckFailed
from ops.model import DatasetVersion, Fingerprint, PhaseResult
from pipelines.checks import Subject, Verdict, compiled, verdicts
from pipelines.column_lineage import put_aside
from pipelines.expectations import OnFail
from pipelines.frames import pinned, polars_errors
from pipelines.handler import Context
from pipelines.lake import CommitRef
from pipelines.rules import PHASE, RUN, Rule, RuleResult, fatal, said, whole, with_reasons
from pipelines.spec import Phase, ValidatePhase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a validation.

    Raises:
        CheckFailed: with every rule that is broken and says ``fail``; under ``quarantine`` where it is about the whole
            table.
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
    rules = [Rule(check, each.action(phase.on_fail)) for check, each in zip(checks, phase.expect, strict=True)]
    results = [whole(verdict, rule.on_fail, rows) for verdict, rule in zip(found, rules, strict=True)]
    if broken := fatal(rules, results):
        raise CheckFailed(
            f"{phase.table}: {said(broken)}", {"table": phase.table, "checks": [vars(each) for each in results]}
        )
    rows_of = others[phase.table]
    with polars_errors(phase.name), storage_errors(phase.table):
        results = _counted(rows_of, rules, results)
        aside = _put_aside(ctx, phase, rows_of, _broken(rules, results, "quarantine"))
    quarantined = sum(dataset.rows for dataset in aside)
    return PhaseResult(
        rows_in=rows,
        rows_out=quarantined,
        output_fingerprint=_fingerprint(found),
        metrics={
            "failed_checks": sum(not each.ok for each in results), "checks": [vars(each) for each in results],
            "rows_checked": rows, "rows_dropped": 0, "rows_quarantined": quarantined,
        },
        datasets=aside,
        column_lineage={each.table: put_aside(phase.table, ctx.lake.schema(phase.table, one.version)) for each in aside},
    )  # fmt: skip


def _subject(ctx: Context, table: str, version: int) -> Subject:
    if version == 0:
        return Subject(ctx.lake.schema(table, 0), None, None)
    return Subject(
        ctx.lake.schema(table, version), ctx.lake.schema(table, version - 1), ctx.lake.rows(table, version - 1)
    )


def _broken(
    rules: Sequence[Rule], results: Sequence[RuleResult], on_fail: OnFail | None = None
) -> dict[int, tuple[str, pl.Expr]]:
    """Number → name and bad rows of each broken rule about rows."""
    return {
        number: (rule.check.name, rule.check.bad)
        for number, (rule, result) in enumerate(zip(rules, results, strict=True))
        if not result.ok and rule.check.bad is not None and on_fail in (None, rule.on_fail)
    }


def _counted(rows: pl.LazyFrame, rules: Sequence[Rule], results: Sequence[RuleResult]) -> list[RuleResult]:
    """The results with the rows of each broken rule; where all rules hold nothing is read."""
    broken = _broken(rules, results)
    aside = [bad for _, bad in _broken(rules, results, "quarantine").values()]
    put = pl.any_horizontal(aside) if aside else pl.lit(False)
    asks = {f"f{number}": bad.sum() for number, (_, bad) in broken.items()}
    asks |= {f"q{number}": (bad & put).sum() for number, (_, bad) in broken.items()}
    counts = rows.select(**asks).collect(engine="streaming").row(0, named=True) if asks else {}
    return [
        replace(one, failed=counts[f"f{number}"], quarantined=counts[f"q{number}"]) if number in broken else one
        for number, one in enumerate(results)
    ]


def _put_aside(
    ctx: Context, phase: ValidatePhase, rows: pl.LazyFrame, broken: Mapping[int, tuple[str, pl.Expr]]
) -> tuple[DatasetVersion, ...]:
    if not broken:
        return ()
    marks = {PHASE: pl.lit(phase.name), RUN: pl.lit(str(ctx.effect_of))}
    bad_rows = with_reasons(rows, list(broken.values())).with_columns(**marks)
    ref = CommitRef(ctx.run_id, ctx.lease_token, phase.name, effect_of=ctx.effect_of)
    inputs = (pinned(ctx, phase.table),)
    return (ctx.lake.commit(ctx.fence, ref, phase.writes[0], bad_rows, "append", inputs=inputs),)


def _fingerprint(found: list[Verdict]) -> Fingerprint:
    text = json.dumps([vars(verdict) for verdict in found], sort_keys=True)
    return Fingerprint(f"v1:blake3:{blake3(text.encode()).hexdigest()}")
