"""Where the lake's bytes are: one place that turns a URL into paths, file writers and typed errors.

Local directories and ``s3://``. Storage options have their usual environment names (``AWS_ENDPOINT_URL``, …) and go
unchanged to deltalake and Polars.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

import obstore
import obstore.store
import polars as pl
from deltalake.exceptions import CommitFailedError, DeltaError
from obstore.exceptions import AlreadyExistsError, BaseError

from ops.errors import CommitConflict, StorageFailed

REMOTE = ("s3://", "s3a://")


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turns the errors of Delta, Parquet and object stores into the project's own.

    Raises:
        CommitConflict: another writer's commit came first; nothing was written.
        StorageFailed: the store refused (disk full, bucket missing, no permission, unreachable).
    """
    try:
        yield
    except CommitFailedError as error:
        raise CommitConflict(f"another writer committed to {what} first: {error}", {"table": what}) from error
    except DeltaError as error:
        if "already exists at that location" in str(error):
            raise CommitConflict(f"another writer created {what} first", {"table": what}) from error
        raise _failed(what, error) from error
    except (OSError, BaseError) as error:
        raise _failed(what, error) from error
    except pl.exceptions.ComputeError as error:
        # Polars wraps a disk's or an object store's refusal in the error of the query that met it.
        if any(words in str(error) for words in ("object-store", "Generic S3", "(os error ")):
            raise _failed(what, error) from error
        raise


def _failed(what: str, error: Exception) -> StorageFailed:
    # Delta puts what the store said below what it was doing.
    reason = ": ".join(line.strip(" ↳") for line in str(error).splitlines() if line.strip()) or type(error).__name__
    return StorageFailed(
        f"the lake's storage refused {what}: {reason[:300]}. Check space, bucket and permissions",
        {"what": what, "error": type(error).__name__},
    )


class _Remote(io.RawIOBase):
    """obstore's writer as a file object; its own ``closed`` is a method, which pyarrow takes for True."""

    def __init__(self, writer: obstore.WritableFile) -> None:
        super().__init__()
        self._writer, self._written = writer, 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        raw = bytes(memoryview(data))
        self._writer.write(raw)
        self._written += len(raw)
        return len(raw)

    def tell(self) -> int:
        return self._written


class Storage:
    """Files below one URL.

    Args:
        url: a local directory or ``s3://bucket/prefix``.
        options: storage options for ``s3://``; ignored for directories.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        self.remote = url.startswith(REMOTE)
        self.url = url.rstrip("/") if self.remote else str(Path(url.removeprefix("file://")).absolute())
        # Only what object_store knows: Polars refuses an option that it does not.
        self.options = {k: v for k, v in (options or {}).items() if k.lower().startswith("aws_")} if self.remote else {}

    def _object(self, url: str) -> tuple[obstore.store.ObjectStore, str]:
        parts = urlsplit(url)
        allow_http = self.options.get("AWS_ALLOW_HTTP", "").lower() == "true"
        config = {k: v for k, v in self.options.items() if k.upper() != "AWS_ALLOW_HTTP"}
        store = obstore.store.from_url(
            f"{parts.scheme}://{parts.netloc}",
            config=cast("obstore.store.S3Config", config),
            client_options={"allow_http": allow_http},
        )
        return store, parts.path.lstrip("/")

    @contextmanager
    def writer(self, url: str) -> Iterator[IO[bytes]]:
        """Opens a new file for writing; on disk it is synced before the block ends, so a log entry never names
        bytes that a power cut takes away.

        Raises:
            StorageFailed: see :func:`storage_errors`.
        """
        with storage_errors(url):
            if self.remote:
                store, key = self._object(url)
                with obstore.open_writer(store, key) as remote:
                    yield cast("IO[bytes]", _Remote(remote))
                return
            Path(url).parent.mkdir(parents=True, exist_ok=True)
            with open(url, "xb") as local:
                yield local
                local.flush()
                os.fsync(local.fileno())

    def size(self, url: str) -> int:
        """Bytes of a file."""
        with storage_errors(url):
            if self.remote:
                store, key = self._object(url)
                return int(obstore.head(store, key)["size"])
            return Path(url).stat().st_size

    def discard(self, url: str) -> None:
        """Deletes a file that no commit names. Never fails: vacuum takes what is left."""
        with suppress(OSError, BaseError):
            if self.remote:
                store, key = self._object(url)
                obstore.delete(store, key)
            else:
                Path(url).unlink()

    def put_new(self, url: str, data: bytes) -> bool:
        """Writes a whole file if there is none; of several that try at once, one gets True.

        Raises:
            StorageFailed: see :func:`storage_errors`.
        """
        with storage_errors(url):
            if self.remote:
                store, key = self._object(url)
                try:
                    obstore.put(store, key, data, mode="create")
                except AlreadyExistsError:
                    return False
                return True
            target = Path(url)
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            try:
                with open(unfinished, "xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(unfinished, target)
            except FileExistsError:
                return False
            finally:
                unfinished.unlink(missing_ok=True)
            return True

    def get(self, url: str) -> bytes | None:
        """A file's bytes, None where there is no file."""
        with storage_errors(url):
            try:
                if self.remote:
                    store, key = self._object(url)
                    return bytes(obstore.get(store, key).bytes())
                return Path(url).read_bytes()
            except FileNotFoundError:
                return None
