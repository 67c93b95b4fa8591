"""Which handler carries out which kind of phase."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from ops.errors import NotAllowed, NotFound
from pipelines.code_modules import check_function, module_fault
from pipelines.handler import Handler
from pipelines.kinds import BUILT_IN, DERIVED, kinds, third_party


def handler_for(kind: str) -> Handler:
    """The handler; imported at the first call, so that a no-op phase never loads Polars.

    Raises:
        NotFound: no such kind is installed here.
    """
    ours = {**BUILT_IN, **DERIVED}
    if kind in ours:
        return cast(Handler, _imported(ours[kind]))
    if kind in third_party():
        handler: Handler = third_party()[kind].load()
        return handler
    raise NotFound(f"no handler for phases of kind {kind!r}; installed are {', '.join(kinds())}", {"kind": kind})


def named_function(reference: str) -> Callable[..., object]:
    """The function behind ``module:function`` of a spec.

    Raises:
        NotAllowed: its module is not on the list of :mod:`pipelines.code_modules`, or it only passes through there;
            the module is then not imported.
        NotFound: there is none.
    """
    if fault := module_fault(reference.partition(":")[0]):
        raise NotAllowed(f"{reference}: {fault}", {"reference": reference})
    found = _imported(reference)
    check_function(reference, found)
    return found


def _imported(reference: str) -> Callable[..., object]:
    module, _, name = reference.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotFound(f"{reference} cannot be imported: {error}", {"reference": reference}) from error
    if not callable(found):
        raise NotFound(f"{reference} is not a function", {"reference": reference})
    return found  # type: ignore[no-any-return]
