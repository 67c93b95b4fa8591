"""Content fingerprints: equal rows give equal text, whatever their order, chunking, threads or file layout.

Version 1, in full in ``docs/fingerprints.md``: every cell becomes canonical 64-bit words, two seeded lanes mix them to
128 bits, and the sums modulo 2^64 of a lane over all rows are the state. Sums commute, so rows may come in any order
and any number of batches, and memory does not grow with them. Counting each row once in a sum, a doubled row shows,
which it would not under XOR. Nothing here depends on a library's own hash function: those change between releases.

It guards against faults, not against somebody who makes up rows to collide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from blake3 import blake3

from ops.model import Fingerprint
from pipelines.canonical import BLOCK, LANES, cells, fmix64, type_name

Words = npt.NDArray[np.uint64]
MASK = (1 << 64) - 1


def is_lineage(column: str) -> bool:
    """Columns that start with ``_`` say how a row came here, not what it says: no fingerprint covers them."""
    return column.startswith("_")


@dataclass(frozen=True)
class Digest:
    """A fingerprint and its parts.

    Attributes:
        root: ``v1:blake3:<hex>``, over the columns' names and types, the sums over whole rows and their number; the
            same whatever key the column digests are bound to.
        columns: column → digest in hex, bound to the key where one was given: which column changed.
        rows: rows counted.
    """

    root: Fingerprint
    columns: Mapping[str, str]
    rows: int


class Fingerprinter:
    """Takes rows batch by batch; :meth:`digest` may be asked at any time.

    Args:
        schema: of every batch; lineage columns are left out.
        key: columns that bind a column's digest to its row, so that values that change places show in
            ``Digest.columns``. The root shows them either way.
    """

    def __init__(self, schema: pl.Schema, key: Sequence[str] = ()) -> None:
        self._types = {name: type_name(schema[name]) for name in sorted(schema.names()) if not is_lineage(name)}
        self._seeds = {name: _seeds(name) for name in self._types}
        self._key = tuple(sorted(name for name in key if name in self._types))
        self._sums = {name: [0] * LANES for name in self._types}
        self._row_sum = [0] * LANES
        self._rows = 0

    def update(self, frame: pl.DataFrame) -> None:
        """Adds rows. Not safe to call from two threads at once; one instance a thread, then :meth:`merge`."""
        for part in frame.iter_slices(BLOCK):
            self._update_block(part)

    def _update_block(self, part: pl.DataFrame) -> None:
        # A block's arrays stay in the processor's cache; that is most of the speed.
        hashed = {name: cells(part[name], self._seeds[name]) for name in self._types}
        for lane in range(LANES):
            binding = _total((hashed[name][lane] for name in self._key), part.height)
            binding = fmix64(binding) | np.uint64(1) if self._key else binding
            row = _total((hashed[name][lane] for name in self._types), part.height)
            self._row_sum[lane] = (self._row_sum[lane] + int(fmix64(row).sum(dtype=np.uint64))) & MASK
            for name in self._types:
                values = hashed[name][lane] * binding if self._key else hashed[name][lane]
                self._sums[name][lane] = (self._sums[name][lane] + int(values.sum(dtype=np.uint64))) & MASK
        self._rows += part.height

    def merge(self, other: Fingerprinter) -> None:
        """Adds the rows that another instance with the same schema and key has seen."""
        if (self._types, self._key) != (other._types, other._key):
            raise ValueError("fingerprints of different schemas or keys do not add up")
        for name, sums in other._sums.items():
            self._sums[name] = [(a + b) & MASK for a, b in zip(self._sums[name], sums, strict=True)]
        self._row_sum = [(a + b) & MASK for a, b in zip(self._row_sum, other._row_sum, strict=True)]
        self._rows += other._rows

    def digest(self) -> Digest:
        """The fingerprint of all rows so far."""
        columns = {
            name: b"".join(part.to_bytes(8, "little") for part in self._sums[name]).hex() for name in self._types
        }
        root = blake3(b"fingerprint v1\0")
        for name, kind in self._types.items():
            for text in (name, kind):
                encoded = text.encode()
                root.update(len(encoded).to_bytes(8, "little") + encoded)
        root.update(b"".join(part.to_bytes(8, "little") for part in (*self._row_sum, self._rows)))
        return Digest(Fingerprint(f"v1:blake3:{root.hexdigest()}"), columns, self._rows)


def _seeds(name: str) -> tuple[int, ...]:
    raw = blake3(b"column\0" + name.encode()).digest(length=8 * LANES)
    return tuple(int.from_bytes(raw[8 * lane : 8 * lane + 8], "little") for lane in range(LANES))


def _total(parts: Iterable[Words], height: int) -> Words:
    total = np.zeros(height, np.uint64)
    for part in parts:
        total += part
    return total


def fingerprint(rows: pl.DataFrame | pl.LazyFrame, key: Sequence[str] = ()) -> Digest:
    """The fingerprint of a frame; a lazy one is streamed. ``key`` as in :class:`Fingerprinter`."""
    lazy = rows.lazy()
    counted = Fingerprinter(lazy.collect_schema(), key)
    for batch in lazy.collect_batches(chunk_size=BLOCK * 4, maintain_order=False):
        counted.update(batch)
    return counted.digest()


def row_hashes(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Two 64-bit hashes a row over some columns, equal for equal content: to find rows that did not change without
    keeping them. Columns ``_hash_0`` and ``_hash_1``, in the order of ``rows``."""
    parts: list[list[Words]] = []
    for part in rows.select(columns).iter_slices(BLOCK):
        hashed = [cells(part[name], _seeds(name)) for name in columns]
        parts.append([fmix64(_total((one[lane] for one in hashed), part.height)) for lane in range(LANES)])
    none = np.zeros(0, np.uint64)
    lanes = [np.concatenate([none, *(part[lane] for part in parts)]) for lane in range(LANES)]
    return pl.DataFrame({f"_hash_{lane}": lanes[lane] for lane in range(LANES)})


def combined(parts: Mapping[str, Fingerprint]) -> Fingerprint:
    """One fingerprint over several named ones (the tables of a phase), whatever their order."""
    root = blake3(b"fingerprints v1\0")
    for name in sorted(parts):
        for text in (name, parts[name]):
            root.update(len(text.encode()).to_bytes(8, "little") + text.encode())
    return Fingerprint(f"v1:blake3:{root.hexdigest()}")
