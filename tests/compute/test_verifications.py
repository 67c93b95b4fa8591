"""A run that verifies another: an executor carries that one out again, aside, and says whether it is the same."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

import polars as pl
import pytest

from compute.verify import verify_run
from ops.database import connect
from ops.model import RunId
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy
from ops.verification import Verifications
from pipelines import kinds
from pipelines.spec import Pipeline
from tests.compute.specs import phase, pipeline
from tests.faults import leaky
from tests.faults.world import ROOT, World

CHAIN = (
    phase("one", "sleep"),
    phase("two", "sleep", inputs={"seed": "gold.one"}),
    {"name": "check", "kind": "validate", "table": "gold.two", "expect": [{"rows": {"min": 1}}]},
    {"name": "show", "kind": "publish", "table": "gold.one", "to": {"artifact": {}}},
)


@contextmanager
def asking(world: World) -> Iterator[Verifications]:
    with connect(world.url, autocommit=True) as connection:
        yield Verifications(connection)


def ran(world: World, spec: Pipeline) -> RunId:
    before = len(world.rows("select 1 from ops.runs"))
    run = world.submit(spec, {"seconds": 0}, max_attempts=1)
    world.wait_until_finished(before + 1)
    return run


def verified(world: World, run: RunId) -> RunId:
    """The verification of a run, ended."""
    before = len(world.rows("select 1 from ops.runs"))
    with asking(world) as verifications:
        made = verifications.verify(run)
    world.wait_until_finished(before + 1)
    return made


def outcome(world: World, run: RunId) -> tuple[object, ...]:
    [found] = world.rows(
        "select status, error_code, error_message, error_data, attempt from ops.runs where id = %s", run
    )
    return found


def left(world: World) -> list[tuple[object, ...]]:
    """What readers have, and what is in the lake."""
    files = sorted(str(path) for path in (world.home / "lake").rglob("*") if path.is_file())
    return [
        *world.rows("select dataset_id, version, run_id from ops.dataset_versions order by 1, 2"),
        *[(f,) for f in files],
    ]


def test_what_is_the_same_again_succeeds_and_changes_nothing(world: World) -> None:
    world.start_executor()
    run = ran(world, pipeline(*CHAIN))
    before = left(world)
    made = verified(world, run)
    assert outcome(world, made)[:2] == ("succeeded", None)
    assert left(world) == before
    [(metrics, kind)] = world.rows("select metrics -> 'verification', kind from ops.run_phases where run_id = %s", made)
    assert isinstance(metrics, dict)
    assert (kind, metrics["run"], metrics["compared"]) == ("verify", str(run), len(metrics["findings"]))
    assert [one["what"] for one in metrics["findings"][:4]] == [
        f"phase {name}" for name in ("one", "two", "check", "show")
    ]
    assert all(one["ok"] and one["expected"] == one["seen"] for one in metrics["findings"])
    [(uri,)] = world.rows("select uri from ops.run_artifacts where run_id = %s and kind = 'findings'", made)
    assert json.loads(Path(unquote(urlparse(str(uri)).path)).read_text()) == metrics["findings"]


def test_what_differs_fails_at_once_with_what_it_is(world: World) -> None:
    world.start_executor()
    run = ran(world, pipeline(phase("one", "chance"), *CHAIN[1:]))
    status, code, message, data, attempt = outcome(world, verified(world, run))
    assert (status, code, attempt) == ("failed", "NOT_REPRODUCED", 1)
    assert isinstance(data, dict)
    # The next phase reads again what this one left then.
    assert [one["what"] for one in data["findings"]] == ["phase one"]
    assert f"1 of {data['compared']} comparisons of run {run} differ: phase one gave v1:blake3:" in str(message)


def test_a_run_that_reads_what_is_not_shared_any_more_is_not_carried_out_again(world: World) -> None:
    with connect(world.url, autocommit=True) as owner:
        other = Rpc(owner).ensure_project("default", "other")
        tenancy = Tenancy(owner)
        world.start_executor()
        seed = world.home / "lake/default/other/dev/bronze/seed"
        pl.DataFrame({"id": [1, 2, 3]}).write_delta(str(seed))
        mine, world.project_id = world.project_id, other
        ran(world, pipeline(phase("revenue", "sleep"), name="theirs"))
        world.project_id = mine
        dataset = tenancy.dataset_id("default", "other", "dev", "gold.revenue")
        tenancy.share_dataset(dataset, mine)
        run = ran(world, pipeline(phase("copy", "sleep", inputs={"seed": "default/other:gold.revenue"}), name="report"))
        assert outcome(world, verified(world, run))[0] == "succeeded"
        tenancy.unshare_dataset(dataset, mine)
    assert outcome(world, verified(world, run))[:2] == ("failed", "NOT_ALLOWED")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A third party's handler, for this test alone: which handlers there are is read once a process."""
    monkeypatch.syspath_prepend(str(leaky.PLUGIN))
    kinds.third_party.cache_clear()
    yield
    kinds.third_party.cache_clear()


def test_what_a_third_partys_kind_does_is_not_done_again(world: World, installed: None) -> None:
    world.environment["PYTHONPATH"] = os.pathsep.join([str(leaky.PLUGIN), str(ROOT)])
    world.give_secret("print", "nothing")
    world.start_executor()
    spec = {"name": "tell", "kind": "leaky", "with": {"way": "print", "secret": "secret://file/print"}}
    run = ran(world, pipeline(spec, phase("one", "sleep", depends_on=["tell"])))
    report = verify_run(Settings.load(home=world.home, database_url=world.url, project="faults"), run)
    said = {one.what: one.seen for one in report.findings}
    assert report.ok
    assert said["phase tell"] == "what else kind leaky does cannot be kept aside: not carried out again"
    assert said["phase one"].startswith("v1:blake3:")
    assert outcome(world, verified(world, run))[0] == "succeeded"
