"""A backfill on real executors beside the live feed: SQL that reads the run's day, written by partition."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta

import polars as pl

from ops.backfills import Backfills
from ops.database import connect
from ops.rpc import Rpc
from pipelines.spec import Pipeline, spec_sha256
from pipelines.spec_source import parse
from tests.faults.world import World

DAYS = 12
FIRST = date(2026, 2, 20)


def spec() -> Pipeline:
    return parse(json.dumps({
        "version": 1, "pipeline": "daily", "owner": "@tests",
        "params": {"first": {"type": "date"}, "until": {"type": "date"}},
        "partition": {"param": "first", "until": "until", "step": "day"},
        "phases": [{
            "name": "daily", "kind": "transform", "inputs": {"orders": "bronze.orders"},
            "sql": "select day, sum(amount) as amount from orders join params "
                   "on orders.day >= cast(params.first as date) and orders.day < cast(params.until as date) group by day",
            "output": {"table": "gold.daily", "mode": "partition", "by": "day"},
        }],
    }))  # fmt: skip


def orders(world: World, amount: int) -> None:
    path = world.home / "lake/default/faults/dev/bronze/orders"
    path.mkdir(parents=True, exist_ok=True)
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    pl.DataFrame({"day": days * 2, "amount": [amount] * (2 * DAYS)}).write_delta(str(path), mode="overwrite")


def daily(world: World) -> dict[date, int]:
    return dict(world.effects("gold.daily").sort("day").rows())


def carried_out(world: World, **more: object) -> None:
    with connect(world.url, autocommit=True) as connection:
        backfills = Backfills(connection)
        made = backfills.start(
            world.project_id, "dev",
            {"pipeline": "daily", "from": str(FIRST), "to": str(FIRST + timedelta(days=DAYS - 1)), **more},
        ).id  # fmt: skip
        until = time.monotonic() + 120
        while (row := backfills.backfills(backfill_id=made)[0]).state == "active":
            assert time.monotonic() < until, world.log_tail()
            time.sleep(0.05)
        assert (row.state, row.reason) == ("succeeded", ""), backfills.chunks(row.id)


def test_a_backfill_repeated_replaces_its_partitions_and_leaves_others(world: World) -> None:
    orders(world, 1)
    with connect(world.url, autocommit=True) as connection:
        made = spec()
        Rpc(connection).register_pipeline(world.project_id, "daily", made.to_json(), spec_sha256(made), "0" * 40)
    world.start_steward()
    world.start_executor(slots=2)
    carried_out(world, chunk_size=5, max_parallel=2)
    everyday = {FIRST + timedelta(days=number): 2 for number in range(DAYS)}
    assert daily(world) == everyday
    orders(world, 5)
    some = {"from": None, "to": None, "values": [str(FIRST), str(FIRST + timedelta(days=1)), "2026-03-01"]}
    carried_out(world, chunk_size=5, max_parallel=2, **some)
    again = {FIRST: 10, FIRST + timedelta(days=1): 10, date(2026, 3, 1): 10}
    assert daily(world) == everyday | again
    parts = world.rows("select first, until, partitions from ops.backfill_chunks order by backfill_id, chunk")
    assert parts == [
        ("2026-02-20", "2026-02-25", 5), ("2026-02-25", "2026-03-02", 5), ("2026-03-02", "2026-03-04", 2),
        ("2026-02-20", "2026-02-22", 2), ("2026-03-01", "2026-03-02", 1),
    ]  # fmt: skip
    # By hand as well, and what is no whole partition is refused there.
    world.submit(made, {"first": "2026-03-03", "until": "2026-03-03"}, max_attempts=1)
    world.wait_until_finished(6)
    [(code, message)] = world.rows("select error_code, error_message from ops.runs where status = 'failed'")
    assert (code, "until 2026-03-03 is not after first 2026-03-03" in str(message)) == ("BAD_INPUT", True)
    modes = world.rows("select distinct mode from ops.dataset_versions")
    assert modes == [("partition",)]
