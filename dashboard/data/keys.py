"""Keys of the page's own, random, made at first use and kept in the home for every process that serves it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ops.errors import StorageFailed


def key(home: Path, name: str) -> str:
    """The text of ``HOME/name``, which only its owner may read.

    Raises:
        StorageFailed: it can neither be read nor made.
    """
    path = home / name
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError as error:
        raise StorageFailed(f"key {path} cannot be read or made: {error.strerror}; check the home's owner") from error


def _make(path: Path) -> None:
    """Written aside and linked: of several processes one gives the key, and none ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was first; its key is as good
    finally:
        partial.unlink()
