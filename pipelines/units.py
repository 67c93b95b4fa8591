"""What people write in a spec – ``10m``, ``2GiB``, ``50%`` – as the numbers that code uses."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER = r"(\d+(?:\.\d+)?)"


def _seconds(value: object) -> object:
    if isinstance(value, str):
        if match := re.fullmatch(rf"{_NUMBER}\s*(ms|s|m|h|d)", value.strip()):
            return float(match[1]) * SECONDS[match[2]]
        raise ValueError(f"{value!r} is no duration; write a number with ms, s, m, h or d, such as 10m")
    return value


def _bytes(value: object) -> object:
    if isinstance(value, str):
        if match := re.fullmatch(rf"{_NUMBER}\s*({'|'.join(BYTES)})", value.strip()):
            return int(float(match[1]) * BYTES[match[2]])
        raise ValueError(f"{value!r} is no size; write a number with {', '.join(BYTES)}, such as 2GiB")
    return value


def _share(value: object) -> object:
    if isinstance(value, str):
        if match := re.fullmatch(rf"{_NUMBER}\s*%", value.strip()):
            return float(match[1]) / 100
        raise ValueError(f"{value!r} is no share; write a percentage, such as 5%")
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, allow_inf_nan=False)]
"""A duration in seconds; ``10m`` in YAML."""

Bytes = Annotated[int, BeforeValidator(_bytes), Field(gt=0)]
"""A size in bytes; ``2GiB`` in YAML."""

Share = Annotated[float, BeforeValidator(_share), Field(ge=0)]
"""A share of one; ``5%`` in YAML."""
