"""What a mart looks like in Superset: titles, labels, metrics, charts. Pydantic models of ``reference/marts.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

MONEY = ",.2f"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    label: str = ""
    description: str = ""


class Metric(Strict):
    """``sql`` is an aggregate in Postgres' words, ``format`` one of d3's."""

    label: str
    sql: str
    format: str = MONEY
    description: str = ""


class Chart(Strict):
    """``number``: the first metric. ``bars``: over time. ``slices`` and ``rows``: by columns."""

    kind: Literal["number", "bars", "slices", "rows"]
    title: str
    metrics: Annotated[tuple[str, ...], Field(min_length=1)]
    by: tuple[str, ...] = ()
    over: str | None = None


class Mart(Strict):
    title: str
    description: str = ""
    time: str | None = None
    columns: Mapping[str, Column] = {}
    metrics: Mapping[str, Metric]
    charts: tuple[Chart, ...]


class Marts(Strict):
    version: Literal[1]
    marts: Mapping[str, Mart]


@cache
def reference() -> Mapping[str, Mart]:
    """The shipped marts, by the name of their gold table."""
    text = files("superset.reference").joinpath("marts.yaml").read_text()
    return Marts.model_validate(YAML(typ="safe").load(text)).marts


@dataclass(frozen=True)
class FoundColumn:
    """A column as the contract has it: Delta's name of its type."""

    name: str
    kind: str
    description: str = ""

    @property
    def sql_type(self) -> str:
        """The same in Postgres' words, as Superset shows it."""
        base = self.kind.partition("(")[0]
        return SQL_TYPES.get(base, base).upper() + ("" if base != "decimal" else self.kind[len(base) :].upper())

    @property
    def is_time(self) -> bool:
        return self.kind.startswith(("date", "timestamp"))

    @property
    def adds_up(self) -> bool:
        return self.kind.startswith("decimal")


SQL_TYPES = {
    "string": "text", "long": "bigint", "integer": "integer", "short": "smallint", "byte": "smallint", "decimal": "numeric",
    "double": "double precision", "float": "real", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp with time zone", "timestamp_ntz": "timestamp", "binary": "bytea",
}  # fmt: skip


def mart_of(name: str, columns: Mapping[str, FoundColumn]) -> Mart:
    """The described mart, or for one that nobody described what its columns give."""
    if (known := reference().get(name)) is not None:
        return known
    sums = [column for column in columns.values() if column.adds_up]
    metrics = {"rows": Metric(label="Rows", sql="count(*)", format=",d")}
    metrics |= {f"sum_{one.name}": Metric(label=words(one.name), sql=f'sum("{one.name}")') for one in sums}
    time = next((column.name for column in columns.values() if column.is_time), None)
    by = tuple(column.name for column in columns.values() if column.kind == "string")[:2]
    charts = [Chart(kind="number", title="Rows", metrics=("rows",))]
    if time is not None:
        charts.append(Chart(kind="bars", title=f"By {words(time).lower()}", metrics=(list(metrics)[-1],), over=time))
    charts.append(Chart(kind="rows", title="In figures", metrics=tuple(metrics), by=by))
    return Mart(title=words(name), time=time, metrics=metrics, charts=tuple(charts))


def words(name: str) -> str:
    """``a_name`` as a person would write it."""
    return name.replace("_", " ").strip().capitalize()
