"""Which handler carries out which kind of phase."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from ops.errors import NotFound
from pipelines.handler import Handler
from pipelines.kinds import BUILT_IN, kinds, third_party


def handler_for(kind: str) -> Handler:
    """The handler; imported at the first call, so that a no-op phase never loads Polars.

    Raises:
        NotFound: no such kind is installed here.
    """
    if kind in BUILT_IN:
        return cast(Handler, named_function(BUILT_IN[kind]))
    if kind in third_party():
        handler: Handler = third_party()[kind].load()
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
