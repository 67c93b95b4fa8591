"""This machine: the interpreter, the packages, room on its disks, what confines people's SQL."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from controlroom.checkups.finding import Check, Fault
from ops.settings import Settings
from pipelines.sandbox.confine import unenforced

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 2 * 2**30
PARTS = ("polars", "deltalake", "ray", "streamlit", "psycopg", "pydantic")


def checks(settings: Settings) -> Iterator[Check]:
    """In the order in which one would repair them."""
    yield "python", _python
    yield "packages", lambda: ", ".join(f"{name} {version(name)}" for name in PARTS)
    yield "home", lambda: _home(settings.home)
    yield "scratch", lambda: _room(Path(tempfile.gettempdir()), "TMPDIR")
    yield "sql", lambda: "; ".join(unenforced()) or "queries are confined to their tables by the kernel too"


def _python() -> str:
    # The package's own metadata refuses an older one; whoever runs from a checkout is told here.
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    if not enough:
        raise Fault(sys.version.split()[0], "install Python 3.11 or later")
    return sys.version.split()[0]


def _home(home: Path) -> str:
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        raise Fault(f"{nearest} cannot be written", "set CONTROLROOM_HOME to a directory that can")
    secrets = home / "secrets"
    if secrets.is_dir() and secrets.stat().st_mode & 0o007:
        raise Fault(f"{secrets} can be read by everybody", f"chmod 700 {secrets}")
    return _room(nearest, "CONTROLROOM_HOME", home)


def _room(folder: Path, variable: str, named: Path | None = None) -> str:
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise Fault(f"{folder} has {free // 2**20} MiB left", f"free some space, or set {variable} to another disk")
    return f"{named or folder}, {free // 2**30} GiB free"
