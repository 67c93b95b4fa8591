"""A run reads another project's table where it is shared with its own, and nothing of it where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import pytest
from deltalake import DeltaTable

from ops.database import connect
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from pipelines.spec_source import parse
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

THEIRS = "default/other:gold.revenue"


@pytest.fixture
def other(world: World) -> World:
    """Another project in the same installation, with a table of its own."""
    with connect(world.url, autocommit=True) as owner:
        project = Rpc(owner).ensure_project("default", "other")
    seed = world.home / "lake" / "default" / "other" / "dev" / "bronze" / "seed"
    pl.DataFrame({"id": [1, 2, 3]}).write_delta(str(seed))
    theirs = replace(world, project_id=project)
    world.start_executor()
    theirs.submit(pipeline(phase("revenue", "sleep"), name="theirs"), {"seconds": 0})
    theirs.wait_until_finished(1)
    return theirs


def report(world: World, pins: Mapping[str, object] | None = None) -> str:
    """Runs a pipeline that reads the other's table; the outcome, or the error's code."""
    spec = pipeline(phase("copy", "sleep", inputs={"seed": THEIRS}), name="report")
    before = len(world.rows("select 1 from ops.runs"))
    run = world.submit(spec, {"seconds": 0}, max_attempts=1, input_manifest=pins)
    world.wait_until_finished(before + 1)
    [(status, code, message)] = world.rows("select status, error_code, error_message from ops.runs where id = %s", run)
    assert code in (None, "NOT_ALLOWED"), message
    return str(code or status)


def test_what_is_not_shared_is_not_read_not_even_where_it_is_pinned(world: World, other: World) -> None:
    assert report(world) == "NOT_ALLOWED"
    assert report(world, {"tables": {THEIRS: 0}}) == "NOT_ALLOWED"
    assert not (world.home / "lake/default/faults/dev/gold/copy").exists()


def test_what_is_shared_is_read_and_stands_in_the_lineage(world: World, other: World) -> None:
    with connect(world.url, autocommit=True) as owner:
        tenancy = Tenancy(owner)
        dataset = tenancy.dataset_id("default", "other", "dev", "gold.revenue")
        tenancy.share_dataset(dataset, world.project_id)
        assert report(world) == "succeeded"
        made = DeltaTable(str(world.home / "lake/default/faults/dev/gold/copy"))
        assert pl.read_delta(made)["id"].sort().to_list() == [1, 2, 3]
        assert world.rows("select input_table from ops.lineage_edges where project_id = %s", world.project_id) == [
            (THEIRS,)
        ]
        tenancy.unshare_dataset(dataset, world.project_id)
    assert report(world) == "NOT_ALLOWED"


@pytest.mark.parametrize(
    "fault",
    [
        phase("x", "sleep", output={"table": THEIRS, "mode": "replace"}),
        {"name": "x", "kind": "publish", "table": THEIRS, "to": {"artifact": {}}},
        {"name": "x", "kind": "validate", "table": THEIRS, "expect": [{"rows": {"min": 1}}]},
        phase("x", "sleep", inputs={"seed": "default/../other:gold.revenue"}),
        phase("x", "sleep", inputs={"seed": "other:gold.revenue"}),
        phase("x", "sleep", inputs={"seed": "default/other:gold/../../x"}),
    ],
)
def test_anothers_table_is_neither_written_nor_published_nor_reached_by_a_path(fault: dict[str, object]) -> None:
    import json

    from ops.errors import SpecInvalid

    with pytest.raises(SpecInvalid):
        parse(json.dumps({"version": 1, "pipeline": "p", "owner": "@x", "phases": [fault]}))
