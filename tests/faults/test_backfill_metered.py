"""A backfill by partition uses a day's rows up, waits, and goes on when the cap is raised, whoever is killed meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ops import embedded
from ops.backfills import Backfills
from ops.database import connect
from ops.embedded import Cluster
from ops.limits import Limits
from ops.rpc import Rpc
from pipelines.spec import spec_sha256
from pipelines.spec_source import parse
from tests.faults.invariants import SEED_ROWS
from tests.faults.test_backfill_killed import wait_for
from tests.faults.world import World, end

FIRST, DAYS, PARALLEL = date(2025, 3, 1), 60, 4
ROWS = 25 * SEED_ROWS
# A day that ends in the middle of the test would give it another.
PERIOD = "day" if datetime.now(UTC).hour < 23 else "month"
DAILY = parse(json.dumps({
    "version": 1, "pipeline": "daily", "owner": "@tests", "max_attempts": 50,
    "params": {"day": {"type": "date"}},
    "partition": {"param": "day", "step": "day"},
    "phases": [{
        "name": "effect", "kind": "transform", "inputs": {"seed": "bronze.seed"}, "python": "tests.faults.effects:in_day",
        "output": {"table": "gold.effect", "mode": "partition", "by": "day"},
    }],
}))  # fmt: skip
DONE = "select count(*) filter (where state = 'succeeded')::int from ops.backfill_chunks"
USED = "select used from private.cap_windows"


def begin(world: World) -> None:
    world.start_steward()
    for _ in range(2):
        world.start_executor(slots=2)


def kill_everybody(world: World, cluster: Cluster) -> None:
    for process in world.executors:
        end(process)
    cluster.stop("immediate")
    embedded.ensure(cluster.home)
    begin(world)


def set_cap(world: World, rows: int) -> None:
    with connect(world.url, autocommit=True) as connection:
        Limits(connection).set_cap("default", "faults", "rows", "rows", Decimal(rows), PERIOD)


def assert_it_waits(world: World) -> None:
    """Not by looking once: the steward goes three rounds meanwhile."""
    runs = world.rows("select count(*) from ops.runs")
    for _ in range(3):
        [(before,)] = world.rows("select count(*) from private.steward_pulse")
        [(at,)] = world.rows("select coalesce(max(at), now()) from private.steward_pulse")
        assert before in (0, 1)
        wait_for(world, f"select count(*)::int from private.steward_pulse where at > '{at}'", 1)
    assert world.rows("select count(*) from ops.runs") == runs
    assert world.rows("select state from ops.backfills") == [("active",)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cap_that_is_used_up_midway_holds_and_lets_go(world_of_its_own: World, own_cluster: Cluster) -> None:
    world = world_of_its_own
    set_cap(world, ROWS)
    with connect(world.url, autocommit=True) as connection:
        Rpc(connection).register_pipeline(world.project_id, "daily", DAILY.to_json(), spec_sha256(DAILY), "0" * 40)
        last = FIRST + timedelta(days=DAYS - 1)
        Backfills(connection).start(
            world.project_id, "dev",
            {"pipeline": "daily", "from": str(FIRST), "to": str(last), "max_parallel": PARALLEL},
        )  # fmt: skip
    begin(world)
    wait_for(world, DONE, 8)
    kill_everybody(world, own_cluster)
    wait_for(world, "select count(*)::int from ops.cap_report() where used >= amount", 1)
    wait_for(world, "select (count(*) = 0)::int from ops.runs where status in ('queued', 'claimed', 'running')", 1)
    # What was at work when it was used up may have committed, once each.
    [(used,)] = world.rows(USED)
    assert ROWS <= Decimal(str(used)) <= ROWS + PARALLEL * SEED_ROWS
    [(done,)] = world.rows(DONE)
    assert isinstance(done, int)
    assert 0 < done < DAYS, "there is nothing left to wait with"
    assert_it_waits(world)
    kill_everybody(world, own_cluster)
    assert_it_waits(world)
    assert world.rows(USED) == [(used,)]

    set_cap(world, 1000 * ROWS)
    wait_for(world, DONE, done + 8)
    kill_everybody(world, own_cluster)
    wait_for(world, "select count(*)::int from ops.backfills where state <> 'active'", 1)
    assert world.rows("select state, reason from ops.backfills") == [("succeeded", "")], world.log_tail()
    days = Counter(world.effects("gold.effect")["day"].to_list())
    assert days == {FIRST + timedelta(days=number): SEED_ROWS for number in range(DAYS)}
    chunks = "select count(*), count(distinct first) from ops.backfill_chunks where state = 'succeeded'"
    assert world.rows(chunks) == [(DAYS, DAYS)]
    # Each partition was written once, and charged once.
    assert world.delta_commits("gold.effect") == DAYS
    assert world.rows(USED) == [(DAYS * SEED_ROWS,)]
