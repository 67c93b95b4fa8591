"""The engines by the names that specs and questions have for them; docs/warehouse.md says why ``embedded`` is the one it is."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sandbox.engine import Engine
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.polars_sql import PolarsSql

ENGINES: Mapping[str, Engine] = {EMBEDDED: PolarsSql()}
