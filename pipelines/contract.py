"""The connection contract: what a source's tables must look like, and what their columns mean.

One YAML file a source, written by a person who knows it. Ingest reads a source only after
:meth:`Contract.compare` has found nothing to complain about, so a column that was dropped or retyped upstream stops the
run before anything of it is in the lake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from ops.errors import Fault, NotFound, SchemaDrift, SpecInvalid

DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
SIMPLE_TYPES: Mapping[str, frozenset[str]] = {
    "bool": frozenset({"bool"}),
    "int32": frozenset({"int2", "int4"}),
    "int64": frozenset({"int2", "int4", "int8"}),
    "float64": frozenset({"float4", "float8"}),
    "text": frozenset({"text", "varchar", "bpchar", "name", "uuid"}),
    "json": frozenset({"json", "jsonb"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"timestamp", "timestamptz"}),
    "binary": frozenset({"bytea"}),
}


def _known_type(text: str) -> str:
    compact = text.replace(" ", "")
    if compact in SIMPLE_TYPES:
        return compact
    if (match := DECIMAL.fullmatch(compact)) and 0 <= int(match[2]) <= int(match[1]) <= 38:
        return compact
    raise ValueError(f"unknown type {text!r}; use one of {', '.join(SIMPLE_TYPES)} or decimal(precision,scale)")


def _duration(value: object) -> object:
    """Reads ``90s``, ``15m``, ``2h``, ``1d`` besides what pydantic reads."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+)\s*([smhd])", value)):
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return timedelta(**{unit: int(match[1])})
    return value


TypeName = Annotated[str, AfterValidator(_known_type)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Identifier = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$", max_length=63)]
JsonMeaning = Literal["translations", "company_dependent", "analytic_distribution", "properties", "opaque"]
Drift = Literal["freeze", "evolve", "discard_value", "discard_row"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column. In YAML either its type alone (``amount: decimal(38,6)``) or a mapping.

    Attributes:
        type: bool, int32, int64, float64, text, json, date, timestamp (UTC), binary or decimal(precision,scale).
        meaning: for ``json`` columns: how silver unfolds them.
        value: for company-dependent columns: the type of one company's value.
    """

    type: TypeName
    meaning: JsonMeaning | None = None
    value: TypeName | None = None

    @model_validator(mode="before")
    @classmethod
    def _type_alone(cls, value: object) -> object:
        return {"type": value} if isinstance(value, str) else value

    @property
    def scale(self) -> int | None:
        """Digits after the point of a decimal, None for other types."""
        match = DECIMAL.fullmatch(self.type)
        return int(match[2]) if match else None

    def accepts(self, postgres_type: str) -> bool:
        """Whether a source column of that ``pg_type.typname`` carries this column's values without loss."""
        return postgres_type in SIMPLE_TYPES.get(self.type, frozenset({"numeric"}))


class Table(_Strict):
    """One source table.

    Attributes:
        group: tables of a group are read inside one snapshot; finance, ops and masterdata in the Odoo contract.
        key: primary key columns.
        sync: ``snapshot`` replaces bronze by the whole table; ``incremental`` appends what changed.
        cursor: for incremental: the timestamp column that a change moves forward.
        overlap: how far behind the watermark an incremental read starts again, for transactions that
            committed later than their ``write_date`` says. Longer than the source's longest transaction.
        freshness: the age in which a change must have arrived.
        drift: what silver does where bronze no longer fits: ``freeze`` refuses; ``evolve`` nulls a missing column and
            passes a new one through; ``discard_value`` nulls what does not fit; ``discard_row`` leaves the row out.
    """

    group: Identifier
    key: tuple[Identifier, ...] = ("id",)
    sync: Literal["snapshot", "incremental"] = "snapshot"
    cursor: Identifier | None = None
    overlap: Duration = timedelta(minutes=10)
    freshness: Duration | None = None
    drift: Drift = "freeze"
    columns: dict[Identifier, Column]

    @model_validator(mode="after")
    def _names_exist(self) -> Table:
        named = (*self.key, *((self.cursor,) if self.cursor else ()))
        if missing := [name for name in named if name not in self.columns]:
            raise ValueError(f"key or cursor names columns that are not listed: {', '.join(missing)}")
        if reserved := [name for name in self.columns if name.startswith("_")]:
            raise ValueError(f"names that start with _ are the lake's own: {', '.join(reserved)}")
        if self.sync == "incremental" and self.cursor is None:
            raise ValueError("sync: incremental needs a cursor column; without one use sync: snapshot")
        if self.cursor and self.columns[self.cursor].type != "timestamp":
            raise ValueError(f"the cursor {self.cursor} must be a timestamp column")
        return self


class Contract(_Strict):
    """All tables of one source.

    Attributes:
        source: short name of the source; part of no path, only of messages.
        schema_name: the Postgres schema, ``schema:`` in YAML.
        language: whose text silver takes from translations.
    """

    version: Literal[1] = 1
    source: Identifier
    schema_name: Annotated[Identifier, Field(alias="schema")] = "public"
    language: str = "en_US"
    tables: dict[Identifier, Table]

    def group(self, name: str) -> dict[str, Table]:
        """The tables of one group, in the order of the file."""
        return {table: spec for table, spec in self.tables.items() if spec.group == name}

    def compare(self, tables: Sequence[str], found: Mapping[str, Mapping[str, str]]) -> None:
        """Checks the source's columns against the contract. Columns the contract does not list are left alone.

        Args:
            tables: the tables that are about to be read.
            found: the source as it is: table → column → ``pg_type.typname``.

        Raises:
            SchemaDrift: lists every table and column that is missing or of another type.
        """
        faults = [fault for name in tables for fault in self._faults(name, found.get(name))]
        if faults:
            raise SchemaDrift(
                f"source {self.source} no longer matches its contract: {'; '.join(faults)}. "
                "Nothing was written; change the source back or the contract to match",
                {"source": self.source, "faults": faults},
            )

    def _faults(self, name: str, found: Mapping[str, str] | None) -> list[str]:
        if name not in self.tables:
            return [f"table {name} is not in the contract"]
        if found is None:
            return [f"table {name} is missing"]
        faults: list[str] = []
        for column, spec in self.tables[name].columns.items():
            if column not in found:
                faults.append(f"column {name}.{column} is missing")
            elif not spec.accepts(found[column]):
                faults.append(f"column {name}.{column} is {found[column]}, the contract says {spec.type}")
        return faults


def load(path: Path) -> Contract:
    """Reads a contract.

    Raises:
        SpecInvalid: with every fault and its line.
    """
    try:
        document = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecInvalid.of(str(path), [Fault("contract", 1, 1, "the file does not exist")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SpecInvalid.of(str(path), [Fault("yaml", line, column, str(error.problem))]) from None
    try:
        return Contract.model_validate(document)
    except ValidationError as error:
        faults = [
            Fault(
                ".".join(map(str, one["loc"])) or "contract",
                *_position(document, one["loc"]),
                one["msg"],
            )
            for one in error.errors()
        ]
        raise SpecInvalid.of(str(path), faults) from None


@cache
def named(name: str) -> Contract:
    """The contract that ships as ``pipelines/<name>/contract.yaml``, read once a process.

    Raises:
        NotFound: there is none of that name.
    """
    path = Path(__file__).parent / name / "contract.yaml"
    if not path.is_file():
        known = sorted(found.parent.name for found in Path(__file__).parent.glob("*/contract.yaml"))
        raise NotFound(f"no contract {name!r}; there is {', '.join(known)}", {"contract": name})
    return load(path)


def _position(document: object, location: Sequence[int | str]) -> tuple[int, int]:
    """Line and column, from 1, of the deepest part of ``location`` that the document has."""
    line, column = 0, 0
    for step in location:
        try:
            marks = document.lc  # type: ignore[attr-defined]
            line, column = marks.key(step) if isinstance(step, str) else marks.item(step)
            document = document[step]  # type: ignore[index]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line + 1, column + 1
