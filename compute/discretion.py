"""Keeps resolved secrets out of what a phase leaves behind: results, reports, errors, artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
        return self._store.put_bytes(name, kind, data, content_type, discreet(meta or {}, self._secrets))

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
        return self._store.put_file(name, kind, path, content_type, discreet(meta or {}, self._secrets))

    def _refuse(self, name: str, data: bytes) -> None:
        if any(each in data for each in self._secrets.given):
            raise PhaseFailed(f"artifact {name} would hold a secret that this phase resolved; leave it out")
