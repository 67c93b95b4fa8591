"""The whole lineage of a table, or of one of its columns, as a graph that one clicks through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from dashboard.views.dag import Box, Graph, graph
from dashboard.views.datasets import EFFECTS
from ops.dataset_reads import ColumnStep, TableStep


@dataclass(frozen=True)
class LineageNode:
    """A box: its name, what stands below that, where it leads; ``whole`` is on hover."""

    name: str
    note: str
    href: str
    tone: str
    whole: str


@dataclass(frozen=True)
class Lineage:
    """``graph`` is None where tables are made from each other in a circle; then ``steps`` say it in words."""

    graph: Graph | None
    boxes: tuple[tuple[Box, LineageNode], ...]
    steps: tuple[str, ...]
    cut: bool


def of_table(steps: Sequence[TableStep], table: str, cut: bool) -> Lineage:
    """The graph of tables; one that was made from a version that is not the newest any more is marked.

    Args:
        table: in the middle of it.
        cut: there may be more of them (:func:`may_go_on`).
    """
    # What a table was before it was written anew is older than it in any case.
    others = [each for each in steps if each.source != each.target]
    behind = {each.target for each in others if each.newest is not None and each.newest > each.version}
    ids = {each.source: each.source_id for each in steps} | {each.target: each.target_id for each in steps}
    nodes = {
        name: LineageNode(
            name.partition(".")[2],
            _table_note(name, found is not None or name == table, name in behind),
            _address(found) if name != table else "",
            "busy" if name == table else "quiet" if found is None else "waits" if name in behind else "good",
            f"{name}: made from versions that are not the newest any more" if name in behind else name,
        )
        for name, found in {table: None, **ids}.items()
    }
    said = [f"{each.source} (version {each.version}) → {each.target}" for each in steps]
    return _lineage([(each.source, each.target) for each in steps], nodes, said, cut)


def of_column(steps: Sequence[ColumnStep], table: str, column: str, cut: bool) -> Lineage:
    """The same of the columns that one column's values came from or went into."""
    middle = f"{table}.{column}"
    ids: dict[str, tuple[str, str, UUID | None]] = {}
    for each in steps:
        ids[each.source] = (each.input_table, each.input_column, each.input_id)
        ids[each.target] = (each.output_table, each.output_column, each.output_id)
    effects = {each.target: EFFECTS[each.subtype] for each in steps}
    nodes = {
        name: LineageNode(
            of,
            f"{source}, {effects[name]}" if name in effects else source,
            _address(found, of) if name != middle else "",
            "busy" if name == middle else "quiet" if found is None else "good",
            f"{name}, {effects[name]}" if name in effects else name,
        )
        for name, (source, of, found) in {middle: (table, column, None), **ids}.items()
    }
    said = [f"{each.source} → {each.target} ({EFFECTS[each.subtype]})" for each in steps]
    return _lineage([(each.source, each.target) for each in steps], nodes, said, cut)


def _lineage(
    steps: Sequence[tuple[str, str]], nodes: Mapping[str, LineageNode], said: Sequence[str], cut: bool
) -> Lineage:
    after: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in steps:
        # A table that is added to is made from what it was: that is no step to anywhere.
        if source != target:
            after[target].append(source)
    found = graph(after)
    boxes = tuple((box, nodes[box.name]) for box in found.boxes) if found else ()
    return Lineage(found, boxes, () if found else tuple(said), cut)


def _table_note(name: str, known: bool, behind: bool) -> str:
    if "/" in name:
        return "another project's"
    layer = name.partition(".")[0]
    return f"{layer}, behind" if behind else layer if known else f"{layer}, not known here"


def may_go_on(steps: Sequence[TableStep] | Sequence[ColumnStep], far: int, most: int) -> bool:
    """Whether there may be more than these: there are ``most`` of them, or some are ``far`` away."""
    return len(steps) >= most or any(each.far + 1 >= far for each in steps)


def _address(dataset_id: UUID | None, column: str = "") -> str:
    if dataset_id is None:
        return ""
    return "dataset?" + urlencode({"id": str(dataset_id), "graph": "true", **({"column": column} if column else {})})


def words(lineage: Lineage) -> str:
    """What stands below it; empty where there is nothing to explain."""
    said = []
    if lineage.cut:
        said.append("There may be more, further away than is drawn here.")
    if any(node.tone == "waits" for _, node in lineage.boxes):
        said.append("Amber was made from versions that are not the newest any more.")
    return " ".join(said)
