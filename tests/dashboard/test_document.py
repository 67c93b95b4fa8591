"""What a browser gets before it gets a page: a document that knows where the server is, and specs that are read once."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from dashboard.data.specs import spec_of
from dashboard.navigation import PLACES
from ops.errors import NotFound
from tests.dashboard.conftest import Served, Watched

SPEC = """
version: 1
pipeline: {name}
owner: "@data"
phases:
  - {{name: one, kind: query, sql: "select 1 as one"}}
"""


def test_every_address_is_answered_with_the_document_and_the_second_time_with_nothing(served: Served) -> None:
    with httpx.Client(base_url=served.where) as client:
        for place in PLACES:
            answer = client.get(f"/{place.address}")
            assert answer.status_code == 200
            assert answer.text.index("window.__streamlit") < answer.text.index('type="module"')
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            again = client.get(f"/{place.address}", headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


def test_a_deep_link_connects_at_once_and_moves_within_its_own_addresses(watched: Watched, served: Served) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(served.where)))
    page.on("websocket", lambda socket: asked.append(socket.url.partition("//")[2].partition("/")[2]))
    page.goto(f"{served.where}/fleet")
    page.get_by_role("heading", name="Fleet").wait_for()
    assert "_stcore/stream" in asked
    # What Streamlit's own document makes a browser do first: it is refused, and asks again.
    assert [each for each in asked if each.startswith("/fleet/")] == []
    page.get_by_role("link", name="Data", exact=True).first.click()
    page.get_by_role("heading", name="Data", exact=True).wait_for()
    assert page.url == f"{served.where}/data"


def test_a_spec_is_as_its_file_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "pipelines" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(SPEC.format(name="mine"))
    first = spec_of("mine")
    assert spec_of("mine") is first
    file.write_text(SPEC.format(name="other"))
    os.utime(file, ns=(1, 1))
    assert spec_of("mine").pipeline == "other"
    file.unlink()
    with pytest.raises(NotFound, match="no pipeline is called mine"):
        spec_of("mine")
