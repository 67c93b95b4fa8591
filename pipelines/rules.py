"""Rules: expectations with what becomes of the rows that break them, in one shape wherever they are looked at.

A transform's rules are kept while its rows are written: one scan marks each row with the rules that it breaks, and every
batch is split into rows that stay, rows that are put aside and rows that are left out. Nothing of that depends on how the
rows come in batches, so a repeat splits them the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.checks import Check, Verdict
from pipelines.expectations import OnFail

REASON, PHASE, RUN = "_reason", "_phase", "_run_id"
"""What a quarantined row says of itself beside its own columns."""
_FLAG, _PART = "_breaks_", "_adds_"


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule: the shape in which metrics, errors and ``ops.check_results`` tell it.

    Attributes:
        on_fail: warn, drop, quarantine or fail.
        ok: whether the rule holds.
        expected, observed: for a person.
        checked: rows that were looked at.
        failed: rows among them that break it; 0 for a rule of the whole table.
        dropped, quarantined: of the failed, those that were left out and nowhere kept, and those that were put aside.
    """

    rule: str
    on_fail: OnFail
    ok: bool
    expected: str
    observed: str
    checked: int
    failed: int = 0
    dropped: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Rule:
    check: Check
    on_fail: OnFail


def said(broken: Sequence[RuleResult]) -> str:
    """Broken rules in one line."""
    return "; ".join(f"{one.rule}: expected {one.expected}, observed {one.observed}" for one in broken)


def fatal(rules: Sequence[Rule], results: Sequence[RuleResult]) -> list[RuleResult]:
    """The broken rules that no warning and no leaving out of rows can answer."""
    # A column that is gone or a broken count has no bad rows to put aside; that must not let it pass.
    return [
        result
        for rule, result in zip(rules, results, strict=True)
        if not result.ok and (rule.on_fail == "fail" or (rule.on_fail != "warn" and rule.check.bad is None))
    ]


def with_reasons(rows: pl.LazyFrame, broken: Sequence[tuple[str, pl.Expr]]) -> pl.LazyFrame:
    """The rows that break one of these, each with the names of all that it breaks."""
    return rows.with_columns(_reasons(broken)).filter(pl.col(REASON) != "")


def _reasons(broken: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
    names = [pl.when(bad).then(pl.lit(name)) for name, bad in broken]
    return pl.concat_str(names, separator="; ", ignore_nulls=True).alias(REASON)


class Sieve:
    """Splits rows by the rules that they break, and counts.

    :meth:`marked` goes into the plan of the rows, before they are cut into batches: what is unique, or above an average,
    is so among all of them. :meth:`split` takes each batch; :meth:`results` may be asked after the last one.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.checked, self.dropped, self.quarantined = 0, 0, 0
        self._flags = {number: f"{_FLAG}{number}" for number, rule in enumerate(rules) if rule.check.bad is not None}
        self._adds = {ask: expr for rule in rules if rule.check.bad is None for ask, expr in rule.check.adds.items()}
        self._sums: list[pl.DataFrame] = []
        self._failed: Counter[int] = Counter()
        self._gone: Counter[int] = Counter()
        self._aside: Counter[int] = Counter()

    def marked(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        bad = {name: self.rules[number].check.bad for number, name in self._flags.items()}
        flags = {name: expr for name, expr in bad.items() if expr is not None}
        return rows.with_columns(**flags, **{f"{_PART}{ask}": expr for ask, expr in self._adds.items()})

    def own(self, schema: pl.Schema) -> pl.Schema:
        """The schema of the rows themselves."""
        return pl.Schema({name: kind for name, kind in schema.items() if not name.startswith((_FLAG, _PART))})

    def aside(self, schema: pl.Schema) -> pl.Schema:
        """The schema of the rows that are put aside."""
        said_of_it = dict.fromkeys((REASON, PHASE, RUN), pl.String())
        return pl.Schema({**self.own(schema), **said_of_it})

    def split(self, batch: pl.DataFrame, phase: str, run: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows of a marked batch that stay, and those to be put aside."""
        own = self.own(batch.schema).names()
        aside = self._any(batch, "quarantine")
        gone = self._any(batch, "drop") & ~aside
        self.checked += batch.height
        self.quarantined += int(aside.sum())
        self.dropped += int(gone.sum())
        for number, name in self._flags.items():
            broken = batch[name]
            self._failed[number] += int(broken.sum())
            self._aside[number] += int((broken & aside).sum())
            self._gone[number] += int((broken & gone).sum())
        kept = batch.filter(~(aside | gone))
        self._sums.append(kept.select(pl.col(f"{_PART}{ask}").sum().alias(ask) for ask in self._adds))
        why = [
            (self.rules[number].check.name, pl.col(name))
            for number, name in self._flags.items()
            if self.rules[number].on_fail in ("quarantine", "drop")
        ]
        put = batch.clear() if not why else batch.filter(aside)
        reasons = _reasons(why) if why else pl.lit("").alias(REASON)
        marks = [reasons, pl.lit(phase).alias(PHASE), pl.lit(run).alias(RUN)]
        return kept.select(own), put.with_columns(marks).select(self.aside(batch.schema).names())

    def _any(self, batch: pl.DataFrame, action: OnFail) -> pl.Series:
        names = [name for number, name in self._flags.items() if self.rules[number].on_fail == action]
        none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, batch.height)
        return batch.select(pl.any_horizontal(names).alias("any"))["any"] if names else none

    def results(self, elsewhere: Mapping[str, object]) -> list[RuleResult]:
        """What came of each rule.

        Args:
            elsewhere: the values of what the checks ask of other tables.
        """
        sums = (
            pl.concat(self._sums).sum().row(0, named=True)
            if self._sums and self._adds
            else dict.fromkeys(self._adds, 0)
        )
        values = {**sums, **elsewhere}
        found: list[RuleResult] = []
        for number, rule in enumerate(self.rules):
            check = rule.check
            if check.bad is None:
                verdict = check.judge(values)
                found.append(whole(verdict, rule.on_fail, self.checked))
                continue
            failed, dropped, aside = self._failed[number], self._gone[number], self._aside[number]
            ok = failed <= check.tolerates * self.checked
            seen = f"{failed} of {self.checked} rows"
            result = RuleResult(
                check.name, rule.on_fail, ok, check.expected, seen, self.checked, failed, dropped, aside
            )
            found.append(result)
        return found


def whole(verdict: Verdict, on_fail: OnFail, checked: int) -> RuleResult:
    """A verdict on a whole table, as the result of a rule."""
    return RuleResult(verdict.check, on_fail, verdict.ok, verdict.expected, verdict.observed, checked, verdict.bad_rows)
