"""Keeps resolved secrets out of what a phase leaves behind: results, reports, errors, artifacts."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TextIO

from compute.native_output import NativeOutput
from compute.phase_log import PhaseLog
from ops import logs
from ops.artifacts import ArtifactStore
from ops.errors import PhaseFailed
from ops.model import Artifact
from ops.secrets import SecretStore

CHUNK_BYTES = 1024 * 1024
_TEXTS = ("text/", "application/json", "application/sql")


def discreet(value: Mapping[str, object], secrets: SecretStore) -> dict[str, object]:
    """``value`` with every text in it redacted, however deep."""

    def clean(inner: object) -> object:
        if isinstance(inner, str):
            return secrets.redact(inner)
        if isinstance(inner, Mapping):
            return {secrets.redact(str(key)): clean(item) for key, item in inner.items()}
        if isinstance(inner, list | tuple):
            return [clean(item) for item in inner]
        return inner

    return {secrets.redact(str(key)): clean(item) for key, item in value.items()}


class _DiscreetStream(io.TextIOBase):
    """Passes lines on, redacted; half a line waits for its end, so that a secret is never cut in two."""

    def __init__(self, stream: TextIO, secrets: SecretStore, also: Callable[[str], None]) -> None:
        self._stream, self._secrets, self._also, self._held = stream, secrets, also, ""

    def write(self, text: str) -> int:
        *lines, self._held = (self._held + text).split("\n")
        for line in lines:
            redacted = self._secrets.redact(line)
            self._stream.write(redacted + "\n")
            self._also(redacted)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """What was not ended is passed on; the stream below stays open."""
        if self._held:
            self.write("\n")
        self._stream.flush()
        super().close()


@contextmanager
def discreet_streams(secrets: SecretStore, kept: PhaseLog, native: NativeOutput | None = None) -> Iterator[None]:
    """While the block runs, what this process prints, warns or logs is redacted, passed on and kept.

    Args:
        native: where native code and subprocesses write; without it they are not seen.
    """
    stream = sys.stderr
    logs.configure(secrets.redact, stream=stream, also=kept.logged)
    try:
        with (
            closing(_DiscreetStream(sys.stdout, secrets, partial(kept.said, "stdout", "info"))) as out,
            closing(_DiscreetStream(stream, secrets, partial(kept.said, "stderr", "warning"))) as err,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            yield
    finally:
        for line in native.lines() if native else ():
            redacted = secrets.redact(line)
            stream.write(redacted + "\n")
            kept.said("native", "info", redacted)
        kept.close()
        logs.configure(secrets.redact, stream=stream)


class DiscreetArtifacts:
    """An artifact store that redacts texts and refuses other bytes with a secret in them. Implements ``ArtifactWriter``.

    What is compressed (Parquet) is not looked into: rows are data, and whoever may read the table may read them.
    """

    def __init__(self, store: ArtifactStore, secrets: SecretStore) -> None:
        self._store, self._secrets = store, secrets

    def put_bytes(
        self, name: str, kind: str, data: bytes, content_type: str, meta: Mapping[str, object] | None = None
    ) -> Artifact:
        """Stores ``data``, texts redacted.

        Raises:
            PhaseFailed: other bytes hold a secret.
        """
        if content_type.startswith(_TEXTS):
            # Bytes that are no UTF-8 come back as they were.
            data = self._secrets.redact(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        else:
            self._refuse(name, data)
        return self._store.put_bytes(
            self._secrets.redact(name), kind, data, content_type, discreet(meta or {}, self._secrets)
        )

    def put_file(
        self, name: str, kind: str, path: Path, content_type: str, meta: Mapping[str, object] | None = None
    ) -> Artifact:
        """Stores the bytes of ``path``.

        Raises:
            PhaseFailed: they hold a secret.
        """
        longest = max((len(each) for each in self._secrets.given), default=0)
        with path.open("rb") as file:
            tail = b""
            while chunk := file.read(CHUNK_BYTES):
                self._refuse(name, tail + chunk)
                tail = chunk[-longest:] if longest else b""
        return self._store.put_file(
            self._secrets.redact(name), kind, path, content_type, discreet(meta or {}, self._secrets)
        )

    def _refuse(self, name: str, data: bytes) -> None:
        if any(each in data for each in self._secrets.given):
            raise PhaseFailed(f"artifact {name} would hold a secret that this phase resolved; leave it out")
