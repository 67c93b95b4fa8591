"""TPC-H's eight tables as Delta tables, written as the lake's own writers write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import WriterProperties, write_deltalake

from benchmarks.tpch.engines import TABLES
from pipelines.staging import GROUP_ROWS

GENERATOR = "tpchgen-cli"


def generated(home: Path, scale: float) -> Mapping[str, Path]:
    """The tables' folders below ``home``, by name.

    Raises:
        RuntimeError: the generator is not installed, or failed.
    """
    raw = home / "raw"
    command = Path(sys.executable).parent / GENERATOR
    if not command.exists():
        raise RuntimeError(f"{GENERATOR} is not installed: pip install --group bench")
    arguments = [str(command), "parquet", "--scale-factor", f"{scale:g}", "--output-dir", str(raw), "--quiet"]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"{GENERATOR} ended with {ended.returncode}: {ended.stderr[-500:]}")
    return {name: _written(raw / f"{name}.parquet", home / "lake" / name) for name in TABLES}


def _written(file: Path, folder: Path) -> Path:
    """One table, batch after batch; its plain file is gone after it."""
    properties = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=GROUP_ROWS)
    with pq.ParquetFile(file) as source:
        reader = source.iter_batches(GROUP_ROWS)
        rows = pa.RecordBatchReader.from_batches(source.schema_arrow, reader)
        write_deltalake(folder, rows, writer_properties=properties)
    file.unlink()
    return folder
