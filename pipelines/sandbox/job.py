"""What a query's process is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.servers.address import Server

EMBEDDED = "embedded"


@dataclass(frozen=True)
class GivenTable:
    """A Delta table at one version.

    Attributes:
        path: directory or ``s3://`` URL.
        options: storage options for ``s3://``.
        masked: columns that read as null, whatever is in them.
    """

    path: str
    version: int
    options: Mapping[str, str] = field(default_factory=dict)
    masked: tuple[str, ...] = ()

    @property
    def port(self) -> int | None:
        """Where its store listens; None for a directory."""
        if "://" not in self.path:
            return None
        endpoint = urlsplit(self.options.get("AWS_ENDPOINT_URL") or self.options.get("AWS_ENDPOINT") or "")
        return endpoint.port or (80 if endpoint.scheme == "http" else 443)


@dataclass(frozen=True)
class Job:
    """A query that passed the gate, the tables by the names that it uses, and its limits.

    Attributes:
        most: rows that are computed at most.
        engine: its name in ``pipelines.sandbox.engines``.
        server: whom that engine asks; None where it computes itself.
    """

    sql: str
    tables: Mapping[str, GivenTable]
    params: Mapping[str, object]
    limits: QueryLimits
    most: int
    engine: str
    server: Server | None = None

    @property
    def folders(self) -> list[str]:
        """What may be read."""
        own = [table.path for table in self.tables.values() if table.port is None]
        return [*own, *(self.server.files if self.server else ())]

    @property
    def ports(self) -> list[int]:
        """Where may be connected to."""
        stores = {table.port for table in self.tables.values() if table.port is not None}
        return sorted(stores | set(self.server.ports if self.server else ()))
