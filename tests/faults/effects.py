"""What the fault runs do: a transform whose effect can be counted, slow enough to be interrupted in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

import polars as pl

from ops.fence import DatabaseFence
from ops.model import DatasetVersion
from pipelines.commit import FencedCommit

FENCE_REMOVED = "FAULTS_FENCE_REMOVED"


def tag(frames: Mapping[str, pl.LazyFrame], params: Mapping[str, object]) -> pl.LazyFrame:
    """The seed rows under the run's own name; ``seconds`` is how long it pretends to compute."""
    if os.environ.get(FENCE_REMOVED):
        remove_fence()
    time.sleep(float(str(params["seconds"])))
    return frames["seed"].select(pl.lit(str(params["name"])).alias("name"), pl.col("id"))


def of_day(frames: Mapping[str, pl.LazyFrame], params: Mapping[str, object]) -> pl.LazyFrame:
    """The seed rows under the run's day."""
    return tag(frames, {"name": params["day"], "seconds": 0.0})


def in_day(frames: Mapping[str, pl.LazyFrame], params: Mapping[str, object]) -> pl.LazyFrame:
    """The seed rows in the run's day, as a table that is told apart by days has them."""
    return frames["seed"].select(pl.lit(date.fromisoformat(str(params["day"]))).alias("day"), pl.col("id"))


def remove_fence() -> None:
    """The mutant: in this process commits ask neither Postgres nor the table's transactions. Tests must notice."""

    class Hold:
        def build_on(self, table: str) -> int | None:
            return None

        def record(self, dataset: DatasetVersion) -> None:
            pass

    @contextmanager
    def hold(_: DatabaseFence) -> Iterator[Hold]:
        yield Hold()

    DatabaseFence.hold = hold  # type: ignore[method-assign, assignment]
    FencedCommit.adoptable = lambda *_: None  # type: ignore[method-assign]
