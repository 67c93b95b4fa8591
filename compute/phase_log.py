"""What a phase says, kept as an artifact: what it prints, warns and logs, redacted, as one JSON object a line.

Bounded, whatever is said: the beginning and the end are kept, and a line between them tells how much is missing. The lines
go to files beside the scratch directory as they come, so that the owner finds them where the process died.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ops.jsonable import jsonable

HEAD_BYTES = 512 * 1024
TAIL_BYTES = 256 * 1024
LINE_CHARACTERS = 8192
KIND = "log"
CONTENT_TYPE = "application/x-ndjson"
# In each line of a phase's log they would be the same; the artifact says them.
_KNOWN = frozenset({"run", "phase", "executor", "lease_token"})
_HEAD, _OLDER, _NEWER, _LOST = "head", "tail.0", "tail.1", "left_out"


class PhaseLog:
    """Takes lines from any thread until it is closed. Nothing is created before the first of them.

    Args:
        folder: of its own; not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock, self._closed = folder, threading.Lock(), False
        self._file: IO[bytes] | None = None
        self._name, self._size, self._lost = _HEAD, 0, 0

    def said(self, stream: str, level: str, message: str) -> None:
        """A line of a stream, redacted already."""
        if message.strip():
            self._add({"ts": _now(), "stream": stream, "level": level, "message": message})

    def logged(self, event: Mapping[str, object]) -> None:
        """A line of structlog, redacted already."""
        facts = {name: value for name, value in event.items() if name not in _KNOWN}
        line: dict[str, object] = {
            "ts": facts.pop("timestamp", None) or _now(),
            "stream": "log",
            "level": facts.pop("level", "info"),
            "message": str(facts.pop("event", "")),
        }
        self._add({**line, "facts": facts} if facts else line)

    def close(self) -> None:
        """Takes nothing more; what was said stays in the folder."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()

    def _add(self, line: dict[str, object]) -> None:
        message = str(line["message"])
        if len(message) > LINE_CHARACTERS:
            line["message"] = f"{message[:LINE_CHARACTERS]} … {len(message) - LINE_CHARACTERS} characters more"
        data = json.dumps(jsonable(line), ensure_ascii=False).encode(errors="replace") + b"\n"
        with self._lock:
            if not self._closed:
                self._write(data)

    def _write(self, data: bytes) -> None:
        limit = HEAD_BYTES if self._name == _HEAD else TAIL_BYTES
        if self._file is not None and self._size + len(data) > limit:
            self._file.close()
            self._turn()
            self._file = None
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Unbuffered: what was said last matters most where the process dies.
            self._file, self._size = (self._folder / self._name).open("ab", buffering=0), 0
        self._file.write(data)
        self._size += len(data)

    def _turn(self) -> None:
        """The next file; of the tail only the last two stay."""
        newer, older = self._folder / _NEWER, self._folder / _OLDER
        if newer.exists():
            if older.exists():
                self._lost += older.stat().st_size
                (self._folder / _LOST).write_text(str(self._lost))
            newer.rename(older)
        self._name = _NEWER


def collected(folder: Path) -> bytes | None:
    """All that was kept, and a line for what was not; None where nothing was said."""
    try:
        head = (folder / _HEAD).read_bytes()
    except FileNotFoundError:
        return None
    lost = _text(folder / _LOST)
    gap = b""
    if lost:
        note = {
            "ts": _now(),
            "stream": "log",
            "level": "warning",
            "message": f"{lost} bytes of this log were left out here",
        }
        gap = json.dumps(note).encode() + b"\n"
    return head + gap + _bytes(folder / _OLDER) + _bytes(folder / _NEWER)


def forget(folder: Path) -> None:
    """Removes the files."""
    shutil.rmtree(folder, ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(path: Path) -> str:
    return _bytes(path).decode()


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
