"""Polars SQL as an engine: Delta tables scanned lazily, at their versions, with columns masked, carried out streaming."""

from __future__ import annotations

import os
import re

import polars as pl
from deltalake import DeltaTable

from pipelines.frames import polars_errors, query
from pipelines.sandbox.engine import LONGEST_PLAN, Carried
from pipelines.sandbox.job import GivenTable, Job
from pipelines.storage import storage_errors

_SCANNED = re.compile(r"(?m)^(\s*Parquet SCAN )(.*)$")
_DRAWN = re.compile(r"(dynamic_pred: |CACHE\[id: )([0-9a-f-]{36})")


class PolarsSql:
    """Implements ``pipelines.sandbox.engine.Engine``."""

    @property
    def identity(self) -> str:
        return f"polars {pl.__version__}"

    def carry_out(self, job: Job) -> Carried:
        with polars_errors("sql"), storage_errors("the query's tables"):
            frames = {name: _scan(table) for name, table in job.tables.items()}
            asked = query(frames, job.sql, job.params, [table.path for table in job.tables.values()]).head(job.most)
            plan = _told(asked.explain(engine="streaming"), job)[:LONGEST_PLAN]
            return Carried(asked.collect(engine="streaming"), plan, self.identity)


def _scan(table: GivenTable) -> pl.LazyFrame:
    options = dict(table.options) or None
    frame = pl.scan_delta(
        DeltaTable(table.path, version=table.version, storage_options=options), storage_options=options
    )
    if not table.masked:
        return frame
    schema = frame.collect_schema()
    return frame.with_columns(pl.lit(None, schema[name]).alias(name) for name in table.masked if name in schema)


def _told(plan: str, job: Job) -> str:
    """The plan with tables by name, and with numbers where Polars draws its ids by lot: the same query has the same plan.

    Names of files say where the lake is, and a partition's value, which may be one that is masked.
    """
    places = {
        place: alias if "@" in alias else f"{alias}@v{table.version}"
        for alias, table in job.tables.items()
        for place in (table.path, os.path.realpath(table.path))
    }
    drawn: dict[str, int] = {}

    def name(scan: re.Match[str]) -> str:
        names = [named for place, named in places.items() if f"{place.rstrip('/')}/" in scan[2]]
        return scan[1] + (names[0] if names else "a table")

    def number(drawing: re.Match[str]) -> str:
        return f"{drawing[1]}{drawn.setdefault(drawing[2], len(drawn) + 1)}"

    return _DRAWN.sub(number, _SCANNED.sub(name, plan))
