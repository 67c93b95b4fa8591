"""What ``controlroom doctor`` looks at: each finding says what is so, and the way out where it should not be."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from ops import embedded
from ops.database import connect
from ops.errors import ControlRoomError, StackFailed
from ops.reads import Reads
from ops.settings import Settings
from pipelines.sandbox.confine import unenforced

FREE_BYTES = 2 * 2**30
PARTS = ("polars", "deltalake", "ray", "streamlit", "psycopg", "pydantic")


@dataclass(frozen=True)
class Finding:
    what: str
    ok: bool
    said: str


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which one would repair them."""
    return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]}; 3.11 or later is needed")
    yield _asked("packages", _packages)
    yield _asked("home", lambda: _home(settings))
    yield _asked("lake", lambda: f"{settings.lake}")
    yield _asked("sql", lambda: "; ".join(unenforced()) or "queries are confined to their tables by the kernel too")
    found = embedded.find(settings.home)
    url = settings.database_url or (found.url() if found else None)
    if url is None:
        yield Finding("postgres", False, f"the embedded server of {settings.home} does not run; `controlroom up`")
        return
    yield _asked("postgres", lambda: _postgres(url))
    yield _asked("schema", lambda: _schema(url))
    yield _asked("executors", lambda: _executors(url, settings))


def _asked(what: str, question: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, question())
    except (ControlRoomError, OSError, PackageNotFoundError) as error:
        return Finding(what, False, str(error))


def _packages() -> str:
    return ", ".join(f"{name} {version(name)}" for name in PARTS)


def _home(settings: Settings) -> str:
    home = settings.home
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        raise StackFailed(f"{nearest} cannot be written; set CONTROLROOM_HOME to another directory")
    free = shutil.disk_usage(nearest).free
    if free < FREE_BYTES:
        raise StackFailed(f"{nearest} has {free // 2**20} MiB left; free some space")
    return f"{home}, {free // 2**30} GiB free"


def _postgres(url: str) -> str:
    with connect(url, autocommit=True) as connection:
        row = connection.execute("select current_setting('server_version')").fetchone()
    return f"Postgres {row[0] if row else '?'} answers"


def _schema(url: str) -> str:
    from migrations.apply import revisions

    with connect(url, autocommit=True) as connection:
        row = connection.execute("select to_regclass('ops.runs') is not null").fetchone()
    if not (row and row[0]):
        raise StackFailed("schema ops is not there; `controlroom migrate`")
    return f"schema ops is there; the newest revision is {revisions()[-1]}"


def _executors(url: str, settings: Settings) -> str:
    since = datetime.now(UTC) - timedelta(seconds=2 * settings.lease_seconds)
    with connect(url, autocommit=True) as connection:
        alive = [each for each in Reads(connection).executors(since) if each.state == "active"]
    if not alive:
        raise StackFailed("none was seen lately; `controlroom up` or `controlroom executor` starts one")
    return f"{len(alive)} active, {sum(each.runs for each in alive)} runs owned"
