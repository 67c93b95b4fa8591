"""The engines by the names that a spec and a question have for them. One is behind ``embedded``: see docs/warehouse.md for why."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sandbox.engine import Engine
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.polars_sql import PolarsSql

ENGINES: Mapping[str, Engine] = {EMBEDDED: PolarsSql()}
