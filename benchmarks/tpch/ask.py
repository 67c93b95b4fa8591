"""A process that asks one engine one query. Arguments: engine, query, scale, folder of the tables, file of the answer.

The last line is the cost: from the engine imported to the rows there, with opening the tables.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

import polars as pl

from benchmarks.measure import Cost, own_peak_bytes
from benchmarks.tpch.engines import DUCKDB, ENGINES, POLARS, TABLES

FRACTION = "0.0001000000"
MOST_BYTES = 10 * 2**30


def statement(file: Path, scale: float) -> str:
    """The query, with what depends on the scale."""
    return file.read_text().replace(FRACTION, f"{0.0001 / scale:.10f}")


def main(engine: str, query: str, scale: str, lake: str, answer: str) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    # What an engine loads at its first query is no part of the query; the others are loaded already.
    for name in {POLARS: ["pyarrow"], DUCKDB: ["duckdb"]}.get(engine, []):
        import_module(name)
    tables = {name: Path(lake) / name for name in TABLES}
    sql = statement(Path(query), float(scale))
    clock, cpu = time.perf_counter(), time.process_time()
    try:
        rows = ENGINES[engine](tables, sql)
    except (Exception, pl.exceptions.PanicException) as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        print(json.dumps({"refused": f"{type(error).__name__}: {said[:200]}"}))
        return
    cost = Cost(time.perf_counter() - clock, time.process_time() - cpu, 0, own_peak_bytes())
    rows.write_ipc(answer)
    print(cost.to_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
