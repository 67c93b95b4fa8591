"""Sources of columns, and what each expression of a plan makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

# Neither has types of its own; a test goes over every kind that a query of ours can hold.
_ENGINE: Any = pl._plr
NODES: Any = _ENGINE._ir_nodes
EXPRESSIONS: Any = _ENGINE._expr_nodes

RANK = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


@dataclass(frozen=True, order=True)
class Source:
    """A column that another one was made from.

    Attributes:
        kind: DIRECT, where its values are in the other's, or INDIRECT, where they decide which values those are.
        subtype: IDENTITY, TRANSFORMATION or AGGREGATION; JOIN, GROUP_BY, FILTER, SORT, WINDOW or CONDITIONAL.
    """

    table: str
    column: str
    kind: str
    subtype: str


Sources = frozenset[Source]
NONE: Sources = frozenset()
UNKNOWN = Source("", "", "UNKNOWN", "UNKNOWN")


@dataclass(frozen=True)
class Columns:
    """The columns at one place of a plan, with their sources; ``rows`` are those that decide which rows there are."""

    named: Mapping[str, Sources]
    rows: Sources


def strongest(sources: Sources, subtype: str) -> Sources:
    """The same sources after a step of that subtype: an aggregation of a transformation is an aggregation."""
    return frozenset(
        replace(each, subtype=max(each.subtype, subtype, key=RANK.__getitem__)) if each.kind == "DIRECT" else each
        for each in sources
    )


def indirect(sources: Sources, subtype: str) -> Sources:
    """The same columns, used to decide about others."""
    return frozenset(
        each if each.kind == "UNKNOWN" else replace(each, kind="INDIRECT", subtype=subtype) for each in sources
    )


def one_each(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Sorted, with one direct way a column: the strongest. What is unknown is said elsewhere."""
    direct: dict[tuple[str, str], Source] = {}
    others: set[Source] = set()
    for each in sources:
        if each.kind == "INDIRECT":
            others.add(each)
        elif each.kind == "DIRECT":
            key = (each.table, each.column)
            direct[key] = max(each, direct.get(key, each), key=lambda one: RANK[one.subtype])
    return tuple(sorted({*direct.values(), *others}))


class PlanWalker:
    """Sources of the expressions at the traverser's current node."""

    def __init__(self, traverser: Any) -> None:
        self._traverser = traverser

    def named(self, expressions: Iterable[Any], columns: Columns) -> dict[str, Sources]:
        """Output name → sources."""
        return {each.output_name: self._sources(each.node, columns) for each in expressions}

    def aggregated(self, expressions: Iterable[Any], columns: Columns) -> dict[str, Sources]:
        """As :meth:`named`, in a GROUP BY, where even a bare column is gathered from many rows."""
        return {name: strongest(each, "AGGREGATION") for name, each in self.named(expressions, columns).items()}

    def _sources(self, node: int, columns: Columns, window: bool = False) -> Sources:  # noqa: PLR0911, PLR0912
        try:
            view = self._traverser.view_expression(node)
        except NotImplementedError:
            return frozenset({UNKNOWN})

        def of(*nodes: int) -> Sources:
            return NONE.union(*(self._sources(each, columns, window) for each in nodes))

        match view:
            case EXPRESSIONS.Column():
                return columns.named.get(view.name, frozenset({UNKNOWN}))
            case EXPRESSIONS.Literal() | EXPRESSIONS.Len():
                return NONE
            case EXPRESSIONS.Alias() | EXPRESSIONS.Sort():
                return of(view.expr)
            case EXPRESSIONS.Slice():
                return of(view.input)
            case EXPRESSIONS.Cast() | EXPRESSIONS.Explode():
                return strongest(of(view.expr), "TRANSFORMATION")
            case EXPRESSIONS.BinaryExpr():
                return strongest(of(view.left, view.right), "TRANSFORMATION")
            case EXPRESSIONS.Agg():
                return strongest(of(*view.arguments), "AGGREGATION")
            case EXPRESSIONS.Function():
                return strongest(of(*view.input), _subtype(view.function_data[0]))
            case EXPRESSIONS.Ternary():
                made = strongest(of(view.truthy, view.falsy), "TRANSFORMATION")
                return made | indirect(of(view.predicate), "CONDITIONAL")
            case EXPRESSIONS.Filter():
                return of(view.input) | indirect(of(view.by), "FILTER")
            case EXPRESSIONS.SortBy():
                return of(view.expr) | indirect(of(*view.by), "SORT")
            case EXPRESSIONS.Gather():
                # SQL's running totals end with the last row of their peers, which is gathered.
                return of(view.expr) | indirect(of(view.idx), "WINDOW" if window else "CONDITIONAL")
            case EXPRESSIONS.Window():
                by = of(*view.partition_by, *([view.order_by] if view.order_by is not None else []))
                return self._sources(view.function, columns, window=True) | indirect(by, "WINDOW")
        return frozenset({UNKNOWN})


def _subtype(function: object) -> str:
    """A function that takes several rows together is an aggregation, whatever the engine calls it."""
    if isinstance(function, EXPRESSIONS.RollingFunction | EXPRESSIONS.RollingFunctionBy | EXPRESSIONS.EwmFunction):
        return "AGGREGATION"
    return "AGGREGATION" if str(function).startswith("cum_") else "TRANSFORMATION"
