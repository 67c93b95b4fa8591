"""A phase kind that does nothing, installed as a third party's would be: by an entry point, here of a folder on the path."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import structlog

from ops.model import PhaseResult
from pipelines.handler import Context
from pipelines.spec import Phase, Pipeline

PLUGIN = Path(__file__).parent / "plugin"
SAYS = "CONTROLROOM_NOOP_SAYS"
log = structlog.get_logger()

if str(PLUGIN) not in sys.path:
    sys.path.append(str(PLUGIN))


def environment() -> dict[str, str]:
    """What a process needs to find the kind; a folder on ``PYTHONPATH`` is found before any that was there."""
    root = str(Path(__file__).parents[1])
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(PLUGIN), root, os.environ.get("PYTHONPATH", "")]))}


def handle(_: Context, __: Phase) -> PhaseResult:
    """The handler of kind ``noop``; where it is to have a log, it says two lines."""
    if os.environ.get(SAYS):
        print("nothing is done")
        log.info("nothing was done", rows=0)
    return PhaseResult(rows_in=0, rows_out=0, byte_size=0, output_fingerprint=None)


def noops(phases: int, pool: str | None = None) -> Pipeline:
    """A pipeline of so many no-op phases, each after the one before; its runs take a slot of the pool, if one is named."""
    names = [f"noop_{number}" for number in range(phases)]
    chain = [
        {"name": name, "kind": "noop", "depends_on": names[max(0, number - 1) : number]}
        for number, name in enumerate(names)
    ]
    limited = {} if pool is None else {"pool": pool}
    return Pipeline.from_json({"version": 1, "pipeline": "noop", "owner": "@bench", "phases": chain, **limited})
