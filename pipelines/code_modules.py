"""Which Python a spec may name: functions that stand in modules of an allow-list, and nothing that those modules import.

The machine that would run the code decides, so the list is read from its environment (``CONTROLROOM_CODE_MODULES``, as in
the settings) and never from a spec or a run.
"""

from __future__ import annotations

import os
from types import FunctionType

from ops.errors import NotAllowed

VARIABLE = "CONTROLROOM_CODE_MODULES"
DEFAULT = "pipelines"


def allowed_modules() -> tuple[str, ...]:
    """Modules of which, and below which, functions may be named."""
    given = os.environ.get(VARIABLE) or DEFAULT
    return tuple(name.strip() for name in given.split(",") if name.strip())


def is_allowed(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed_modules())


def module_fault(module: str) -> str | None:
    """What is wrong with naming a function of that module, in one line, or None."""
    if is_allowed(module):
        return None
    return (
        f"module {module} is not among those whose functions a spec may name ({', '.join(allowed_modules())}); "
        f"have {VARIABLE} name it"
    )


def check_function(reference: str, found: object) -> None:
    """Whether what an allowed module calls by that name is a function of an allowed module itself.

    Raises:
        NotAllowed: it is a class, a builtin, a bound method, a callable object, or a function from elsewhere.
    """
    if isinstance(found, FunctionType) and is_allowed(str(found.__globals__.get("__name__"))):
        return
    home = getattr(found, "__module__", None) or type(found).__module__
    what = "a function" if isinstance(found, FunctionType) else f"a {type(found).__name__}"
    raise NotAllowed(
        f"{reference} is {what} of {home}; a spec may name plain functions that are written in {', '.join(allowed_modules())}",
        {"reference": reference},
    )
