"""Python values as JSON that ``jsonb`` takes: one place for what each type becomes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum

from psycopg.types.json import Jsonb


def jsonable(value: object) -> object:  # noqa: PLR0911 - one line for each type
    """Mappings and dataclasses become objects, sequences arrays, times ISO text, Decimal and the rest text.

    NaN and the infinities become null and NUL characters are dropped: jsonb knows neither, and a handler's odd metric
    or message must not keep its failure from being recorded.
    """
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return jsonable(value.value)
        case str():
            return value.replace("\x00", "")
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case set() | frozenset():
            return sorted((jsonable(item) for item in value), key=str)
        case _ if is_dataclass(value):
            return {each.name: jsonable(getattr(value, each.name)) for each in fields(value)}
        case _:
            return str(value).replace("\x00", "")


def jsonb(value: object) -> Jsonb:
    """``value`` as a query argument of type jsonb."""
    return Jsonb(jsonable(value), dumps=_dumps)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
