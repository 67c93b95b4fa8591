"""Links to artifacts: the signature, the key, damaged bytes, and an object store elsewhere."""

from __future__ import annotations

import hashlib
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboard.data.keys import key
from dashboard.data.links import LIFETIME_SECONDS, Named, is_good, link
from ops.artifacts import ArtifactStore
from ops.embedded import Cluster
from tests.dashboard.conftest import Served, serve
from tests.dashboard.test_sign_in_accounts import answer
from tests.postgres import Databases
from tests.storage import S3

KEY = "k" * 64
NAMED = Named(uuid.UUID(int=1), uuid.UUID(int=2), "a" * 64)


def parts(address: str) -> dict[str, str]:
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    return {"until": query["until"], "whom": query["for"], "signature": query["signature"]}


def test_a_link_is_good_for_its_person_until_it_is_over() -> None:
    mine, any_ = parts(link(KEY, NAMED, "ada")), parts(link(KEY, NAMED, None))
    assert is_good(KEY, NAMED, **mine, subject="ada")
    assert not is_good(KEY, NAMED, **mine, subject="bob")
    assert is_good(KEY, NAMED, **any_, subject="bob")
    assert not is_good(KEY, NAMED, **{**any_, "whom": "me"}, subject="bob")
    assert not is_good(KEY, NAMED, **{**mine, "whom": "any"}, subject="ada")
    assert not is_good("other" * 12, NAMED, **mine, subject="ada")
    over = parts(link(KEY, NAMED, "ada", now=time.time() - LIFETIME_SECONDS - 1))
    assert not is_good(KEY, NAMED, **over, subject="ada")
    assert not is_good(KEY, NAMED, **{**over, "until": mine["until"]}, subject="ada")


@pytest.mark.parametrize("part", ["run_id", "artifact_id", "sha256"])
def test_a_link_names_one_artifact_and_its_bytes(part: str) -> None:
    other = {"run_id": uuid.UUID(int=9), "artifact_id": uuid.UUID(int=9), "sha256": "b" * 64}[part]
    changed = Named(**{**vars(NAMED), part: other})
    assert not is_good(KEY, changed, **parts(link(KEY, NAMED, "ada")), subject="ada")


@pytest.mark.parametrize("until", ["", "soon", "-1", "9" * 40, "٤٢", "1e12", " 1", "0x7fffffff"])
def test_a_link_with_a_strange_time_is_refused(until: str) -> None:
    assert not is_good(KEY, NAMED, until, "me", parts(link(KEY, NAMED, "ada"))["signature"], "ada")


@pytest.mark.parametrize("signature", ["", "0" * 64, "é" * 32, "\x00"])
def test_a_strange_signature_is_refused(signature: str) -> None:
    assert not is_good(KEY, NAMED, parts(link(KEY, NAMED, "ada"))["until"], "me", signature, "ada")


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as starting:
        made = set(starting.map(lambda _: key(tmp_path / "home", "a.key"), range(64)))
    assert len(made) == 1
    assert len(made.pop()) == 64
    assert (tmp_path / "home" / "a.key").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (tmp_path / "home").iterdir()] == ["a.key"]


@pytest.fixture(scope="module")
def elsewhere(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory, s3: S3
) -> Iterator[tuple[Served, ArtifactStore]]:
    bucket = s3.bucket()
    with databases.clone(template) as url:
        home = tmp_path_factory.mktemp("home")
        for served in serve(cluster, url, home, CONTROLROOM_ARTIFACTS_URL=bucket, **s3.options):
            yield served, ArtifactStore(bucket, s3.options)


def test_bytes_in_an_object_store_come_from_there_by_a_signed_url(
    elsewhere: tuple[Served, ArtifactStore], page: Page
) -> None:
    served, store = elsewhere
    run_id, token = served.operator.running()
    stored = store.put_bytes("far.csv", "query", b"a,b\n1,2\n", "text/csv")
    served.operator.executor.register_artifact(run_id, token, None, stored)
    page.goto(f"{served.where}/run?id={run_id}")
    path = str(page.get_by_role("link", name="far.csv").get_attribute("href"))
    status, _, headers = answer(f"{served.where}/{path}")
    assert status == 302
    assert headers["Cache-Control"] == "no-store"
    there = urllib.parse.urlsplit(headers["Location"])
    query = dict(urllib.parse.parse_qsl(there.query))
    assert there.path.endswith(stored.sha256)
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Signature"]
    status, body, _ = answer(headers["Location"])
    assert (status, hashlib.sha256(body.encode()).hexdigest()) == (200, stored.sha256)
    assert answer(f"{served.where}/{path[:-4]}beef")[0] == 404


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_damaged_bytes_are_never_given_whole(served: Served, page: Page, size: int) -> None:
    run_id, token = served.operator.running()
    data = bytes(size)
    stored = ArtifactStore(served.home / "artifacts").put_bytes(f"{size}.bin", "query", data, "application/x-ours")
    served.operator.executor.register_artifact(run_id, token, None, stored)
    page.goto(f"{served.where}/run?id={run_id}")
    path = str(page.get_by_role("link", name=f"{size}.bin").get_attribute("href"))
    where = f"{served.where}/{path}"
    assert answer(where)[:2] == (200, data.decode())
    file = Path(stored.uri.removeprefix("file://"))
    file.write_bytes(b"x" + data[1:])
    if size < 1_000_000:
        status, body, _ = answer(where)
        assert (status, "STORAGE_FAILED" in body) == (503, True)
    else:
        with pytest.raises(Exception, match="IncompleteRead"):
            answer(where)
    file.unlink()
    assert answer(where)[0] == 404
