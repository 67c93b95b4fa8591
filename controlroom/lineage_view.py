"""Lineage as a person looks at it: the edges that are reached from a table or column, as a tree or as Mermaid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.catalog import Lineage


@dataclass(frozen=True, order=True)
class Edge:
    """``output`` comes from ``source``; both are ``layer.name``, or ``layer.name.column``. ``how`` is empty for tables."""

    output: str
    source: str
    how: str = ""


def name_of(table: str, column: str | None) -> str:
    """How a node is written."""
    return table if column is None else f"{table}.{column}"


def reached(lineage: Lineage, table: str, column: str | None = None, *, downstream: bool = False) -> list[Edge]:
    """Every edge on a way from the table or column: to its sources, or to what is made from it; a loop is walked once."""
    edges = _of_columns(lineage) if column is not None else [Edge(*pair) for pair in lineage.tables]
    by_end: dict[str, list[Edge]] = defaultdict(list)
    for each in edges:
        by_end[each.source if downstream else each.output].append(each)
    found: dict[Edge, None] = {}
    ahead, seen = [name_of(table, column)], {name_of(table, column)}
    while ahead:
        for each in by_end[ahead.pop()]:
            found[each] = None
            other = each.output if downstream else each.source
            if other not in seen:
                seen.add(other)
                ahead.append(other)
    return sorted(found)


def _of_columns(lineage: Lineage) -> list[Edge]:
    """What decides about the rows of a table bears on each of its columns."""
    columns: dict[str, set[str]] = defaultdict(set)
    for each in lineage.columns:
        if each.column != "*":
            columns[each.table].add(each.column)
    return [
        Edge(f"{each.table}.{column}", f"{each.input_table}.{each.input_column}", each.subtype.lower())
        for each in lineage.columns
        for column in (sorted(columns[each.table]) if each.column == "*" else [each.column])
    ]


def tree(edges: Sequence[Edge], root: str, *, downstream: bool = False) -> str:
    """Indented text; a node whose branches were shown before ends in an ellipsis."""
    by_end: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in edges:
        near, far = (each.source, each.output) if downstream else (each.output, each.source)
        by_end[near][far].append(each.how)
    lines: list[str] = [root]
    _branches(by_end, root, "", lines, {root})
    return "\n".join(lines)


def _branches(
    by_end: Mapping[str, Mapping[str, Sequence[str]]], node: str, indent: str, lines: list[str], shown: set[str]
) -> None:
    branches = by_end.get(node, {})
    for at, (far, how) in enumerate(branches.items()):
        last = at == len(branches) - 1
        again = far in shown and far in by_end
        said = f" ({', '.join(sorted(filter(None, how)))})" if any(how) else ""
        lines.append(f"{indent}{'└─ ' if last else '├─ '}{far}{said}{' …' if again else ''}")
        if not again:
            shown.add(far)
            _branches(by_end, far, indent + ("   " if last else "│  "), lines, shown)


def mermaid(edges: Sequence[Edge]) -> str:
    """A flowchart; several ways between two nodes are one arrow."""
    names = dict.fromkeys(name for each in edges for name in (each.source, each.output))
    ids = {name: f"n{at}" for at, name in enumerate(names)}
    ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in edges:
        ways[each.source, each.output].append(each.how)
    lines = ["flowchart LR", *(f'  {ids[name]}["{name}"]' for name in names)]
    for (source, output), how in ways.items():
        label = ", ".join(sorted(filter(None, how)))
        lines.append(f"  {ids[source]} -->{f'|{label}|' if label else ''} {ids[output]}")
    return "\n".join(lines)
