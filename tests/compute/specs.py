"""Small pipelines, made where they are used."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.spec import Pipeline
from pipelines.spec_source import parse


def phase(name: str, function: str, **more: object) -> dict[str, object]:
    """A phase that runs a function of ``tests.compute.work`` over the seed into ``gold.<name>``."""
    return {
        "name": name,
        "kind": "transform",
        "inputs": {"seed": "bronze.seed"},
        "python": f"tests.compute.work:{function}",
        "output": {"table": f"gold.{name}", "mode": "replace"},
        **more,
    }


def pipeline(*phases: Mapping[str, object], name: str = "little") -> Pipeline:
    """A pipeline of these phases with the parameters that the functions know."""
    import json

    params = {
        "seconds": {"type": "number", "default": 0.0},
        "tries": {"type": "string", "default": ""},
        "name": {"type": "string", "default": ""},
        "lines": {"type": "integer", "default": 0},
    }
    spec = {"version": 1, "pipeline": name, "owner": "@tests", "params": params, "phases": list(phases)}
    return parse(json.dumps(spec))
