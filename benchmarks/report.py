"""What a benchmark says: rows of medians and spread, ratios between rows, targets that hold or do not."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum of one figure over the repeats."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if not values:
            raise ValueError("no measurement to take a median of")
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:,.4g} ({self.low:,.4g}–{self.high:,.4g})"


class Samples:
    """Measurements as they come in: row → figure → one value a repeat."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, row: str, figure: str, value: float) -> None:
        self._values[row][figure].append(value)

    def values(self, row: str, figure: str) -> list[float]:
        return self._values[row][figure]

    def median(self, row: str, figure: str) -> float:
        return statistics.median(self._values[row][figure])

    def ratio(self, figure: str, row: str, to: str) -> float:
        """The median of the ratios of each repeat: what slows a whole repeat down cancels out."""
        pairs = zip(self._values[row][figure], self._values[to][figure], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def spreads(self) -> dict[str, dict[str, Spread]]:
        return {
            row: {figure: Spread.of(values) for figure, values in figures.items()}
            for row, figures in self._values.items()
        }


def machine() -> str:
    """The machine in general terms, and how busy it is: the load averages of 1, 5 and 15 minutes."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load average {load}"


@dataclass(frozen=True)
class Target:
    """A promise about a ratio or a figure, and what was seen.

    ``holds`` is decided on the median; ``wanted`` is the promise in words, e.g. ``>= 0.8``.
    """

    name: str
    wanted: str
    seen: float
    holds: bool


@dataclass
class Report:
    """One benchmark's outcome.

    Attributes:
        figures: row name → figure name → spread; all rows were measured in one run, interleaved.
        notes: what a reader must know to trust the figures.
    """

    name: str
    command: str
    repeats: int
    figures: dict[str, dict[str, Spread]] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    machine: str = field(default_factory=machine)

    def at_least(self, name: str, seen: float, bound: float) -> None:
        self.targets.append(Target(name, f">= {bound:g}", seen, seen >= bound))

    def at_most(self, name: str, seen: float, bound: float) -> None:
        self.targets.append(Target(name, f"<= {bound:g}", seen, seen <= bound))

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    def to_markdown(self) -> str:
        columns = list(dict.fromkeys(figure for row in self.figures.values() for figure in row))
        lines = [
            f"### {self.name}",
            "",
            f"`{self.command}` · {self.repeats} interleaved repeats · median (lowest–highest) · {self.machine}",
            "",
            "| | " + " | ".join(columns) + " |",
            "|---" * (len(columns) + 1) + "|",
        ]
        for row, figures in self.figures.items():
            lines.append(f"| {row} | " + " | ".join(str(figures.get(column, "–")) for column in columns) + " |")
        if self.targets:
            lines += ["", "| target | wanted | seen | |", "|---|---|---|---|"]
            lines += [
                f"| {target.name} | {target.wanted} | {target.seen:.3g} | {'holds' if target.holds else 'falls short'} |"
                for target in self.targets
            ]
        if self.notes:
            lines += [""] + [f"- {note}" for note in self.notes]
        return "\n".join(lines) + "\n"
