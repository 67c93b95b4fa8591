"""Which column types may enter the lake, and what becomes of the others.

Delta has fewer types than Polars and deltalake turns some of them into others without a word (UInt32 into Int32) or
panics (Enum). So every frame passes here first: what fits without loss is widened, the rest is refused by name, before
a byte is written.
"""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
from deltalake import Schema

from ops.errors import BadInput, SchemaDrift

NAME = re.compile(r"[^ ,;{}()\n\t=`]+")
WIDENED: dict[type[pl.DataType], pl.DataType] = {
    pl.UInt8: pl.Int16(),
    pl.UInt16: pl.Int32(),
    pl.UInt32: pl.Int64(),
    pl.UInt64: pl.Int64(),
    pl.Categorical: pl.String(),
    pl.Enum: pl.String(),
}
UTC_MICROSECONDS = pl.Datetime("us", "UTC")
AS_THEY_ARE = (
    pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Float32, pl.Float64, pl.String, pl.Binary, pl.Date, pl.Decimal,
)  # fmt: skip


def lake_schema(schema: pl.Schema, what: str) -> pl.Schema:
    """The schema that a frame has in the lake.

    Unsigned integers widen to signed ones, categories become text, datetimes become UTC microseconds (a naive one
    means UTC, as everywhere in the house).

    Raises:
        BadInput: lists every column whose type or name the lake cannot keep.
    """
    faults = [fault for name in schema.names() if (fault := _name_fault(name, schema))]
    kept: dict[str, pl.DataType] = {}
    for name, dtype in schema.items():
        try:
            kept[name] = _lake_type(dtype)
        except ValueError as error:
            faults.append(f"column {name}: {error}")
    if not schema:
        faults.append("it has no columns")
    if faults:
        raise BadInput(
            f"{what} cannot be written: {'; '.join(faults)}",
            {"what": what, "faults": faults},
        )
    return pl.Schema(kept)


def _name_fault(name: str, schema: pl.Schema) -> str | None:
    if not NAME.fullmatch(name):
        return f"column {name!r}: a name has no blanks and none of ,;{{}}()=`"
    twins = [other for other in schema.names() if other.lower() == name.lower()]
    return f"columns {' and '.join(twins)} differ only in case" if len(twins) > 1 and twins[0] == name else None


def _lake_type(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, AS_THEY_ARE):
        return dtype
    if type(dtype) in WIDENED:
        return WIDENED[type(dtype)]
    if isinstance(dtype, pl.Datetime):
        if dtype.time_unit == "ns":
            raise ValueError("nanoseconds would be cut; cast it to Datetime('us')")
        return UTC_MICROSECONDS
    if isinstance(dtype, pl.List):
        return pl.List(_lake_type(_dtype(dtype.inner)))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _lake_type(_dtype(field.dtype)) for field in dtype.fields})
    advice: dict[type[pl.DataType], str] = {
        pl.Null: "all its values are null; cast it to the type that is meant",
        pl.Time: "cast it to String",
        pl.Duration: "cast it to Int64 microseconds",
    }
    raise ValueError(f"the lake has no type {dtype}; {advice.get(type(dtype), 'cast it to another')}")


def _dtype(inner: object) -> pl.DataType:
    return inner if isinstance(inner, pl.DataType) else inner()  # type: ignore[operator]


def conform(frame: pl.DataFrame, schema: pl.Schema, what: str) -> pl.DataFrame:
    """Gives a batch the lake's column order and types; a column it lacks becomes null.

    Raises:
        BadInput: a value does not fit (an unsigned integer above 2^63).
    """
    expressions: list[pl.Expr] = []
    for name, dtype in schema.items():
        found = frame.schema.get(name)
        if found is None:
            expressions.append(pl.lit(None, dtype).alias(name))
        elif found == dtype:
            expressions.append(pl.col(name))
        elif isinstance(found, pl.Datetime):
            naive = pl.col(name).dt.cast_time_unit("us")
            expressions.append(
                naive.dt.replace_time_zone("UTC") if found.time_zone is None else naive.dt.convert_time_zone("UTC")
            )
        else:
            expressions.append(pl.col(name).cast(dtype, strict=True))
    try:
        return frame.select(expressions)
    except pl.exceptions.InvalidOperationError as error:
        raise BadInput(f"{what} cannot be written: {str(error).splitlines()[0]}", {"what": what}) from error


def delta_schema(schema: pl.Schema) -> Schema:
    """The Delta schema of a lake schema; every column nullable."""
    return Schema.from_arrow(pl.DataFrame(schema=schema).to_arrow().schema)


def frame_schema(schema: Schema) -> pl.Schema:
    """The schema of the frames that a table gives."""
    return pl.DataFrame(pa.schema(schema.to_arrow()).empty_table()).schema


def described(schema: Schema) -> dict[str, str]:
    """Column name → Delta type as text, in column order."""
    return {field.name: _text(field.type) for field in schema.fields}


def _text(kind: object) -> str:
    name = getattr(kind, "type", None)
    return name if isinstance(name, str) and name not in {"array", "struct", "map"} else str(kind)


def widened(table: Schema, frame: Schema, what: str) -> tuple[list[str], Schema]:
    """What an existing table must gain before a frame fits into it.

    Returns:
        The names of the columns to add, and the table's schema after that.

    Raises:
        SchemaDrift: a column has another type than the table's; all of them are listed.
    """
    have, come = described(table), described(frame)
    faults = [
        f"{name} is {come[name]}, the table has {have[name]}"
        for name in come
        if have.get(name, come[name]) != come[name]
    ]
    if faults:
        raise SchemaDrift(
            f"{what} does not take these columns: {'; '.join(faults)}. Cast them, or replace the table",
            {"table": what, "faults": faults},
        )
    added = [field for field in frame.fields if field.name not in have]
    return [field.name for field in added], Schema([*table.fields, *added])
