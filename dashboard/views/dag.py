"""Where boxes and lines of a graph of phases, or of tables, stand: ranks from left to right, no line through a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

WIDE, HIGH, GAP, ROW = 168, 44, 44, 58
SWEEPS = 4
# A phase by its name; or a place that a long line passes on its way: where from, where to, in which rank.
Spot = str | tuple[str, str, int]


@dataclass(frozen=True)
class Box:
    name: str
    left: int
    top: int


@dataclass(frozen=True)
class Line:
    """A rectangle of which some edges are drawn: ``flat`` its top, ``out`` and ``into`` the two halves of a bend.

    ``up`` turns a bend upside down; ``ends``: there is the point of an arrow.
    """

    shape: str
    left: int
    top: int
    width: int
    height: int
    up: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Graph:
    """Measures are pixels."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def graph(after: Mapping[str, Sequence[str]]) -> Graph | None:
    """The graph of ``after``: phase → the phases that it waits for. None where they wait for each other in a circle.

    What is waited for and not there is left out.
    """
    known = {name: [each for each in dict.fromkeys(names) if each in after] for name, names in after.items()}
    try:
        order = list(TopologicalSorter(known).static_order())
    except CycleError:
        return None
    rank: dict[str, int] = {}
    for name in order:
        rank[name] = 1 + max((rank[each] for each in known[name]), default=-1)
    steps = [step for name in after for source in known[name] for step in _steps(source, name, rank)]
    ranks = _ranked(list(after), steps, rank)
    places = _places(_untangled(ranks, steps))
    boxes = tuple(Box(name, *places[name]) for name in after)
    lines = tuple(line for source, target in steps for line in _lines(source, target, places))
    tallest = max((len(each) for each in ranks), default=0)
    return Graph(boxes, lines, max(len(ranks) * (WIDE + GAP) - GAP, 0), max(tallest * ROW - (ROW - HIGH), 0))


def _steps(source: str, target: str, rank: Mapping[str, int]) -> list[tuple[Spot, Spot]]:
    between: list[Spot] = [(source, target, each) for each in range(rank[source] + 1, rank[target])]
    way: list[Spot] = [source, *between, target]
    return list(pairwise(way))


def _ranked(names: Sequence[str], steps: Sequence[tuple[Spot, Spot]], rank: Mapping[str, int]) -> list[list[Spot]]:
    ranks: list[list[Spot]] = [[] for _ in range(1 + max(rank.values(), default=-1))]
    for name in names:
        ranks[rank[name]].append(name)
    for _, spot in steps:
        if isinstance(spot, tuple):
            ranks[spot[2]].append(spot)
    return ranks


def _untangled(ranks: list[list[Spot]], steps: Sequence[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """Each rank in the order of the middle of its neighbours, to and fro a few times: few lines cross then."""
    before: dict[Spot, list[Spot]] = {}
    behind: dict[Spot, list[Spot]] = {}
    for source, target in steps:
        behind.setdefault(source, []).append(target)
        before.setdefault(target, []).append(source)
    for sweep in range(SWEEPS):
        neighbours = before if sweep % 2 == 0 else behind
        ordered = ranks if sweep % 2 == 0 else ranks[::-1]
        at = {spot: number - (len(each) - 1) / 2 for each in ranks for number, spot in enumerate(each)}
        for each in ordered:
            wanted = {
                spot: sum(at[near] for near in neighbours[spot]) / len(neighbours[spot])
                if spot in neighbours
                else at[spot]
                for spot in each
            }
            each.sort(key=wanted.__getitem__)
            at.update({spot: number - (len(each) - 1) / 2 for number, spot in enumerate(each)})
    return ranks


def _places(ranks: Sequence[Sequence[Spot]]) -> dict[Spot, tuple[int, int]]:
    tallest = max((len(each) for each in ranks), default=0)
    return {
        spot: (column * (WIDE + GAP), number * ROW + (tallest - len(each)) * ROW // 2)
        for column, each in enumerate(ranks)
        for number, spot in enumerate(each)
    }


def _lines(source: Spot, target: Spot, places: Mapping[Spot, tuple[int, int]]) -> list[Line]:
    (left, top), (right, bottom) = places[source], places[target]
    begin, start, end = left + WIDE, top + HIGH // 2, bottom + HIGH // 2
    ends = not isinstance(target, tuple)
    passed = [Line("flat", left, start, WIDE, 0)] if isinstance(source, tuple) else []
    if start == end:
        return [*passed, Line("flat", begin, start, right - begin, 0, ends=ends)]
    middle, half, up = (right - begin) // 2, abs(end - start) // 2, end < start
    turn = start - half if up else start + half
    rest = abs(end - turn)
    return [
        *passed,
        Line("out", begin, turn if up else start, middle, half, up),
        Line("into", begin + middle - 1, end if up else turn, right - begin - middle + 1, rest, up, ends),
    ]
