"""What a person gives for a run's parameters, as the types that the spec asks for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from ops.errors import BadInput
from pipelines.spec import Param, Pipeline

Value = str | int | float | bool

_TRUTH: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def bound(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, Value]:
    """Typed parameters of a run: ``given`` texts converted, defaults for the others.

    Raises:
        BadInput: with every fault: unknown names, missing values, texts that are not of the type.
    """
    faults: list[str] = []
    values: dict[str, Value] = {}
    for name in given:
        if name not in pipeline.params:
            close = difflib.get_close_matches(name, list(pipeline.params), n=1)
            known = f"did you mean {close[0]}?" if close else f"it has {', '.join(pipeline.params) or 'none'}"
            faults.append(f"{pipeline.pipeline} has no parameter {name!r}; {known}")
    for name, param in pipeline.params.items():
        if name in given:
            try:
                values[name] = _typed(param, given[name])
            except ValueError as error:
                faults.append(f"parameter {name}: {given[name]!r} is no {param.type}{_hint(param, error)}")
        elif param.default is not None:
            values[name] = param.default
        else:
            faults.append(f"parameter {name} ({param.type}) has no default; give {name}=…")
    if faults:
        raise BadInput("; ".join(faults), {"faults": faults})
    return values


def _typed(param: Param, text: str) -> Value:
    convert: Mapping[str, Callable[[str], Value]] = {
        "string": str,
        "integer": int,
        "number": float,
        "boolean": _boolean,
        "date": lambda value: date.fromisoformat(value).isoformat(),
        "choice": lambda value: param.choices[param.choices.index(value)],
    }
    return convert[param.type](text)


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise ValueError
    return _TRUTH[text.lower()]


def _hint(param: Param, _: ValueError) -> str:
    match param.type:
        case "choice":
            return f"; choose one of {', '.join(param.choices)}"
        case "date":
            return "; write it as 2026-01-31"
        case "boolean":
            return "; write true or false"
        case _:
            return ""


def named(params: Sequence[str]) -> dict[str, str]:
    """Parameters as a person writes them, NAME=VALUE each, by name; of one that is written twice the last.

    Raises:
        BadInput: one has no value.
    """
    given: dict[str, str] = {}
    for each in params:
        name, equals, value = each.partition("=")
        if not equals:
            raise BadInput(f"{each!r} is no parameter; write NAME=VALUE")
        given[name] = value
    return given
