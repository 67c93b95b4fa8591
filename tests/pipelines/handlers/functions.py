"""Functions that transforms of these tests name."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import polars as pl

Frames = Mapping[str, pl.LazyFrame]


def times(frames: Frames, arguments: Mapping[str, object]) -> pl.LazyFrame:
    """``id`` times the run's ``factor``, under the phase's ``label``."""
    factor, label = int(str(arguments["factor"])), str(arguments["label"])
    return frames["seed"].select(pl.col("id") * factor, pl.lit(label).alias("label"))


def eager(frames: Frames, _: Mapping[str, object]) -> pl.DataFrame:
    """What a function must not return."""
    return frames["seed"].collect()


def never_twice(frames: Frames, _: Mapping[str, object]) -> pl.LazyFrame:
    """Other rows at every call."""
    return frames["seed"].with_columns(pl.lit(uuid4().hex).alias("made"))
