"""Artifacts: equal bytes have one URI, a URI gives exactly those bytes, and half an artifact never exists."""

from __future__ import annotations

import hashlib
import multiprocessing
import resource
from pathlib import Path

import pytest

from ops.artifacts import ArtifactStore
from ops.errors import BadInput, NotFound, StorageFailed
from ops.model import Artifact
from tests.storage import S3

DATA = b"month,amount\n2026-01,12.50\n"


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "local":
        return ArtifactStore(tmp_path / "artifacts")
    server: S3 = request.getfixturevalue("s3")
    return ArtifactStore(f"{server.bucket()}/demo", server.options)


def put(store: ArtifactStore, data: bytes = DATA, name: str = "revenue.csv") -> Artifact:
    return store.put_bytes(name, "result", data, "text/csv", {"rows": 1})


def test_an_artifact_is_addressed_by_its_own_sha256(store: ArtifactStore) -> None:
    artifact = put(store)
    digest = hashlib.sha256(DATA).hexdigest()
    assert (artifact.sha256, artifact.byte_size, artifact.meta) == (digest, len(DATA), {"rows": 1})
    assert artifact.uri == f"{store.url}/sha256/{digest[:2]}/{digest}"
    assert store.read(artifact.uri) == DATA
    store.verify(artifact.uri, artifact.sha256)


def test_equal_bytes_are_stored_once_whatever_they_are_called(store: ArtifactStore) -> None:
    assert put(store, name="a.csv").uri == put(store, name="b.csv").uri
    assert put(store, b"other").uri != put(store).uri


def test_a_large_file_goes_in_and_out_whole(store: ArtifactStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 80_000
    source = tmp_path / "large.bin"
    source.write_bytes(data)
    artifact = store.put_file("large", "result", source, "application/octet-stream")
    assert (artifact.sha256, artifact.byte_size) == (hashlib.sha256(data).hexdigest(), len(data))
    store.verify(artifact.uri, artifact.sha256)
    with store.open(artifact.uri) as file:
        file.seek(len(data) - 3)
        assert file.read() == data[-3:]
        file.seek(0)
        assert hashlib.sha256(file.read()).hexdigest() == artifact.sha256


def test_an_empty_artifact_is_an_artifact(store: ArtifactStore) -> None:
    artifact = put(store, b"")
    assert store.read(artifact.uri) == b""
    store.verify(artifact.uri, artifact.sha256)


def test_what_is_not_there_and_what_is_not_ours_is_said(store: ArtifactStore) -> None:
    missing = f"{store.url}/sha256/{'0' * 2}/{'0' * 64}"
    for ask in (store.read, lambda uri: store.verify(uri, "0" * 64)):
        with pytest.raises(NotFound, match="is not stored here"):
            ask(missing)
    for foreign in ("s3://elsewhere/sha256/00/" + "0" * 64, f"{store.url}/../../etc/passwd", "/etc/passwd"):
        with pytest.raises(BadInput, match="is not an artifact of"):
            store.read(foreign)


def test_damaged_bytes_are_found(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    artifact = put(store)
    Path(artifact.uri.removeprefix("file://")).write_bytes(b"X" + DATA[1:])
    with pytest.raises(StorageFailed, match="damaged in the store"):
        store.verify(artifact.uri, artifact.sha256)


def _put_on_a_full_disk(folder: Path, answer: multiprocessing.connection.Connection) -> None:
    # The kernel refuses to let any file grow further, as a full disk does.
    store = ArtifactStore(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        put(store, b"x" * 100_000)
        answer.send("stored")
    except StorageFailed as error:
        answer.send(str(error))


def test_a_full_disk_is_storage_failed_and_nothing_is_visible(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    child = context.Process(target=_put_on_a_full_disk, args=(tmp_path / "artifacts", theirs))
    child.start()
    assert mine.poll(60)
    said = mine.recv()
    child.join()
    assert "could not be read or written" in said
    assert "\n" not in said
    store = ArtifactStore(tmp_path / "artifacts")
    digest = hashlib.sha256(b"x" * 100_000).hexdigest()
    with pytest.raises(NotFound):
        store.read(f"{store.url}/sha256/{digest[:2]}/{digest}")


def test_a_missing_bucket_is_storage_failed(s3: S3) -> None:
    with pytest.raises((StorageFailed, NotFound), match="no-such-bucket"):
        put(ArtifactStore("s3://no-such-bucket/x", s3.options))


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown kind"):
        ArtifactStore("ftp://host/x")
