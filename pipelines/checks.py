"""Expectations as small objects: each gives the aggregates that it needs and a verdict on their values.

All aggregates of a table are collected in ONE lazy scan, whatever the number of checks; sums over other tables join it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from pipelines.expectations import Accepted, Expectation, Holds, Nulls, Rows, Shape, Sum, Unique
from pipelines.frames import condition

Values = Mapping[str, object]


@dataclass(frozen=True)
class Verdict:
    """Whether one expectation holds; ``expected`` and ``observed`` are for a person."""

    check: str
    ok: bool
    expected: str
    observed: str
    bad_rows: int = 0


@dataclass(frozen=True)
class Check:
    """One expectation, ready to be asked.

    Attributes:
        asks: aggregates over the table, by a name of the check's own.
        elsewhere: aggregates over other tables: name → (table, expression).
        bad: true for the rows that break it, where single rows do.
        expected, tolerates: of ``bad``: what is expected, and the share of rows that may break it.
        adds: where the table as a whole is judged by sums over its rows: what each row adds to an ask.
    """

    name: str
    judge: Callable[[Values], Verdict]
    asks: Mapping[str, pl.Expr] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, pl.Expr]] = field(default_factory=dict)
    bad: pl.Expr | None = None
    expected: str = ""
    tolerates: float = 0.0
    adds: Mapping[str, pl.Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What is known of the table without reading its rows.

    Attributes:
        schema: of the version that is checked; ``before`` of the one before it, None where there is none.
    """

    schema: Mapping[str, str]
    before: Mapping[str, str] | None
    rows_before: int | None


def compiled(expectations: Sequence[Expectation], subject: Subject) -> list[Check]:
    """One check an expectation. A column that the table lacks makes its check fail, not the scan."""
    return [_compiled(one, subject, number) for number, one in enumerate(expectations)]


def verdicts(checks: Sequence[Check], table: pl.LazyFrame, others: Mapping[str, pl.LazyFrame]) -> list[Verdict]:
    """Asks all checks at once.

    Args:
        others: rows of every table that ``elsewhere`` names.
    """
    asks = {name: expr for check in checks for name, expr in check.asks.items()}
    scans = [*([table.select(**asks)] if asks else []), *_scans(checks, others)]
    values = _values(scans)
    return [check.judge(values) for check in checks]


def elsewhere(checks: Sequence[Check], others: Mapping[str, pl.LazyFrame]) -> dict[str, object]:
    """The values of what the checks ask of other tables, by the names of their asks."""
    return _values(_scans(checks, others))


def _scans(checks: Sequence[Check], others: Mapping[str, pl.LazyFrame]) -> list[pl.LazyFrame]:
    asked = {name: ask for check in checks for name, ask in check.elsewhere.items()}
    return [
        others[other].select(**{name: expr for name, (where, expr) in asked.items() if where == other})
        for other in dict.fromkeys(name for name, _ in asked.values())
    ]


def _values(scans: Sequence[pl.LazyFrame]) -> dict[str, object]:
    values: dict[str, object] = {}
    for frame in pl.collect_all(scans, engine="streaming"):
        values.update(frame.row(0, named=True))
    return values


def _compiled(expectation: Expectation, subject: Subject, number: int) -> Check:
    ask = f"c{number}"
    match expectation:
        case Expectation(rows=Rows() as rows):
            check = _rows(rows, subject, ask)
        case Expectation(shape=Shape() as shape):
            check = _shape(shape, subject)
        case Expectation(nulls=Nulls() as nulls):
            check = _guarded(f"nulls {nulls.column}", [nulls.column], subject, lambda: _nulls(nulls, ask))
        case Expectation(unique=Unique() as unique):
            name = f"unique {', '.join(unique.columns)}"
            check = _guarded(name, unique.columns, subject, lambda: _unique(unique, name, ask))
        case Expectation(accepted=Accepted() as accepted):
            name = f"accepted {accepted.column}"
            check = _guarded(name, [accepted.column], subject, lambda: _accepted(accepted, name, ask))
        case Expectation(sum=Sum() as total):
            check = _guarded(f"sum {total.column}", [total.column], subject, lambda: _sum(total, ask))
        case Expectation(holds=Holds() as holds):
            check = _holds(holds, ask)
        case _:
            raise AssertionError(f"an expectation without a check: {expectation}")
    return check


def _guarded(name: str, columns: Sequence[str], subject: Subject, make: Callable[[], Check]) -> Check:
    if missing := [column for column in columns if column not in subject.schema]:
        verdict = Verdict(name, False, f"column {', '.join(missing)}", f"columns {', '.join(subject.schema)}")
        return Check(name, lambda _: verdict)
    return make()


def _rows(rows: Rows, subject: Subject, ask: str) -> Check:
    low, high = rows.min, rows.max
    wanted = [*([f">= {low}"] if low is not None else []), *([f"<= {high}"] if high is not None else [])]
    before = subject.rows_before
    if rows.max_change is not None:
        wanted.append(f"changed by at most {rows.max_change:.1%} from {before if before is not None else 'nothing'}")

    def judge(values: Values) -> Verdict:
        count = int(str(values[ask]))
        ok = (low is None or count >= low) and (high is None or count <= high)
        if rows.max_change is not None and before:
            ok = ok and abs(count - before) <= rows.max_change * before
        return Verdict("rows", ok, " and ".join(wanted), str(count))

    return Check("rows", judge, {ask: pl.len()}, adds={ask: pl.lit(1, pl.Int64)})


def _shape(shape: Shape, subject: Subject) -> Check:
    wanted = shape.columns if shape.columns is not None else subject.before
    faults: list[str] = []
    if wanted is not None:
        faults += [f"{name} is gone" for name in wanted if name not in subject.schema]
        faults += [
            f"{name} is {subject.schema[name]}, was {kind}"
            for name, kind in wanted.items()
            if name in subject.schema and subject.schema[name] != kind
        ]
        if shape.contract == "freeze":
            faults += [f"{name} is new" for name in subject.schema if name not in wanted]
    verdict = Verdict("schema", not faults, shape.contract, "; ".join(faults) or "unchanged")
    return Check("schema", lambda _: verdict)


def _nulls(nulls: Nulls, ask: str) -> Check:
    name, expected = f"nulls {nulls.column}", f"<= {nulls.max:.2%}"

    def judge(values: Values) -> Verdict:
        bad, rows = int(str(values[ask])), int(str(values[f"{ask}n"]))
        share = bad / rows if rows else 0.0
        return Verdict(name, share <= nulls.max, expected, f"{share:.2%} ({bad} of {rows})", bad)

    column, asks = pl.col(nulls.column), {ask: pl.col(nulls.column).null_count(), f"{ask}n": pl.len()}
    return Check(name, judge, asks, bad=column.is_null(), expected=expected, tolerates=nulls.max)


def _unique(unique: Unique, name: str, ask: str) -> Check:
    expected = "no value twice"
    key = pl.col(unique.columns[0]) if len(unique.columns) == 1 else pl.struct(*unique.columns)

    def judge(values: Values) -> Verdict:
        doubled = int(str(values[ask]))
        return Verdict(name, doubled == 0, expected, f"{doubled} rows too many", doubled)

    return Check(name, judge, {ask: pl.len() - key.n_unique()}, bad=key.is_duplicated(), expected=expected)


def _accepted(accepted: Accepted, name: str, ask: str) -> Check:
    column, expected = pl.col(accepted.column), f"one of {', '.join(map(str, accepted.values))}"
    bad = column.is_not_null() & ~column.is_in(list(accepted.values))

    def judge(values: Values) -> Verdict:
        found = int(str(values[ask]))
        return Verdict(name, found == 0, expected, f"{found} others", found)

    return Check(name, judge, {ask: bad.sum()}, bad=bad, expected=expected)


def _sum(total: Sum, ask: str) -> Check:
    name = f"sum {total.column}"
    own = _total(total.column, total.where)
    if total.equals is None:

        def judge(values: Values) -> Verdict:
            seen = values[ask]
            number = float(str(seen))
            ok = (total.min is None or number >= total.min) and (total.max is None or number <= total.max)
            return Verdict(name, ok, f"between {total.min} and {total.max}", str(seen))

        return Check(name, judge, {ask: own}, adds={ask: _part(total)})
    other = total.equals

    def compare(values: Values) -> Verdict:
        mine, theirs = values[ask], values[f"{ask}o"]
        expected = f"{theirs} (sum {other.column} of {other.table}{' where ' + other.where if other.where else ''})"
        return Verdict(name, _same(mine, theirs), expected, str(mine))

    elsewhere = {f"{ask}o": (other.table, _total(other.column, other.where))}
    return Check(name, compare, {ask: own}, elsewhere, adds={ask: _part(total)})


def _total(column: str, where: str | None) -> pl.Expr:
    chosen = pl.col(column) if where is None else pl.col(column).filter(condition(where))
    return chosen.sum()


def _part(total: Sum) -> pl.Expr:
    """What one row adds to the sum."""
    column = pl.col(total.column)
    return column if total.where is None else pl.when(condition(total.where)).then(column)


def _same(mine: object, theirs: object) -> bool:
    """Decimals and whole numbers exactly; floats as far as their order of addition may move them."""
    if isinstance(mine, float) or isinstance(theirs, float):
        return math.isclose(float(str(mine)), float(str(theirs)), rel_tol=1e-9, abs_tol=1e-9)
    return Decimal(str(mine)) == Decimal(str(theirs))


def _holds(holds: Holds, ask: str) -> Check:
    name, expected = holds.name or f"holds {holds.sql}", "true for every row"
    # A row for which the condition is unknown (null) does not hold it.
    bad = ~condition(holds.sql).fill_null(False)

    def judge(values: Values) -> Verdict:
        found = int(str(values[ask]))
        return Verdict(name, found == 0, expected, f"false for {found}", found)

    return Check(name, judge, {ask: bad.sum()}, bad=bad, expected=expected)
