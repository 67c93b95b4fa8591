"""A secret for each way in which a handler can let one out, and then a look into everything that is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from ops.database import LOCAL_OPERATOR, connect
from ops.embedded import Cluster
from ops.tenancy import Tenancy
from pipelines import kinds
from pipelines.spec import Pipeline, spec_sha256
from tests.dashboard.conftest import browser, serve
from tests.faults import leaky
from tests.faults.world import ROOT, World

__all__ = ["browser"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def spec(way: str) -> Pipeline:
    phase = {"name": "leak", "kind": "leaky", "with": {"way": way, "secret": f"secret://file/{way}"}}
    return Pipeline.from_json({"version": 1, "pipeline": way, "owner": "@tests", "phases": [phase]})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The leaky handler, for this test alone: which handlers there are is read once a process."""
    monkeypatch.syspath_prepend(str(leaky.PLUGIN))
    kinds.third_party.cache_clear()
    yield
    kinds.third_party.cache_clear()


@pytest.fixture
def planted(world: World, installed: None) -> dict[str, str]:
    """Way → secret; all runs with them have ended."""
    world.environment["PYTHONPATH"] = os.pathsep.join([str(leaky.PLUGIN), str(ROOT)])
    secrets = {way: f"plant-{uuid.uuid4().hex}" for way in leaky.WAYS}
    for way, secret in secrets.items():
        world.give_secret(way, secret)
    world.start_executor(slots=2)
    for way in secrets:
        assert len(spec_sha256(spec(way))) == 64
        world.submit(spec(way), {}, max_attempts=1)
    world.wait_until_finished(len(secrets))
    return secrets


def test_no_planted_secret_is_left_anywhere(
    world: World, planted: dict[str, str], cluster: Cluster, browser: Browser
) -> None:
    assert len(planted) >= 20
    outcomes = {str(way): status for way, status in world.rows("select pipeline, status from ops.runs")}
    refused = {"raises", "raises_from", "raises_ours", "connects", "connects_by_words", "sql", "bytes", "file"}
    assert {way for way, status in outcomes.items() if status == "failed"} == refused
    places = {
        "the database": in_the_database(world),
        "the logs": "".join(path.read_text(errors="replace") for path in world.home.glob("*.log")),
        "the artifacts": in_files(world.home / "artifacts"),
        "the lake": in_files(world.home / "lake"),
        "the command line": shown(world),
        "the page": on_the_page(world, cluster, browser),
    }
    assert all("leak" in places[place] for place in ("the database", "the command line", "the page"))
    assert all("***" in places[place] for place in ("the logs", "the page"))
    found = [(way, place) for way, secret in planted.items() for place, text in places.items() if secret in text]
    assert found == []


def in_the_database(world: World) -> str:
    with psycopg.connect(world.url) as connection:
        tables = connection.execute(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname in ('ops', 'private') and c.relkind in ('r', 'p')"
        ).fetchall()
        rows = [connection.execute(f"select t::text from {table} t".encode()).fetchall() for (table,) in tables]
    return str(rows)


def in_files(folder: Path) -> str:
    return "".join(path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file())


def shown(world: World) -> str:
    """What the command line says of each run, on both streams."""
    said = ""
    for (run_id,) in world.rows("select id from ops.runs"):
        answer = subprocess.run(
            [sys.executable, "-m", "controlroom", "run", "show", str(run_id), "--json"],
            env={**os.environ, **world.environment}, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT,
        )  # fmt: skip
        said += answer.stdout + answer.stderr
    return said


def on_the_page(world: World, cluster: Cluster, browser: Browser) -> str:
    """What the page holds of the list of runs and of each run, with all that can be opened there opened."""
    with connect(world.url, autocommit=True) as owner:
        Tenancy(owner).set_member("default", "faults", LOCAL_OPERATOR, "admin")
    said = ""
    for served in serve(cluster, world.url, world.home):
        page = browser.new_page()
        page.goto(f"{served.where}/?project=faults")
        page.get_by_text("raises_ours").first.wait_for()
        said += page.content()
        for run_id, pipeline in world.rows("select id, pipeline from ops.runs"):
            page.goto(f"{served.where}/run?id={run_id}")
            page.get_by_text("leak", exact=True).first.wait_for()
            expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0)
            for closed in page.locator("[data-testid=stExpander] summary").all():
                closed.click()
            seen = page.content()
            assert str(pipeline) in seen
            said += seen
        page.close()
    return said
