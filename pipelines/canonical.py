"""Version 1 of how a cell becomes canonical words, and words become a 128-bit hash in two lanes.

Everything here is part of the stored format of fingerprints. A change in any result is a new version, never an edit;
``tests/pipelines/test_fingerprint.py`` holds known answers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from blake3 import blake3

Words = npt.NDArray[np.uint64]

LANES = 2
BLOCK = 32_768
# From the fractional parts of sqrt(2), sqrt(3) and sqrt(5): arbitrary, fixed for ever.
NULL_WORD = np.uint64(0x6A09E667F3BCC908)
STEP = (np.uint64(0xBB67AE8584CAA73B), np.uint64(0x3C6EF372FE94F82B))
CANONICAL_NAN = np.uint64(0x7FF8000000000000)
LONG = 256
"""Texts and blobs above this many bytes are digested by BLAKE3 one by one; below, all at once by words."""
TAIL_MASK: Words = np.array([0xFFFFFFFFFFFFFFFF >> (8 * (8 - n)) if n else 0 for n in range(9)], dtype=np.uint64)


def fmix64(words: Words) -> Words:
    """The 64-bit finaliser of MurmurHash3 (Appleby, public domain): a bijection in which every input bit flips
    every output bit with probability close to one half."""
    mixed = words ^ (words >> np.uint64(33))
    mixed *= np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    mixed *= np.uint64(0xC4CEB9FE1A85EC53)
    mixed ^= mixed >> np.uint64(33)
    return mixed


def type_name(dtype: pl.DataType) -> str:
    """The canonical name of a lake type, part of the root: a retyped column changes the fingerprint.

    Raises:
        ValueError: version 1 has no canonical form for the type.
    """
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamp"
    if isinstance(dtype, pl.List):
        return f"list<{type_name(_instance(dtype.inner))}>"
    if isinstance(dtype, pl.Struct):
        return "struct<" + ",".join(f"{f.name}:{type_name(_instance(f.dtype))}" for f in dtype.fields) + ">"
    names: dict[type[pl.DataType], str] = {
        pl.Boolean: "bool", pl.Int8: "int8", pl.Int16: "int16", pl.Int32: "int32", pl.Int64: "int64",
        pl.Float32: "float32", pl.Float64: "float64", pl.String: "text", pl.Binary: "binary", pl.Date: "date",
    }  # fmt: skip
    if type(dtype) not in names:
        raise ValueError(f"fingerprint v1 has no canonical form for {dtype}")
    return names[type(dtype)]


def _instance(inner: object) -> pl.DataType:
    return inner if isinstance(inner, pl.DataType) else inner()  # type: ignore[operator]


def cells(column: pl.Series, seeds: Sequence[int]) -> list[Words]:
    """Hashes each cell of a column: one array of 64-bit words a lane, seeded with the column's name."""
    dtype = column.dtype
    states = [np.full(len(column), seed, np.uint64) for seed in seeds]
    if isinstance(dtype, pl.String | pl.Binary):
        _absorb_bytes(states, column)
    elif isinstance(dtype, pl.List | pl.Struct):
        encoded = [None if value is None else _encoded(value) for value in column.to_list()]
        _absorb_bytes(states, pl.Series(encoded, dtype=pl.Binary))
    else:
        for word in _fixed_words(column):
            _absorb(states, word)
    if column.null_count():
        missing = column.is_null().to_numpy()
        for state, seed in zip(states, seeds, strict=True):
            state[missing] = fmix64(np.array([seed], np.uint64) ^ NULL_WORD)[0]
    return states


def _absorb(states: Sequence[Words], word: Words) -> None:
    for lane, state in enumerate(states):
        state[:] = fmix64(state ^ word) + STEP[lane]


def _fixed_words(column: pl.Series) -> list[Words]:
    """Numbers, booleans and times: one word, decimals two."""
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal):
        return _decimal_words(column.to_arrow())
    if isinstance(dtype, pl.Float32 | pl.Float64):
        values = column.fill_null(0.0).cast(pl.Float64).to_numpy() + 0.0  # −0.0 + 0.0 is 0.0
        bits = values.view(np.uint64).copy()
        bits[np.isnan(values)] = CANONICAL_NAN
        return [bits]
    if isinstance(dtype, pl.Datetime):
        column = column.dt.cast_time_unit("us")
    whole = column.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
    return [np.ascontiguousarray(whole).view(np.uint64)]


def _decimal_words(array: pa.Array) -> list[Words]:
    """The scaled integer as 128 bits in two's complement, low word first."""
    wide = array if array.type.bit_width == 128 else array.cast(pa.decimal128(38, array.type.scale))
    words = np.frombuffer(wide.buffers()[1], np.uint64)[2 * wide.offset : 2 * (wide.offset + len(wide))]
    return [words[0::2].copy(), words[1::2].copy()]


def _absorb_bytes(states: Sequence[Words], column: pl.Series) -> None:
    """Takes in the length, then the bytes eight at a time, little-endian, the last word padded with zeros. Above
    ``LONG`` bytes it is the length, then the first 16 bytes of BLAKE3."""
    array = column.cast(pl.Binary).fill_null(b"").to_arrow().cast(pa.large_binary())
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    _absorb(states, lengths.astype(np.uint64))
    # Longest first: the cells that still have a word to give are then a prefix, and each round a slice.
    order = np.argsort(-lengths, kind="stable")
    sorted_lengths = lengths[order]
    long = int(np.searchsorted(-sorted_lengths, -LONG, side="left"))
    data = np.frombuffer(array.buffers()[2] or b"", np.uint8)
    for index in order[:long]:
        digest = blake3(data[offsets[index] : offsets[index + 1]].tobytes()).digest(length=16)
        for word in np.frombuffer(digest, np.uint64):
            for lane, state in enumerate(states):
                state[index : index + 1] = fmix64(state[index : index + 1] ^ word) + STEP[lane]
    _absorb_short(states, data, offsets, order[long:], sorted_lengths[long:])


def _absorb_short(
    states: Sequence[Words],
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> None:
    if not len(lengths) or not lengths[0]:
        return
    first = int(offsets[0])
    padded = np.zeros(int(offsets[-1]) - first + 8, np.uint8)
    padded[:-8] = data[first : int(offsets[-1])]
    # A word may start at any byte: a view of overlapping words, one a byte.
    windows: Words = np.ndarray(shape=(len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    starts = offsets[order] - first
    ordered = [state[order] for state in states]
    for done in range(0, int(lengths[0]), 8):
        active = int(np.searchsorted(-lengths, -done, side="left"))
        word = windows[starts[:active] + done] & TAIL_MASK[np.minimum(lengths[:active] - done, 8)]
        _absorb([state[:active] for state in ordered], word)
    for state, result in zip(states, ordered, strict=True):
        state[order] = result


def _encoded(value: object) -> bytes:  # noqa: PLR0911 - one form a type
    """Nested values as bytes: a tag, then the value, lengths before what varies."""
    match value:
        case None:
            return b"n"
        case bool():
            return b"b\1" if value else b"b\0"
        case int():
            return b"i" + value.to_bytes(16, "little", signed=True)
        case float():
            return b"f" + (struct.pack("<d", value + 0.0) if not math.isnan(value) else CANONICAL_NAN.tobytes())
        case Decimal():
            return _sized(b"d", str(value).encode())
        case str():
            return _sized(b"s", value.encode())
        case bytes():
            return _sized(b"x", value)
        case datetime() | date():
            return _sized(b"t", value.isoformat().encode())
        case dict():
            inner = b"".join(_encoded(name) + _encoded(value[name]) for name in sorted(value))
            return _sized(b"o", inner)
        case list():
            return _sized(b"l", b"".join(_encoded(one) for one in value))
    raise ValueError(f"fingerprint v1 has no canonical form for {type(value).__name__}")


def _sized(tag: bytes, content: bytes) -> bytes:
    return tag + len(content).to_bytes(8, "little") + content
