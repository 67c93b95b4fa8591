"""Postgres ``numeric`` over the wire as scaled 64-bit integers.

A numeric as text costs both sides more than all other columns together; a Decimal of up to 18 digits fits into an
``int8``, which ADBC takes as it is. Longer ones go as text.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.contract import DECIMAL, Column

INT8_DIGITS = 18


def precision_and_scale(column: Column) -> tuple[int, int] | None:
    """Of a decimal column; None for other types."""
    match = DECIMAL.fullmatch(column.type)
    return (int(match[1]), int(match[2])) if match else None


def selected(quoted: str, precision: int, scale: int) -> str:
    """SQL for a numeric column: rounded to the contract's scale (half away from zero, as Postgres rounds)."""
    if precision > INT8_DIGITS:
        return f"round({quoted}, {scale})::text"
    return f"(round({quoted}, {scale}) * {10**scale})::int8"


def unscaled(values: pa.Array, precision: int, scale: int) -> pl.Series:
    """The inverse of :func:`selected` for one batch.

    Raises:
        polars.exceptions.InvalidOperationError: a text has more digits than ``precision``.
    """
    if not pa.types.is_int64(values.type):
        return pl.Series(values, dtype=pl.String).cast(pl.Decimal(precision, scale), strict=True)
    low = np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values)]
    words = np.empty((len(low), 2), np.int64)
    words[:, 0], words[:, 1] = low, low >> 63
    valid = None if values.null_count == 0 else pa.array(~values.is_null().to_numpy(zero_copy_only=False)).buffers()[1]
    kind = pa.decimal128(38, scale)
    wide = pa.Array.from_buffers(kind, len(low), [valid, pa.py_buffer(words)], null_count=values.null_count)
    limit = 10**precision
    if precision < INT8_DIGITS and bool((np.abs(low) >= limit).any()):
        raise pl.exceptions.InvalidOperationError(f"a value has more than {precision} digits")
    return pl.Series(wide).cast(pl.Decimal(precision, scale))
