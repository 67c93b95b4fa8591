"""What a phase leaves behind holds no secret that it resolved."""

from __future__ import annotations

from pathlib import Path

import pytest

from compute.discretion import CHUNK_BYTES, DiscreetArtifacts, discreet
from ops.artifacts import ArtifactStore
from ops.errors import PhaseFailed
from ops.secrets import SecretStore

SECRET = "correct-horse-battery"


@pytest.fixture
def secrets(tmp_path: Path) -> SecretStore:
    store = SecretStore(tmp_path, {"CONTROLROOM_SECRET_KEY": SECRET})
    assert store.resolve("secret://env/KEY") == SECRET
    return store


def test_results_are_redacted_however_deep(secrets: SecretStore) -> None:
    value = {"a": [{"b": f"x{SECRET}y", SECRET: 1}], "n": 3, "t": ("z", f"password={SECRET}")}
    assert discreet(value, secrets) == {"a": [{"b": "x***y", "***": 1}], "n": 3, "t": ["z", "password=***"]}


def test_texts_are_redacted_and_other_bytes_refused(secrets: SecretStore, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    artifacts = DiscreetArtifacts(store, secrets)
    made = artifacts.put_bytes("q.sql", "sql", f"select '{SECRET}'".encode(), "application/sql", {"by": SECRET})
    assert store.read(made.uri) == b"select '***'"
    assert made.meta == {"by": "***"}
    with pytest.raises(PhaseFailed, match="blob would hold a secret"):
        artifacts.put_bytes("blob", "blob", b"\x00" + SECRET.encode(), "application/octet-stream")


@pytest.mark.parametrize("before", [0, 10, CHUNK_BYTES - 5, CHUNK_BYTES, 2 * CHUNK_BYTES - len(SECRET) + 1])
def test_a_file_is_searched_across_its_chunks(secrets: SecretStore, tmp_path: Path, before: int) -> None:
    artifacts = DiscreetArtifacts(ArtifactStore(tmp_path / "artifacts"), secrets)
    path = tmp_path / "file"
    path.write_bytes(b"." * before + SECRET.encode() + b"." * 10)
    with pytest.raises(PhaseFailed, match="would hold a secret"):
        artifacts.put_file("file", "blob", path, "application/octet-stream")
    path.write_bytes(b"." * before)
    assert artifacts.put_file("file", "blob", path, "application/octet-stream").byte_size == before


def test_bytes_that_are_no_text_pass_as_they_are(secrets: SecretStore, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    made = DiscreetArtifacts(store, secrets).put_bytes("odd", "text", b"\xff\xfe ok", "text/plain")
    assert store.read(made.uri) == b"\xff\xfe ok"
