"""Rows of Postgres, as its driver gives them, in types that an answer has: exact, or refused."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from ops.errors import BadInput
from pipelines.sandbox.servers.columns import check_names

DIGITS = 38
MICROSECONDS_A_DAY = 86_400_000_000
FIRST_DAY, LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
_PLAIN = frozenset(
    ["bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "name", "char", "bytea", "date",
     "timestamp", "timestamptz"]
)  # fmt: skip
_TEXTS = frozenset(["uuid", "json", "jsonb"])
_TYPE, _TYPMOD = b"POSTGRESQL:type", b"POSTGRESQL:typmod"


def check_columns(schema: pa.Schema) -> None:
    """Refuses what would come as bytes of the server's own, before a row is fetched.

    Raises:
        BadInput: a column of a type that an answer has not, or two of one name.
    """
    check_names(schema.names)
    for field in schema:
        kind = _kind(field)
        if kind.removeprefix("_") not in _PLAIN and kind not in _TEXTS and kind != "numeric":
            raise BadInput(
                f"column {field.name} is of type {kind.replace('_', 'array of ', 1)}, which an answer has not; cast it to text"
            )


def framed(table: pa.Table) -> pl.DataFrame:
    """The rows, their schema checked before.

    Raises:
        BadInput: a value that an answer cannot hold: NaN in a numeric, an infinite date, more than 38 digits.
    """
    return pl.DataFrame([_column(field, table.column(at)) for at, field in enumerate(table.schema)])


def _column(field: pa.Field, values: pa.ChunkedArray) -> pl.Series:
    kind = _kind(field)
    if isinstance(field.type, pa.BaseExtensionType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], field.type.storage_type)
    column = pl.Series(field.name, values)
    if kind == "numeric":
        return _decimal(column, int((field.metadata or {}).get(_TYPMOD, b"-1")))
    if kind == "uuid":
        text = column.bin.encode("hex")
        parts = [text.str.slice(at, length) for at, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
        return pl.select(pl.concat_str(parts, separator="-")).to_series().alias(field.name)
    _check_years(column)
    return column


def _kind(field: pa.Field) -> str:
    return str((field.metadata or {}).get(_TYPE, b"unknown").decode())


def _decimal(texts: pl.Series, typmod: int) -> pl.Series:
    """Exact: with the column's own precision and scale, or with the scale of the value that has the longest one."""
    if texts.str.contains("[A-Za-z]").any():
        raise BadInput(
            f"column {texts.name} holds NaN or Infinity, which a decimal is not; cast it to double precision"
        )
    precision, scale = (typmod - 4) >> 16, (typmod - 4) & 0x7FF
    if typmod < 4 or precision > DIGITS or scale > precision:
        digits = texts.str.strip_prefix("-").str.split_exact(".", 1).struct.unnest()
        whole, part = (int(digits[name].str.len_bytes().max() or 0) for name in digits.columns)  # type: ignore[arg-type]
        precision, scale = DIGITS, part
        if whole + part > DIGITS:
            raise BadInput(f"column {texts.name} holds more than {DIGITS} digits; round it, or cast it to text")
    return texts.cast(pl.Decimal(precision, scale), strict=True)


def _check_years(column: pl.Series) -> None:
    """Infinity comes as the end of the type's range, which nobody can show."""
    flat = column.explode() if isinstance(column.dtype, pl.List) else column
    if not isinstance(flat.dtype, pl.Date | pl.Datetime):
        return
    days = flat.to_physical() if flat.dtype == pl.Date else flat.to_physical() // MICROSECONDS_A_DAY
    if not days.drop_nulls().is_between(FIRST_DAY, LAST_DAY).all():
        raise BadInput(f"column {column.name} holds infinity or a year beyond 1 to 9999; cast it to text")
