"""The contenders: each plans and carries out one query over the same Parquet files, and gives its rows as a frame.

They are imported where they are used: a process has one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
THREADS = 2
ENVIRONMENT = {"POLARS_MAX_THREADS": str(THREADS), "TOKIO_WORKER_THREADS": str(THREADS)}


def polars_sql(tables: Mapping[str, Path], sql: str) -> pl.DataFrame:
    """Polars SQL, by its streaming engine."""
    frames = {name: pl.scan_delta(str(path)) for name, path in tables.items()}
    return pl.SQLContext(frames).execute(sql).collect(engine="streaming")


def datafusion(tables: Mapping[str, Path], sql: str) -> pl.DataFrame:
    """DataFusion, as deltalake ships it."""
    from deltalake import QueryBuilder

    builder = QueryBuilder({"datafusion.execution.target_partitions": str(THREADS)})
    for name, path in tables.items():
        builder.register(name, DeltaTable(path))
    return pl.DataFrame(builder.execute(sql).read_all())


def duckdb(tables: Mapping[str, Path], sql: str) -> pl.DataFrame:
    """DuckDB, over the files of each table's version."""
    import duckdb

    with duckdb.connect(config={"threads": THREADS}) as connection:
        for name, path in tables.items():
            files = ", ".join(f"'{file}'" for file in DeltaTable(path).file_uris())
            connection.execute(f"create view {name} as select * from read_parquet([{files}])")
        return pl.DataFrame(connection.sql(sql))


POLARS, DATAFUSION, DUCKDB = "Polars SQL", "DataFusion", "DuckDB"
ENGINES: Mapping[str, Callable[[Mapping[str, Path], str], pl.DataFrame]] = {
    POLARS: polars_sql,
    DATAFUSION: datafusion,
    DUCKDB: duckdb,
}


def versions() -> str:
    """What is compared, with versions."""
    return f"Polars {version('polars')}, DataFusion of deltalake {version('deltalake')}, DuckDB {version('duckdb')}"
