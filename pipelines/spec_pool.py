"""The pools that a pipeline's runs take slots of: ``pool: odoo_source``, ``pool: {name: …, slots: 2}``, or a list of those."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from pipelines.expectations import Strict

PoolName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class PoolSlots(Strict):
    """Slots that each run holds of a pool while an executor owns it."""

    name: PoolName
    slots: int = Field(1, ge=1, le=999_999)


def _listed(value: object) -> object:
    several = value if isinstance(value, list | tuple) else [value]
    return [{"name": one} if isinstance(one, str) else one for one in several]


def _each_once(value: tuple[PoolSlots, ...]) -> tuple[PoolSlots, ...]:
    names = [one.name for one in value]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} is named twice; name it once, with slots")
    return value


_Written = PoolName | PoolSlots
Pools = Annotated[
    tuple[PoolSlots, ...],
    BeforeValidator(_listed, json_schema_input_type=_Written | list[_Written]),
    AfterValidator(_each_once),
]
