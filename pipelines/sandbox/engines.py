"""The engines by the names that specs and questions have for them; docs/warehouse.md says why ``embedded`` is the one it is."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from pipelines.sandbox.engine import Engine
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.servers.address import POSTGRES, TRINO

_CLASSES: Mapping[str, str] = {
    EMBEDDED: "pipelines.sandbox.polars_sql:PolarsSql",
    POSTGRES: "pipelines.sandbox.servers.postgres:Postgres",
    TRINO: "pipelines.sandbox.servers.trino:Trino",
}


def engine_of(name: str) -> Engine:
    """The engine; its client is imported for those who ask it, and for nobody else."""
    module, _, kind = _CLASSES[name].partition(":")
    return cast(Engine, getattr(import_module(module), kind)())
