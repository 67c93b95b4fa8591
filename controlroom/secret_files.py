"""Secrets that the stack makes for itself, below ``HOME/secrets`` where references find them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(home: Path, name: str) -> str:
    """The secret of that name, made up the first time. Whoever comes first decides; the others read it."""
    path = home / "secrets" / name
    if not path.exists():
        write_secret(home, name, secrets.token_urlsafe(32), only_new=True)
    return path.read_text().rstrip("\r\n")


def write_secret(home: Path, name: str, value: str, only_new: bool = False) -> None:
    """Writes ``HOME/secrets/NAME`` with mode 0600, whole or not at all."""
    folder = home / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f".{name}.{os.getpid()}.partial"
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value + "\n")
    try:
        if only_new:
            os.link(partial, folder / name)
        else:
            os.replace(partial, folder / name)
    except FileExistsError:
        pass
    finally:
        partial.unlink(missing_ok=True)
