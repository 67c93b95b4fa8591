"""A transform's rows into its table, the rows that break its rules beside it: one scan, two commits.

Which rows are bad is known when all have been seen, so both sides are staged in one pass and committed after it: first the
quarantine, then the table. Both commits are known by run and phase. Whoever comes after a crash between the two computes
the same rows from the same pinned inputs, finds the first commit and makes the second: each row is in exactly one of them.
The other way round a table could lack rows of which nobody has the evidence. ``tests/pipelines/handlers/test_rules.py``
stops between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from ops.errors import BadInput, CheckFailed, Conflict, SchemaDrift
from ops.model import DatasetVersion, TableVersion
from pipelines.checks import Subject, compiled, elsewhere
from pipelines.columns import delta_schema, described, lake_schema
from pipelines.fingerprint import Fingerprinter
from pipelines.frames import pinned
from pipelines.handler import Context
from pipelines.lake import CommitRef
from pipelines.partition import Span
from pipelines.rules import Rule, RuleResult, Sieve, fatal, said
from pipelines.spec import TransformPhase, quarantine_of
from pipelines.staging import Staged, Staging, batches


@dataclass(frozen=True)
class Sifted:
    """What a phase committed, its table first, and what came of its rules."""

    datasets: tuple[DatasetVersion, ...]
    results: tuple[RuleResult, ...]
    checked: int
    dropped: int
    quarantined: int

    @property
    def metrics(self) -> Mapping[str, object]:
        return {
            "failed_checks": sum(not one.ok for one in self.results),
            "checks": [vars(one) for one in self.results],
            "rows_checked": self.checked,
            "rows_dropped": self.dropped,
            "rows_quarantined": self.quarantined,
        }


class _Counted:
    """A side that is in the lake already, or that no row goes to: it is counted again and not written."""

    def __init__(self, schema: pl.Schema) -> None:
        self._schema, self._counted = schema, Fingerprinter(schema)

    def add(self, part: pl.DataFrame) -> None:
        self._counted.update(part)

    def staged(self) -> Staged:
        return Staged((), self._schema, self._counted.digest(), pl.DataFrame())


class _Collected:
    """A side in memory: a dimension with history is compared whole with what is current."""

    def __init__(self, schema: pl.Schema) -> None:
        self._parts = [pl.DataFrame(schema=schema)]

    def add(self, part: pl.DataFrame) -> None:
        self._parts.append(part)

    def staged(self) -> pl.DataFrame:
        return pl.concat(self._parts)


def sift(
    ctx: Context,
    phase: TransformPhase,
    rows: pl.LazyFrame,
    inputs: tuple[TableVersion, ...],
    effective_at: datetime | None,
    span: Span | None = None,
) -> Sifted:
    """Computes the rows once, looks at every rule, and commits what may be committed.

    Args:
        effective_at, span: for the table, see :meth:`pipelines.lake.Lake.commit`.

    Raises:
        CheckFailed: a rule with ``fail`` is broken, or one whose column is not there; nothing was committed.
        Conflict: a former try put other rows aside than this one would: the transform is not the same twice.
        BadInput, SchemaDrift, LeaseLost, CommitConflict, StorageFailed: see :meth:`pipelines.lake.Lake.commit`.
    """
    table, output, aside = phase.output.table, phase.output, quarantine_of(phase.output.table)
    ref = CommitRef(ctx.run_id, ctx.lease_token, phase.name, effect_of=ctx.effect_of)
    done = ctx.lake.committed(table, ref, ctx.fence)
    put = ctx.lake.committed(aside, ref, ctx.fence) if aside in phase.writes else None
    sieve = Sieve(_rules(phase, rows))
    with ExitStack() as files:
        schema, parts = batches(sieve.marked(rows), table)
        kept = _Counted(sieve.own(schema)) if done else _side(ctx, phase, sieve.own(schema), files, span)
        bad: _Counted | Staging = _Counted(sieve.aside(schema))
        if done is None and put is None and aside in phase.writes:
            bad = files.enter_context(ctx.lake.staging(aside, sieve.aside(schema)))
        for part in parts:
            stays, goes = sieve.split(part, phase.name, str(ctx.effect_of))
            kept.add(stays)
            bad.add(goes)
        results = sieve.results(_of_other_tables(ctx, sieve))
        if broken := fatal(sieve.rules, results):
            raise CheckFailed(f"{table}: {said(broken)}", {"table": table, "checks": [vars(one) for one in results]})
        made, evidence = kept.staged(), bad.staged()
    if done is None and put is not None and put.fingerprint != evidence.digest.root:
        raise Conflict(
            f"phase {phase.name} gives other rows than its former try, whose bad rows are in {aside} already; what it "
            "computes must be the same from the same inputs: mend it and submit a new run",
            {"phase": phase.name, "table": aside, "version": put.version},
        )
    if done is None and put is None and evidence.rows:
        with _or_discarded(ctx, aside, evidence):
            put = ctx.lake.commit(ctx.fence, ref, aside, evidence, "append", inputs=inputs)
    if done is None:
        with _or_discarded(ctx, table, made):
            done = ctx.lake.commit(
                ctx.fence, ref, table, made, output.mode, output.key, inputs=inputs, effective_at=effective_at, span=span,
            )  # fmt: skip
    datasets = (done,) if put is None else (done, put)
    return Sifted(datasets, tuple(results), sieve.checked, sieve.dropped, sieve.quarantined)


@contextmanager
def _or_discarded(ctx: Context, table: str, rows: Staged | pl.DataFrame) -> Iterator[None]:
    """Takes staged files away where their commit is refused before it is tried."""
    try:
        yield
    except (BadInput, SchemaDrift):
        if isinstance(rows, Staged):
            ctx.lake.discard(table, rows)
        raise


def _rules(phase: TransformPhase, rows: pl.LazyFrame) -> list[Rule]:
    schema = described(delta_schema(lake_schema(rows.collect_schema(), phase.output.table)))
    checks = compiled(phase.expect, Subject(schema, None, None))
    return [Rule(check, one.action(phase.on_fail)) for check, one in zip(checks, phase.expect, strict=True)]


def _side(
    ctx: Context, phase: TransformPhase, schema: pl.Schema, files: ExitStack, span: Span | None
) -> _Collected | Staging:
    output = phase.output
    if output.mode == "scd2":
        return _Collected(schema)
    return files.enter_context(
        ctx.lake.staging(output.table, schema, key=output.key, keep_keys=output.mode == "merge", within=span)
    )


def _of_other_tables(ctx: Context, sieve: Sieve) -> dict[str, object]:
    checks = [rule.check for rule in sieve.rules]
    tied = dict.fromkeys(table for check in checks for table, _ in check.elsewhere.values())
    return elsewhere(checks, {table: ctx.lake.scan(table, pinned(ctx, table).version) for table in tied})
