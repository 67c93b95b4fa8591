"""A Postgres of the benchmark's own: durable settings as in production, thrown away afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.measure import postmaster_pid
from migrations.apply import migrate
from ops.embedded import Cluster, ensure


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        pgbench: path of the pgbench that came with the server's own binaries.
    """

    cluster: Cluster
    home: Path

    @property
    def postmaster(self) -> int:
        return postmaster_pid(self.cluster.data_dir)

    @property
    def pgbench(self) -> str:
        return str(self.cluster.pg_bin / "pgbench")

    def database(self, name: str, *, migrated: bool) -> str:
        """Creates the database anew and returns its URL."""
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = self.cluster.url(name)
        if migrated:
            migrate(url)
        return url


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        home.chmod(0o755)
        cluster = ensure(home)
        try:
            yield Server(cluster, home)
        finally:
            cluster.stop()
