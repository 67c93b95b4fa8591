"""Rows of Trino, as its client maps them, in types that an answer has: exact, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import polars as pl

from ops.errors import BadInput
from pipelines.sandbox.servers.columns import check_names

Column = Mapping[str, Any]
Signature = Mapping[str, Any]
MICROSECONDS = 6
_SCALARS: Mapping[str, pl.DataType] = {
    "boolean": pl.Boolean(), "tinyint": pl.Int8(), "smallint": pl.Int16(), "integer": pl.Int32(), "bigint": pl.Int64(),
    "real": pl.Float32(), "double": pl.Float64(), "varchar": pl.String(), "char": pl.String(), "json": pl.String(),
    "uuid": pl.String(), "ipaddress": pl.String(), "varbinary": pl.Binary(), "date": pl.Date(), "unknown": pl.String(),
}  # fmt: skip


def schema_of(columns: Sequence[Column]) -> dict[str, pl.DataType]:
    """What the columns are in an answer.

    Raises:
        BadInput: one is of a type that an answer has not, two have the same name, or there is none.
    """
    check_names([str(column["name"]) for column in columns])
    found: dict[str, pl.DataType] = {}
    for column in columns:
        dtype = _dtype(column["typeSignature"])
        if dtype is None:
            raise BadInput(
                f"column {column['name']} is of type {column['type']}, which an answer has not; cast it to varchar"
            )
        found[str(column["name"])] = dtype
    return found


def framed(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Rows in the types of :func:`schema_of`."""
    schema = schema_of(columns)
    series = []
    for at, (column, (name, dtype)) in enumerate(zip(columns, schema.items(), strict=True)):
        values = [_value(column["typeSignature"], row[at]) for row in rows]
        series.append(pl.Series(name, values, dtype=dtype, strict=True))
    return pl.DataFrame(series)


def _dtype(signature: Signature) -> pl.DataType | None:
    """None for what an answer has not: times, intervals, fractions of a microsecond, sketches, geometries."""
    inner = [_dtype(one) for one in _arguments(signature)]
    match signature["rawType"]:
        case "decimal":
            precision, scale = (int(one["value"]) for one in signature["arguments"])
            return pl.Decimal(precision, scale)
        case "timestamp" | "timestamp with time zone" as kind:
            precision = int(signature["arguments"][0]["value"]) if signature["arguments"] else 3
            return pl.Datetime("us", "UTC" if kind != "timestamp" else None) if precision <= MICROSECONDS else None
        case "array" if inner[0] is not None:
            return pl.List(inner[0])
        case "map" if inner[0] is not None and inner[1] is not None:
            return pl.List(pl.Struct({"key": inner[0], "value": inner[1]}))
        case "row":
            kinds = [one for one in inner if one is not None]
            return pl.Struct(dict(zip(_fields(signature), kinds, strict=True))) if len(kinds) == len(inner) else None
        case kind:
            return _SCALARS.get(kind)


def _value(signature: Signature, value: Any) -> Any:  # noqa: PLR0911 - one for each kind
    if value is None:
        return None
    inner = _arguments(signature)
    match signature["rawType"]:
        case "timestamp with time zone":
            return value.astimezone(UTC)
        case "uuid" | "ipaddress":
            return str(value)
        case "array":
            return [_value(inner[0], one) for one in value]
        case "map":
            return [{"key": _value(inner[0], key), "value": _value(inner[1], one)} for key, one in value.items()]
        case "row":
            values = [_value(kind, one) for kind, one in zip(inner, value, strict=True)]
            return dict(zip(_fields(signature), values, strict=True))
        case _:
            return value


def _arguments(signature: Signature) -> list[Signature]:
    """The types within an array, a map or a row."""
    match signature["rawType"]:
        case "array" | "map":
            return [one["value"] for one in signature["arguments"]]
        case "row":
            return [one["value"]["typeSignature"] for one in signature["arguments"]]
        case _:
            return []


def _fields(signature: Signature) -> list[str]:
    """A row's names; a number where a field has none, or another's."""
    names: list[str] = []
    for number, one in enumerate(signature["arguments"]):
        name = str((one["value"].get("fieldName") or {}).get("name") or number)
        names.append(name if name not in names else f"{name}_{number}")
    return names
