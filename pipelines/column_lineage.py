"""Which column came from which: read from the plan that the engine itself makes of a query or of a function's frames.

The plan is made once more over empty tables of the same schemas, so no row and no log is read, and what is followed is
what the engine resolved: wildcards, renames, CTEs, set operations, subqueries. The words are OpenLineage's: a source is
DIRECT (IDENTITY, TRANSFORMATION, AGGREGATION) or INDIRECT (JOIN, GROUP_BY, FILTER, SORT, WINDOW, CONDITIONAL).

What the engine does not show – a Python function per value, a node of a version that we have not seen – is said to be
unknown, column by column. It is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from pipelines.column_sources import (
    NODES,
    UNKNOWN,
    Columns,
    PlanWalker,
    Source,
    indirect,
    one_each,
    strongest,
)

# The traverser's own version: another one may show nodes that we would misread.
KNOWN_PLAN = 16
# A table is known in the plan by its number of (null) rows: the only mark that a frame carries there.
FIRST_MARK = 1_009


@dataclass(frozen=True)
class ColumnLineage:
    """What one output's columns were made from.

    Attributes:
        columns: output column → its sources, sorted; a column of constants has none.
        dataset: sources that decide which rows there are, and so bear on every column.
        unknown: output columns of which nothing (more) can be told; ``*`` where that is true of the rows.
        reason: why, where anything is unknown.
    """

    columns: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    dataset: tuple[Source, ...] = ()
    unknown: tuple[str, ...] = ()
    reason: str = ""


def of_plan(
    tables: Mapping[str, tuple[str, pl.Schema]], make: Callable[[Mapping[str, pl.LazyFrame]], pl.LazyFrame]
) -> ColumnLineage:
    """The lineage of what ``make`` computes.

    Args:
        tables: alias → table and its schema.
        make: the query or function, from alias → rows; called with tables that hold nulls only.
    """
    marks = {FIRST_MARK + at: (table, frozenset(schema)) for at, (table, schema) in enumerate(tables.values())}
    # Shuffled, or the engine would know the nulls for sorted and leave every ORDER BY out.
    frames = {
        alias: pl.DataFrame(schema=schema).clear(FIRST_MARK + at).select(pl.all().shuffle(0)).lazy()
        for at, (alias, (_, schema)) in enumerate(tables.items())
    }
    try:
        return _followed(make(frames), marks)
    except Exception as error:
        # Lineage is a record beside the data: a function that cannot plan over empty tables has still made its rows.
        return ColumnLineage(unknown=("*",), reason=f"the plan cannot be read: {type(error).__name__}")


def declared(pairs: Mapping[str, Iterable[tuple[str, str]]], subtype: str = "IDENTITY") -> ColumnLineage:
    """Lineage that a contract states: output column → (table, column) of its direct sources."""
    return ColumnLineage(
        {name: one_each(Source(*source, "DIRECT", subtype) for source in sources) for name, sources in pairs.items()}
    )


def put_aside(table: str, columns: Iterable[str]) -> ColumnLineage:
    """Of rows that broke a rule of ``table``: its columns, and whatever of them is personal data."""
    return declared({name: [(table, name)] for name in columns})


def _followed(plan: pl.LazyFrame, marks: Mapping[int, tuple[str, frozenset[str]]]) -> ColumnLineage:
    if "SCAN" in plan.explain(optimized=False):
        return ColumnLineage(unknown=("*",), reason="it reads more than its inputs")
    traverser = plan._ldf.visit()
    if traverser.version()[0] != KNOWN_PLAN:
        return ColumnLineage(unknown=("*",), reason=f"plans of version {traverser.version()} are not known here")
    columns = _Nodes(traverser, marks).at(traverser.get_node())
    unknown = [name for name, sources in columns.named.items() if UNKNOWN in sources]
    hidden = UNKNOWN in columns.rows
    return ColumnLineage(
        {name: one_each(sources) for name, sources in columns.named.items()},
        one_each(columns.rows),
        (*unknown, "*") if hidden else tuple(unknown),
        "the engine does not show what a step does" if unknown or hidden else "",
    )


class _Nodes(PlanWalker):
    """The nodes of a plan, from the leaves up; expressions are the base's."""

    def __init__(self, traverser: pl._plr.NodeTraverser, marks: Mapping[int, tuple[str, frozenset[str]]]) -> None:
        super().__init__(traverser)
        self._marks = marks
        self._seen: dict[int, Columns] = {}

    def at(self, node: int) -> Columns:
        """Sources of the columns that the node gives."""
        if node not in self._seen:
            self._traverser.set_node(node)
            inputs = [self.at(each) for each in self._traverser.get_inputs()]
            # A visit of the inputs has moved the traverser.
            self._traverser.set_node(node)
            names = list(self._traverser.get_schema())
            try:
                found = self._of(self._traverser.view_current_node(), inputs, names)
            except NotImplementedError:
                found = Columns({}, frozenset({UNKNOWN}))
            # Whatever a node adds that we did not see it add.
            self._seen[node] = Columns(
                {name: found.named.get(name, frozenset({UNKNOWN})) for name in names}, found.rows
            )
        return self._seen[node]

    def _of(self, view: object, inputs: list[Columns], names: list[str]) -> Columns:  # noqa: PLR0911, PLR0912
        match view:
            case NODES.DataFrameScan():
                return self._table(view, names)
            case NODES.Select():
                return Columns(self.named(view.expr, inputs[0]), inputs[0].rows)
            case NODES.Reduce():
                return Columns(self.named(view.exprs, inputs[0]), inputs[0].rows)
            case NODES.HStack():
                return Columns({**inputs[0].named, **self.named(view.exprs, inputs[0])}, inputs[0].rows)
            case NODES.GroupBy():
                keys = self.named(view.keys, inputs[0])
                by = indirect(frozenset().union(*keys.values()), "GROUP_BY")
                return Columns({**keys, **self.aggregated(view.aggs, inputs[0])}, inputs[0].rows | by)
            case NODES.Join():
                return self._join(view, inputs[0], inputs[1])
            case NODES.Filter():
                return self._also(inputs[0], [view.predicate], "FILTER")
            case NODES.Sort():
                return self._also(inputs[0], view.by_column, "SORT")
            case NODES.Distinct():
                return self._distinct(view, inputs[0])
            case NODES.Union():
                return _stacked(inputs, names)
            case NODES.HConcat():
                named = {name: sources for each in inputs for name, sources in each.named.items()}
                return Columns(named, frozenset().union(*(each.rows for each in inputs)))
            case NODES.MapFunction():
                return _mapped(view.function, inputs[0], names)
            case NODES.SimpleProjection() | NODES.Slice() | NODES.Cache() | NODES.Sink():
                return inputs[0]
        raise NotImplementedError

    def _table(self, view: object, names: list[str]) -> Columns:
        table, known = self._marks.get(view.df.height(), ("", frozenset()))  # type: ignore[attr-defined]
        if not known.issuperset(names):
            # A table of the query's own: parameters, VALUES.
            return Columns(dict.fromkeys(names, frozenset()), frozenset())
        return Columns({name: frozenset({Source(table, name, "DIRECT", "IDENTITY")}) for name in names}, frozenset())

    def _also(self, columns: Columns, expressions: Iterable[object], subtype: str) -> Columns:
        used = frozenset().union(*self.named(expressions, columns).values())
        return Columns(columns.named, columns.rows | indirect(used, subtype))

    def _distinct(self, view: object, columns: Columns) -> Columns:
        subset = view.options[1]  # type: ignore[attr-defined]
        used = frozenset().union(*(columns.named[name] for name in subset or columns.named))
        return Columns(columns.named, columns.rows | indirect(used, "GROUP_BY"))

    def _join(self, view: object, left: Columns, right: Columns) -> Columns:
        how, _, _, suffix, coalesced, _ = view.options  # type: ignore[attr-defined]
        left_keys = self.named(view.left_on, left)  # type: ignore[attr-defined]
        right_keys = self.named(view.right_on, right)  # type: ignore[attr-defined]
        used = frozenset().union(*left_keys.values(), *right_keys.values())
        rows = left.rows | right.rows | indirect(used, "JOIN")
        if how in ("Semi", "Anti"):
            return Columns(left.named, rows)
        # The names as they come out: the left's own, then the right's, with the suffix where the left has that name too.
        named = dict(left.named)
        gone: set[str] = set(right_keys) if coalesced and how != "Right" else set()
        if coalesced and how == "Right":
            named = {name: sources for name, sources in named.items() if name not in left_keys}
        if coalesced and how == "Full":
            for mine, theirs in zip(left_keys, right_keys, strict=True):
                named[mine] = strongest(left.named[mine] | right.named[theirs], "TRANSFORMATION")
        for name, sources in right.named.items():
            if name not in gone:
                named[f"{name}{suffix}" if name in named else name] = sources
        return Columns(named, rows)


def _stacked(inputs: list[Columns], names: list[str]) -> Columns:
    named: dict[str, frozenset[Source]] = {}
    for at, name in enumerate(names):
        parts = [each.named.get(name, list(each.named.values())[at]) for each in inputs]
        named[name] = frozenset().union(*parts)
    return Columns(named, frozenset().union(*(each.rows for each in inputs)))


def _mapped(function: tuple[object, ...], columns: Columns, names: list[str]) -> Columns:
    match function:
        case ("rename", existing, new, *_):
            assert isinstance(existing, list | tuple)
            assert isinstance(new, list | tuple)
            renamed = dict(zip(existing, new, strict=True))
            return Columns({renamed.get(name, name): each for name, each in columns.named.items()}, columns.rows)
        case ("explode", exploded, *_):
            assert isinstance(exploded, list | tuple)
            taken = {str(name): strongest(columns.named[str(name)], "TRANSFORMATION") for name in exploded}
            return Columns({**columns.named, **taken}, columns.rows)
        case ("row_index", name, *_):
            return Columns({**columns.named, str(name): frozenset()}, columns.rows)
        case ("unpivot", index, on, variable, value, *_):
            assert isinstance(index, list | tuple)
            assert isinstance(on, list | tuple)
            melted = frozenset().union(*(columns.named[str(name)] for name in on))
            kept = {str(name): columns.named[str(name)] for name in index}
            return Columns({**kept, str(variable): frozenset(), str(value): melted}, columns.rows)
    return Columns({name: columns.named[name] | {UNKNOWN} for name in names if name in columns.named}, columns.rows)
