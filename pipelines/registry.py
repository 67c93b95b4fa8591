"""Which handler carries out which kind of phase: the five of ours, and those of the entry-point group."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from ops.errors import NotFound
from pipelines.handler import Handler

GROUP = "controlroom.handlers"
BUILT_IN = {
    "ingest": "pipelines.handlers.ingest:handle",
    "validate": "pipelines.handlers.validate:handle",
    "transform": "pipelines.handlers.transform:handle",
    "publish": "pipelines.handlers.publish:handle",
    "query": "pipelines.handlers.query:handle",
}


@cache
def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in BUILT_IN}


def kinds() -> tuple[str, ...]:
    """Every kind that a spec may name."""
    return (*BUILT_IN, *sorted(_third_party()))


def handler_for(kind: str) -> Handler:
    """The handler; imported at the first call, so that a no-op phase never loads Polars.

    Raises:
        NotFound: no such kind is installed here.
    """
    if kind in BUILT_IN:
        return cast(Handler, named_function(BUILT_IN[kind]))
    if kind in _third_party():
        handler: Handler = _third_party()[kind].load()
        return handler
    raise NotFound(f"no handler for phases of kind {kind!r}; installed are {', '.join(kinds())}", {"kind": kind})


def named_function(reference: str) -> Callable[..., object]:
    """The function behind ``module:function``.

    Raises:
        NotFound: there is none.
    """
    module, _, name = reference.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotFound(f"{reference} cannot be imported: {error}", {"reference": reference}) from error
    if not callable(found):
        raise NotFound(f"{reference} is not a function", {"reference": reference})
    return found  # type: ignore[no-any-return]
