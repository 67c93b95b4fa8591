"""One Postgres for a whole test session, shared by its xdist workers, and databases cloned from templates in it.

Each worker holds a shared flock on the session's home for as long as it lives; the one that can turn it into an
exclusive lock is the last and takes the server down. The kernel drops the locks of killed workers, so a later session
finds their homes free and sweeps them away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from ops import embedded

PREFIX = f"controlroom-tests-{os.getuid()}-"
# Tests may lose everything in a power cut; nothing else about the server differs from a real one.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@contextmanager
def session_cluster(session: str) -> Iterator[embedded.Cluster]:
    """The session's server, started by the first worker that asks, stopped by the last that leaves."""
    _sweep()
    home = Path(tempfile.gettempdir()) / f"{PREFIX}{session}"
    presence = _enter(home)
    try:
        pg_bin = os.environ.get("CONTROLROOM_PG_BIN")
        yield embedded.ensure(home, Path(pg_bin) if pg_bin else None, SETTINGS)
    finally:
        _leave(home, presence)


def _enter(home: Path) -> IO[str]:
    """Makes this process a user of ``home`` until the returned file is closed."""
    while True:
        home.mkdir(exist_ok=True)
        try:
            presence = open(home / "users.lock", "a")  # noqa: SIM115
        except FileNotFoundError:
            continue
        fcntl.flock(presence, fcntl.LOCK_SH)
        # The last user may have removed the home between the open and the lock.
        if (home / "users.lock").exists() and os.fstat(presence.fileno()).st_ino == (home / "users.lock").stat().st_ino:
            return presence
        presence.close()


def _leave(home: Path, presence: IO[str]) -> None:
    with presence:
        try:
            fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if (cluster := embedded.find(home)) is not None:
            cluster.stop("immediate")
        shutil.rmtree(home, ignore_errors=True)


def _sweep() -> None:
    """Takes down servers of earlier sessions that were killed."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            presence = open(home / "users.lock", "a")  # noqa: SIM115
        except (FileNotFoundError, PermissionError):
            continue
        _leave(home, presence)


class Databases:
    """Makes, clones and drops databases of one server."""

    def __init__(self, cluster: embedded.Cluster) -> None:
        self.cluster = cluster

    def _execute(self, command: str, *names: str) -> None:
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """A database that is only copied from. The first caller of the session fills it; the others wait for that."""
        with open(self.cluster.home / f"{name}.lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._exists(name):
                unfinished = f"{name}_{uuid.uuid4().hex[:8]}"
                self._execute("create database {}", unfinished)
                fill(self.cluster.url(unfinished))
                self._execute("alter database {} with allow_connections false", unfinished)
                self._execute("alter database {} rename to {}", unfinished, name)
        return name

    def _exists(self, name: str) -> bool:
        with psycopg.connect(self.cluster.url("postgres")) as connection:
            return connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None

    @contextmanager
    def clone(self, template: str, prefix: str = "t") -> Iterator[str]:
        """The URL of a copy of ``template``, dropped with whoever is still connected."""
        name = f"{prefix}_{uuid.uuid4().hex[:12]}"
        self._execute("create database {} template {}", name, template)
        try:
            yield self.cluster.url(name)
        finally:
            self._execute("drop database {} with (force)", name)

    def freeze(self, url: str) -> None:
        """Makes every later session in the database of ``url`` read-only."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self._execute("alter database {} set default_transaction_read_only = on", str(name))
