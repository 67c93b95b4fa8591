"""The same definition gives the same fingerprints: again, elsewhere, with other numbers of executors and threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import polars as pl
import pytest

from compute.verify import verify_run
from ops.model import RunId
from ops.settings import Settings
from pipelines.spec import Pipeline
from tests.compute.conftest import calmed
from tests.compute.specs import phase, pipeline
from tests.faults.conftest import _world
from tests.faults.world import World
from tests.postgres import Databases


@pytest.fixture
def elsewhere(databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A second control room with the same seed."""
    with databases.clone(template) as url:
        yield from map(calmed, _world(url, tmp_path_factory.mktemp("elsewhere")))


def crunching() -> Pipeline:
    check = {"name": "check", "kind": "validate", "table": "gold.crunch_0", "expect": [{"rows": {"min": 1}}]}
    ask = {
        "name": "ask", "kind": "query", "depends_on": ["check"], "inputs": {"t": "gold.crunch_0"},
        "sql": "select key, total from t order by key",
    }  # fmt: skip
    return pipeline(*(phase(f"crunch_{n}", "crunch") for n in range(4)), check, ask)


def enlarge(world: World) -> None:
    path = world.home / "lake/default/faults/dev/bronze/seed"
    pl.DataFrame({"id": range(1500)}).write_delta(str(path), mode="overwrite")


def fingerprints(world: World) -> list[tuple[object, ...]]:
    return world.rows(
        "select p.name, p.output_fingerprint, r.output_manifest ->> 'fingerprint' "
        "from ops.run_phases p join ops.runs r on r.id = p.run_id order by r.created_at, p.ordinal"
    )


def test_other_numbers_of_executors_and_threads_give_the_same_fingerprints(world: World, elsewhere: World) -> None:
    for each in (world, elsewhere):
        enlarge(each)
        each.submit(crunching(), {})
    world.start_executor(slots=1, environment={"POLARS_MAX_THREADS": "1"})
    for _ in range(3):
        elsewhere.start_executor(slots=4, environment={"POLARS_MAX_THREADS": "4"})
    world.wait_until_finished(1)
    elsewhere.wait_until_finished(1)
    one, other = fingerprints(world), fingerprints(elsewhere)
    assert len(one) == 6
    assert all(each for row in one for each in row)
    assert one == other


def test_a_run_verifies_until_somebody_touches_what_it_left(world: World) -> None:
    enlarge(world)
    world.start_executor()
    run = world.submit(crunching(), {})
    world.wait_until_finished(1)
    settings = Settings.load(home=world.home, database_url=world.url, project="faults")
    assert verify_run(settings, run).ok
    [(uri,), *_] = world.rows("select uri from ops.run_artifacts where phase = 'ask'")
    damage(Path(unquote(urlparse(str(uri)).path)))
    assert [finding.what.split()[0] for finding in verify_run(settings, run).findings if not finding.ok] == ["artifact"]


def test_an_input_that_was_rewritten_does_not_verify(world: World) -> None:
    enlarge(world)
    world.start_executor()
    run: RunId = world.submit(crunching(), {})
    world.wait_until_finished(1)
    lake = world.home / "lake/default/faults/dev/bronze/seed"
    newest = max(lake.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    pl.DataFrame({"id": range(1, 1501)}).write_parquet(newest)
    settings = Settings.load(home=world.home, database_url=world.url, project="faults")
    report = verify_run(settings, run)
    assert not report.ok
    assert {finding.what for finding in report.findings if not finding.ok} >= {f"phase crunch_{n}" for n in range(4)}


def damage(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
