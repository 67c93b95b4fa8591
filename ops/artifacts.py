"""The artifact store: bytes under their own sha256, in a directory or in S3.

The key is ``sha256/ab/abcdef…``: equal bytes are stored once, a URI never changes its meaning, and anyone can check
what it gives. Both kinds of store write aside and publish in one step, so a key either is absent or holds whole bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from ops.errors import BadInput, NotFound, StorageFailed
from ops.model import Artifact
from ops.settings import storage_options

_CHUNK = 8 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ArtifactStore:
    """Stores and reads artifacts. Implements ``pipelines.handler.ArtifactWriter``; threads may share it.

    Args:
        url: a directory, ``file://`` URL or ``s3://bucket/prefix``.
        options: ``AWS_*`` options for S3; None leaves it to this process's environment.
    """

    def __init__(self, url: str | Path, options: Mapping[str, str] | None = None) -> None:
        text = str(url)
        if text.startswith("s3://"):
            self.url = text.rstrip("/")
            self._store: ObjectStore = _s3(self.url, storage_options(os.environ if options is None else options))
        elif "://" in text and not text.startswith("file://"):
            raise BadInput(f"artifact store {text} is of an unknown kind; give a directory or an s3:// URL")
        else:
            folder = Path(text.removeprefix("file://")).expanduser().absolute()
            self.url = f"file://{folder}"
            with _storage(self.url):
                self._store = LocalStore(folder, mkdir=True)

    def put_bytes(
        self, name: str, kind: str, data: bytes, content_type: str, meta: Mapping[str, object] | None = None
    ) -> Artifact:
        """Stores ``data``.

        Raises:
            StorageFailed: the store refused the write; nothing is visible under the key then.
        """
        digest = hashlib.sha256(data).hexdigest()
        uri = self._put(digest, len(data), io.BytesIO(data))
        return Artifact(name, kind, digest, len(data), content_type, uri, dict(meta or {}))

    def put_file(
        self, name: str, kind: str, path: Path, content_type: str, meta: Mapping[str, object] | None = None
    ) -> Artifact:
        """Stores the bytes of ``path``, in constant memory; the file must not change meanwhile.

        Raises:
            StorageFailed: the file cannot be read, or the store refused the write.
        """
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
                file.seek(0)
                uri = self._put(digest, size, file)
        except OSError as error:
            raise StorageFailed(f"{path} cannot be read: {error.strerror}; was it written?") from error
        return Artifact(name, kind, digest, size, content_type, uri, dict(meta or {}))

    def read(self, uri: str) -> bytes:
        """All bytes of ``uri``.

        Raises:
            NotFound: nothing is stored there.
            BadInput: the URI is not of this store.
        """
        key = self._key(uri)
        with _storage(uri):
            return bytes(obstore.get(self._store, key).bytes())

    @contextmanager
    def open(self, uri: str) -> Iterator[IO[bytes]]:
        """A seekable reader of ``uri``; same errors as ``read``."""
        key = self._key(uri)
        with _storage(uri):
            reader = obstore.open_reader(self._store, key)
        with io.BufferedReader(cast(Any, _Raw(reader, uri)), _CHUNK) as file:
            yield file

    def presigned(self, uri: str, lifetime: timedelta) -> str | None:
        """A URL that gives ``uri`` to whoever holds it for that long; None where the store is a directory.

        Raises:
            StorageFailed: it cannot be signed.
            BadInput: the URI is not of this store.
        """
        key = self._key(uri)
        if not isinstance(self._store, S3Store):
            return None
        with _storage(uri):
            return obstore.sign(self._store, "GET", key, lifetime)

    def verify(self, uri: str, sha256: str) -> None:
        """Reads ``uri`` and checks its bytes.

        Raises:
            StorageFailed: the bytes are not those of ``sha256``.
            NotFound: nothing is stored there.
        """
        digest = hashlib.sha256()
        key = self._key(uri)
        with _storage(uri):
            for chunk in obstore.get(self._store, key).stream(min_chunk_size=_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise StorageFailed(
                f"artifact {uri} holds bytes of sha256 {digest.hexdigest()}, not {sha256}; it was damaged in the store",
                {"uri": uri, "expected": sha256, "found": digest.hexdigest()},
            )

    def _put(self, digest: str, size: int, file: IO[bytes]) -> str:
        key = f"sha256/{digest[:2]}/{digest}"
        uri = f"{self.url}/{key}"
        with _storage(uri):
            if self._size(key) != size:
                obstore.put(self._store, key, file, chunk_size=_CHUNK)
        return uri

    def _size(self, key: str) -> int | None:
        try:
            return int(obstore.head(self._store, key)["size"])
        except (FileNotFoundError, NotFoundError):
            return None

    def _key(self, uri: str) -> str:
        key = uri.removeprefix(f"{self.url}/")
        if key == uri or not _SHA256.fullmatch(key.rpartition("/")[2]):
            raise BadInput(
                f"{uri} is not an artifact of {self.url}; take the uri that the artifact was registered with"
            )
        return key


def _s3(url: str, options: dict[str, str]) -> S3Store:
    """obstore has ``AWS_ALLOW_HTTP`` among its client's options, not the store's (it panics there)."""
    allow_http = options.pop("AWS_ALLOW_HTTP", "false").lower() in ("true", "1")
    config = {name.lower(): value for name, value in options.items()}
    with _storage(url):
        return S3Store.from_url(url, config=cast(Any, config), client_options={"allow_http": allow_http})


class _Raw(io.RawIOBase):
    """obstore's reader as Python's I/O stack wants it."""

    def __init__(self, reader: obstore.ReadableFile, uri: str) -> None:
        self._reader, self._uri = reader, uri

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._reader.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with _storage(self._uri):
            data = bytes(self._reader.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _storage(thing: str) -> Iterator[None]:
    """Whatever the store raises in the block comes out typed."""
    try:
        yield
    except (FileNotFoundError, NotFoundError) as error:
        raise NotFound(f"{thing} is not stored here; was it pruned?", {"uri": thing}) from error
    except (BaseError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StorageFailed(
            f"{thing} could not be read or written: {first}; check space, permission and bucket", {"uri": thing}
        ) from error
