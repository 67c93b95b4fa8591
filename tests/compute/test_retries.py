"""A retry goes on where the run before it stopped: what that one left counts as its own, and nothing happens twice."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from compute.verify import VerifyReport, verify_run
from ops.database import connect
from ops.errors import IllegalTransition
from ops.model import RunId
from ops.rpc import Rpc
from ops.settings import Settings
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

DONE_AT_ONCE = (
    phase("one", "sleep"),
    {"name": "check", "kind": "validate", "table": "gold.one", "on_fail": "warn", "expect": [{"rows": {"min": 99}}]},
    {"name": "ask", "kind": "query", "depends_on": ["check"], "inputs": {"t": "gold.one"}, "sql": "select id from t"},
    {"name": "show", "kind": "publish", "table": "gold.one", "to": {"artifact": {}}},
)
# Fails in the run and in its first retry.
LAST = phase("last", "stumble", depends_on=["ask", "show"])


def retried(world: World, run: RunId) -> RunId:
    with connect(world.url, autocommit=True) as connection:
        return Rpc(connection).retry_run(run)


def third_time_lucky(world: World, tries: Path, *phases: Mapping[str, object]) -> list[RunId]:
    """A run that fails, its retry that fails as well, and the one that succeeds."""
    world.start_executor()
    runs = [world.submit(pipeline(*phases), {"seconds": 0, "tries": str(tries)}, max_attempts=1)]
    for number in range(3):
        if number:
            runs.append(retried(world, runs[-1]))
        world.wait_until_finished(number + 1)
    assert world.rows("select status from ops.runs order by created_at") == [("failed",), ("failed",), ("succeeded",)]
    return runs


def verified(world: World, run: RunId) -> VerifyReport:
    return verify_run(Settings.load(home=world.home, database_url=world.url, project="faults"), run)


def artifacts(world: World, run: RunId) -> list[tuple[object, ...]]:
    """What phases made; what they said is of its own attempt."""
    return world.rows(
        "select phase, name, sha256, uri from ops.run_artifacts "
        "where run_id = %s and name not like 'log.%%' order by 1, 2",
        run,
    )


def test_a_retry_has_everything_that_it_skips(world: World, tmp_path: Path) -> None:
    first, _, last = third_time_lucky(world, tmp_path / "tries", *DONE_AT_ONCE, LAST)
    assert world.rows("select name from ops.run_phases where run_id = %s and status <> 'skipped'", last) == [("last",)]
    [(manifest,)] = world.rows("select output_manifest from ops.runs where id = %s", last)
    assert isinstance(manifest, dict)
    assert manifest["tables"] == {"gold.one": 0, "gold.last": 0}
    assert set(manifest["phases"]) == {"one", "check", "ask", "show", "last"}
    assert world.rows("select value from ops.signals where run_id = %s and signal = 'failed_checks'", last) == [(1.0,)]
    assert {name for name, *_ in artifacts(world, first)} == {"ask", "show"}
    assert artifacts(world, last) == artifacts(world, first)


def test_a_retried_run_verifies_until_a_table_is_gone(world: World, tmp_path: Path) -> None:
    *_, last = third_time_lucky(world, tmp_path / "tries", *DONE_AT_ONCE, LAST)
    report = verified(world, last)
    assert report.ok, report
    [(said,)] = world.rows("select count(*) from ops.run_artifacts where run_id = %s and name like 'log.%%'", last)
    assert isinstance(said, int)
    assert len(report.findings) == 5 + said + len(artifacts(world, last))
    shutil.rmtree(world.home / "lake/default/faults/dev/gold/one")
    bad = {finding.what: finding.seen for finding in verified(world, last).findings if not finding.ok}
    assert set(bad) == {"phase check", "phase ask", "phase show"}
    assert all("gold.one does not exist" in seen for seen in bad.values())


def test_what_a_retried_run_landed_verifies(world: World, odoo_database: str, tmp_path: Path) -> None:
    world.give_secret("odoo_dsn", odoo_database)
    source = {"kind": "postgres", "dsn": "secret://file/odoo_dsn"}
    land = {"name": "land", "kind": "ingest", "source": source, "contract": "odoo", "tables": ["res_partner"]}
    *_, last = third_time_lucky(world, tmp_path / "tries", land, phase("last", "stumble", depends_on=["land"]))
    report = verified(world, last)
    assert report.ok, report
    assert [finding.what for finding in report.findings if "log." not in finding.what] == ["phase land", "phase last"]


def test_a_run_that_succeeded_is_not_retried(world: World) -> None:
    world.start_executor()
    run = world.submit(pipeline(phase("one", "sleep")), {"seconds": 0})
    world.wait_until_finished(1)
    with pytest.raises(
        IllegalTransition, match="succeeded; a retry would have nothing to do, .* `controlroom run submit`"
    ):
        retried(world, run)
