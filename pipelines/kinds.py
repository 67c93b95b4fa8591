"""Which kinds of phases there are: the five of ours, the one that ``controlroom conformance`` asks for, and those of the
entry-point group. Names only; loads no handler.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

GROUP = "controlroom.handlers"
BUILT_IN = {
    "ingest": "pipelines.handlers.ingest:handle",
    "validate": "pipelines.handlers.validate:handle",
    "transform": "pipelines.handlers.transform:handle",
    "publish": "pipelines.handlers.publish:handle",
    "query": "pipelines.handlers.query:handle",
    "conformance": "pipelines.handlers.conformance:handle",
}

# Of runs that we derive ourselves; no spec may name them.
DERIVED = {"compare": "pipelines.handlers.compare:handle"}


@cache
def third_party() -> dict[str, EntryPoint]:
    """Installed handlers of others, by kind; none of ours can be replaced."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in {**BUILT_IN, **DERIVED}}


def kinds() -> tuple[str, ...]:
    """Every kind that a spec may name."""
    return (*BUILT_IN, *sorted(third_party()))
