"""What a validate phase may expect of a table, and a transform of what it makes: one small model an expectation.

What they mean is in :mod:`pipelines.checks`; what becomes of the rows that break them in :mod:`pipelines.rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipelines.units import Share

TableName = Annotated[str, Field(pattern=r"^(bronze|silver|gold|quarantine)\.[a-z][a-z0-9_]{0,99}$")]
# Also another project's, which its admins must have shared with this one: org/project:layer.name.
ReadName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9][a-z0-9_-]{0,62}/[a-z0-9][a-z0-9_-]{0,62}:)?"
        r"(bronze|silver|gold|quarantine)\.[a-z][a-z0-9_]{0,99}$"
    ),
]
ColumnName = Annotated[str, Field(min_length=1)]


OnFail = Literal["warn", "drop", "quarantine", "fail"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Rows(Strict):
    """Row count. ``max_change`` compares with the version before, as a share of it."""

    min: int | None = Field(None, ge=0)
    max: int | None = Field(None, ge=0)
    max_change: Share | None = None


class Shape(Strict):
    """``freeze``: no column of the version before may be gone or retyped, none may be new. ``evolve``: new ones may."""

    contract: Literal["freeze", "evolve"] = "freeze"
    columns: dict[str, str] | None = None


class Nulls(Strict):
    column: ColumnName
    max: Share = 0.0


class Accepted(Strict):
    column: ColumnName
    values: tuple[str | int | bool, ...]


class Other(Strict):
    """A column of a table to add up; ``where`` is a SQL condition over it."""

    table: TableName
    column: ColumnName
    where: str | None = None


class Sum(Strict):
    """The column's sum equals another one's, or lies between bounds. Decimals are compared exactly."""

    column: ColumnName
    where: str | None = None
    equals: Other | None = None
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Sum:
        if self.equals is None and self.min is None and self.max is None:
            raise ValueError("a sum needs equals, min or max to be compared with")
        return self


class Holds(Strict):
    """A SQL condition that holds for every row."""

    sql: str
    name: str | None = None


def _keys(value: object) -> object:
    return {"columns": value} if isinstance(value, list | tuple) else value


class Unique(Strict):
    columns: tuple[ColumnName, ...] = Field(min_length=1)


class Expectation(Strict):
    """Exactly one of these as a key of a YAML mapping, and with it what happens where it is broken.

    Attributes:
        on_fail: the phase's, where it is not given. ``warn``: it is counted. ``drop``: rows that break it are left out.
            ``quarantine``: they are put aside with the reason. ``fail``: the phase fails.
    """

    rows: Rows | None = None
    shape: Shape | None = Field(None, alias="schema")
    nulls: Nulls | None = None
    unique: Annotated[Unique, BeforeValidator(_keys)] | None = None
    accepted: Accepted | None = None
    sum: Sum | None = None
    holds: Holds | None = None
    on_fail: OnFail | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Expectation:
        kinds = [name for name in type(self).model_fields if name != "on_fail"]
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write one expectation an entry, not {len(given)} ({', '.join(given) or 'none'})")
        if self.of_the_whole and self.on_fail in ("drop", "quarantine"):
            said = "schema" if given == ["shape"] else given[0]
            raise ValueError(f"{said} is about the whole table and has no rows to {self.on_fail}; use warn or fail")
        return self

    @property
    def of_the_whole(self) -> bool:
        """Whether it is about the table as a whole: no single row breaks it."""
        return self.rows is not None or self.shape is not None or self.sum is not None

    def action(self, default: OnFail) -> OnFail:
        """What happens where it is broken; of the whole table there is nothing to leave out or to put aside."""
        if self.on_fail is not None:
            return self.on_fail
        return "fail" if self.of_the_whole and default in ("drop", "quarantine") else default
