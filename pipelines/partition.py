"""Partitions: what a spec says of them, and the span of rows that a run's parameters name.

A partition is a day, a week from Monday, a month, or a value. ``controlroom backfill`` cuts a range of them into runs; a
transform of mode ``partition`` replaces exactly those rows of its table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from ops.errors import BadInput
from pipelines.expectations import Strict

Step = Literal["day", "week", "month"]
ParamName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
DATED = ("date",)
VALUED = ("string", "integer", "choice")


class Partition(Strict):
    """Which parameters of a run name its partitions.

    Attributes:
        param: the partition of the run; of dates the first day.
        until: of dates the first day after the last one, where a run may have several; without, a run has one.
        step: how long a partition is; None where partitions are values.
    """

    param: ParamName
    until: ParamName | None = None
    step: Step | None = None

    def faults(self, types: Mapping[str, str]) -> dict[str, str]:
        """Key → what is wrong with it, beside a pipeline's parameters (name → type)."""
        if self.until is not None and self.step is None:
            return {"until": "until belongs to partitions that are dates; give a step: day, week or month"}
        wanted, found = DATED if self.step else VALUED, {}
        for key, name in (("param", self.param), ("until", self.until)):
            if name is not None and name not in types:
                found[key] = f"there is no parameter {name!r}; it has {', '.join(types) or 'none'}"
            elif name is not None and types[name] not in wanted:
                found[key] = f"parameter {name} is a {types[name]}; {' or '.join(wanted)} is needed here"
        if self.until == self.param:
            found["until"] = "until is another parameter than param"
        return found

    def span(self, column: str, params: Mapping[str, object]) -> Span:
        """The rows of a run's partitions, by ``column``.

        Raises:
            BadInput: the parameters name no whole partitions.
        """
        first = params.get(self.param)
        if first is None:
            raise BadInput(f"parameter {self.param} names the partition; give it a value")
        if self.step is None:
            return Span(column, first if isinstance(first, int) else str(first))
        begins = self._day(self.param, first)
        ends = following(begins, self.step) if self.until is None else self._day(self.until, params.get(self.until))
        if ends <= begins:
            raise BadInput(
                f"{self.until} {ends} is not after {self.param} {begins}; it is the first day after the last one"
            )
        return Span(column, begins.isoformat(), ends.isoformat())

    def _day(self, name: str, value: object) -> date:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            raise BadInput(f"parameter {name}: {value!r} is no date; write it as 2026-01-31") from None
        assert self.step is not None
        if day != (whole := beginning(day, self.step)):
            raise BadInput(f"parameter {name}: {day} is not the first day of a {self.step}; that one begins {whole}")
        return day


def beginning(day: date, step: Step) -> date:
    """The first day of the partition that a day is in."""
    match step:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def following(begins: date, step: Step) -> date:
    """The first day of the partition after the one that begins so."""
    match step:
        case "day":
            return begins + timedelta(days=1)
        case "week":
            return begins + timedelta(days=7)
        case "month":
            return (begins + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True)
class Span:
    """The rows of a table whose ``column`` is from ``first`` up to, not with, ``until``; without ``until``: equals it."""

    column: str
    first: str | int
    until: str | None = None

    def holds(self, schema: pl.Schema) -> pl.Expr:
        """Whether a row is in it; null where its column is.

        Raises:
            BadInput: there is no such column, or it cannot hold partitions.
        """
        dtype = schema.get(self.column)
        column = pl.col(self.column)
        if dtype is None:
            raise BadInput(f"there is no column {self.column} to tell partitions by; it has {', '.join(schema)}")
        if self.until is None:
            fits = dtype.is_integer() if isinstance(self.first, int) else dtype == pl.String
            if not fits:
                raise BadInput(f"column {self.column} is {dtype} and the partition is {self.first!r}; cast the column")
            return column == self.first
        days = (date.fromisoformat(str(self.first)), date.fromisoformat(self.until))
        if dtype == pl.Date:
            return (column >= days[0]) & (column < days[1])
        if not isinstance(dtype, pl.Datetime):
            raise BadInput(f"column {self.column} is {dtype}; partitions of dates are told by a date or a time")
        begins, ends = (pl.lit(datetime.combine(day, time(), UTC)).cast(dtype) for day in days)
        return (column >= begins) & (column < ends)

    def overlaps(self, other: Span) -> bool:
        if self.column != other.column or self.until is None or other.until is None:
            return self.column != other.column or (self.until, self.first) == (other.until, other.first)
        return str(self.first) < other.until and str(other.first) < self.until

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, object]) -> Span:
        until = stored.get("until")
        first = stored.get("first")
        return cls(
            str(stored["column"]),
            first if isinstance(first, int) else str(first),
            None if until is None else str(until),
        )
