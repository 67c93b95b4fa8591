"""What the phases of these tests compute: nothing, slowly, stubbornly or wrongly. ``params`` say how."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ops.errors import StorageFailed

Frames = Mapping[str, pl.LazyFrame]
Params = Mapping[str, object]


def sleep(frames: Frames, params: Params) -> pl.LazyFrame:
    """Sleeps ``seconds``, then gives the seed."""
    time.sleep(float(str(params["seconds"])))
    return frames["seed"]


def spin(frames: Frames, params: Params) -> pl.LazyFrame:
    """Keeps the interpreter's lock for ``seconds``."""
    until = time.monotonic() + float(str(params["seconds"]))
    while time.monotonic() < until:
        pass
    return frames["seed"]


def stumble(frames: Frames, params: Params) -> pl.LazyFrame:
    """Fails as storage does, the first two times."""
    tries = Path(str(params["tries"]))
    with tries.open("a") as file:
        file.write("x")
    if len(tries.read_text()) <= 2:
        raise StorageFailed("the disk of this test is full; wait for a third try")
    return frames["seed"]


def die(_: Frames, __: Params) -> pl.LazyFrame:
    """Ends its process as a crash in native code would."""
    os._exit(7)


def where(frames: Frames, params: Params) -> pl.LazyFrame:
    """Sleeps, then says on which Ray node it ran."""
    import ray

    time.sleep(float(str(params["seconds"])))
    node = ray.get_runtime_context().get_node_id()
    return frames["seed"].select(
        pl.lit(node).alias("node"), pl.lit(str(params.get("name", ""))).alias("name"), pl.col("id")
    )


def crunch(frames: Frames, _: Params) -> pl.LazyFrame:
    """A join, a grouping and float sums: what threads like to do in another order each time."""
    seed = frames["seed"]
    wide = seed.join(seed.select(pl.col("id").alias("other")), how="cross")
    return (
        wide.with_columns(key=(pl.col("id") * 31 + pl.col("other")) % 7)
        .group_by("key")
        .agg(pl.len().alias("rows"), (pl.col("id") * 0.1 + pl.col("other") / 3).sum().round(6).alias("total"))
    )


def talk(frames: Frames, params: Params) -> pl.LazyFrame:
    """Says something in every way there is, then does what ``name`` says: nothing, fail, die, or sleep for ``seconds``."""
    import logging
    import subprocess
    import sys

    import structlog

    print("printed to standard output")  # noqa: T201
    print("half a line", end="", file=sys.stderr)  # noqa: T201
    print(" and its end", file=sys.stderr)  # noqa: T201
    structlog.get_logger().warning("a structured line", rows=3, password="never shown")
    logging.getLogger("some.library").error("by the standard library")
    os.write(1, b"by native code\n")
    subprocess.run(["sh", "-c", "echo by a subprocess >&2"], check=True)
    for number in range(int(str(params.get("lines", 0) or 0))):
        print(f"line {number} " + "x" * 200)  # noqa: T201
    match params["name"]:
        case "fail":
            raise ValueError("this is what it says when it fails")
        case "die":
            os._exit(7)
        case "sleep":
            time.sleep(float(str(params["seconds"])))
    return frames["seed"]


def grab(frames: Frames, params: Params) -> pl.LazyFrame:
    """Holds 200 MB for a moment, and works for ``seconds`` of processor time."""
    held = bytearray(b"x") * 200_000_000
    until = time.process_time() + float(str(params["seconds"]))
    while time.process_time() < until:
        pass
    return frames["seed"].filter(pl.lit(len(held) > 0))


def cling(frames: Frames, _: Params) -> pl.LazyFrame:
    """Works for ever inside one native call that keeps the interpreter's lock: no thread of its process gets a word in."""
    import re

    re.match("(a+)+$", "a" * 80 + "b")
    return frames["seed"]


def brood(frames: Frames, params: Params) -> pl.LazyFrame:
    """Starts processes that would outlive it, one below a shell and one in a session of its own, and dies or sleeps."""
    import subprocess

    subprocess.Popen(["sh", "-c", "sleep 300 & wait"])
    if params.get("name") == "die":
        os._exit(7)
    subprocess.Popen(["sleep", "300"], start_new_session=True)
    time.sleep(float(str(params["seconds"])))
    return frames["seed"]
