"""What a run wrote is what readers get when the run has succeeded, and not before."""

from __future__ import annotations

from typing import cast

import polars as pl

from pipelines.spec import Pipeline
from tests.compute.specs import phase, pipeline
from tests.controlroom.terminal import Terminal
from tests.faults.world import World


def mart(rows: int, name: str = "marts") -> Pipeline:
    """Writes ``gold.mart`` and then wants it to have that many rows (the seed's 10 come through)."""
    check = {"name": "check", "kind": "validate", "table": "gold.mart", "expect": [{"rows": {"min": rows}}]}
    return pipeline(phase("mart", "sleep"), check, name=name)


def outcome(world: World, spec: Pipeline) -> tuple[object, ...]:
    before = len(world.rows("select 1 from ops.runs"))
    run = world.submit(spec, {"seconds": 0}, max_attempts=1)
    world.wait_until_finished(before + 1)
    [ended] = world.rows("select status, error_code from ops.runs where id = %s", run)
    return ended


def read_by_another(world: World) -> tuple[object, ...]:
    return outcome(world, pipeline(phase("copy", "sleep", inputs={"seed": "gold.mart"}), name="reader"))


def released(world: World) -> list[tuple[object, ...]]:
    return world.rows("select version from ops.datasets where layer || '.' || name = 'gold.mart'")


def test_a_failed_check_keeps_what_it_checked_from_every_reader(world: World) -> None:
    world.start_executor()
    assert outcome(world, mart(1_000_000)) == ("failed", "CHECK_FAILED")
    assert (world.delta_commits("gold.mart"), released(world)) == (1, [(None,)])
    assert read_by_another(world) == ("failed", "NOT_FOUND")
    assert outcome(world, mart(1)) == ("succeeded", None)
    assert released(world) == [(1,)]
    assert read_by_another(world) == ("succeeded", None)
    assert outcome(world, mart(1_000_000)) == ("failed", "CHECK_FAILED")
    assert (world.delta_commits("gold.mart"), released(world)) == (3, [(1,)])
    assert read_by_another(world) == ("succeeded", None)
    [(manifest,)] = world.rows(
        "select input_manifest from ops.runs where pipeline = 'reader' order by created_at desc limit 1"
    )
    assert isinstance(manifest, dict)
    assert manifest["tables"] == {"gold.mart": 1}


def test_what_no_run_wrote_is_read_at_its_newest(world: World) -> None:
    world.start_executor()
    path = world.home / "lake/default/faults/dev/bronze/seed"
    version = len(list((path / "_delta_log").glob("*.json"))) - 1
    pl.read_delta(str(path)).write_delta(str(path), mode="overwrite")
    assert outcome(world, mart(1)) == ("succeeded", None)
    [(manifest,)] = world.rows("select input_manifest from ops.runs")
    assert isinstance(manifest, dict)
    assert manifest["tables"] == {"bronze.seed": version + 1}


def test_a_commit_that_postgres_does_not_know_is_nobodys_to_read(world: World) -> None:
    """As an owner leaves it that was cut off between the log entry and its record, and whose run then ended."""
    world.start_executor()
    assert outcome(world, mart(1)) == ("succeeded", None)
    for table in ("lineage_edges", "dataset_versions", "column_maps", "datasets"):
        world.change(f"delete from ops.{table}")
    assert read_by_another(world) == ("failed", "NOT_FOUND")
    checked = Terminal(world.home, world.url, {"CONTROLROOM_PROJECT": "faults"})("dataset", "check", "--json")
    assert (checked.code, checked.json()) == (0, []), "a table that nobody knows is not looked at"
    assert outcome(world, mart(1)) == ("succeeded", None)
    checked = Terminal(world.home, world.url, {"CONTROLROOM_PROJECT": "faults"})("dataset", "check", "--json")
    assert checked.code == 1
    [left] = cast(list[dict[str, object]], checked.json())
    assert (left["table"], left["version"], left["phase"]) == ("gold.mart", 0, "mart")
