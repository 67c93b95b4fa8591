"""A year of daily partitions while stewards, executors and Postgres itself are killed: each partition exactly once."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from ops import embedded
from ops.backfills import Backfills
from ops.database import connect
from ops.embedded import Cluster
from ops.rpc import Rpc
from pipelines.spec import spec_sha256
from pipelines.spec_source import parse
from tests.faults.invariants import SEED_ROWS
from tests.faults.world import World, end

DAYS, PARALLEL, CAP = 365, 8, 5
# Rows are appended: a partition that was done twice has them twice.
DAILY = parse(json.dumps({
    "version": 1, "pipeline": "daily", "owner": "@tests", "max_attempts": 50,
    "params": {"day": {"type": "date"}},
    "partition": {"param": "day", "step": "day"},
    "phases": [{
        "name": "effect", "kind": "transform", "inputs": {"seed": "bronze.seed"}, "python": "tests.faults.effects:of_day",
        "output": {"table": "gold.effect", "mode": "append"},
    }],
}))  # fmt: skip


# What was charged at once, seen in each claim itself, under the lock in which it is made.
WITNESS = """
create table public.charged (runs bigint);
create function public.witness() returns trigger language plpgsql as $$
begin
  insert into public.charged select count(*) from ops.cap_usage u where u.run_id is not null and u.released_at is null;
  return null;
end $$;
create trigger witness after insert on ops.cap_usage for each statement execute function public.witness();
"""


def most_at_once(spans: Iterable[tuple[object, ...]]) -> int:
    """How many of the spans (begin, end) were open at a time. What ends makes room for what begins in the same moment."""
    ordered = sorted((at, step) for begin, close in spans for at, step in ((begin, 1), (close, -1)))
    most = now = 0
    for _, step in ordered:
        now += step
        most = max(most, now)
    return most


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_year_of_partitions_outlives_everybody(world_of_its_own: World, own_cluster: Cluster) -> None:
    world = world_of_its_own
    chance = random.Random(int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 30))
    with connect(world.url, autocommit=True) as connection:
        Rpc(connection).register_pipeline(
            world.project_id, "daily", DAILY.to_json(), spec_sha256(DAILY), "0" * 40
        )  # fmt: skip
        connection.execute(
            "insert into ops.caps (key, org_id, project_id, amount, period) "
            "select 'five', org_id, id, %s, 'concurrent' from ops.projects where id = %s", [CAP, world.project_id],
        )  # fmt: skip
        connection.execute(WITNESS)
        plan = Backfills(connection).start(
            world.project_id, "dev",
            {"pipeline": "daily", "from": "2025-01-01", "to": "2025-12-31", "max_parallel": PARALLEL},
        )  # fmt: skip
    assert (plan.partitions, plan.estimate.parallel) == (DAYS, CAP)
    done = "select count(*) filter (where state = 'succeeded')::int from ops.backfill_chunks"

    def begin() -> None:
        world.start_steward()
        for _ in range(2):
            world.start_executor(slots=3)

    begin()
    killed_at: list[object] = []
    # Each time a part of the year is done: then everybody dies, Postgres last, in the middle of what it did.
    for share in (0.1, 0.4, 0.75):
        wait_for(world, done, DAYS * share)
        time.sleep(chance.uniform(0.0, 0.5))
        for process in world.executors:
            end(process)
        own_cluster.stop("immediate")
        embedded.ensure(own_cluster.home)
        killed_at += [count for (count,) in world.rows(done)]
        begin()
    wait_for(world, "select count(*)::int from ops.backfills where state <> 'active'", 1)
    assert world.rows("select state, reason from ops.backfills") == [("succeeded", "")], world.log_tail()
    assert all(isinstance(count, int) and 0 < count < DAYS for count in killed_at), (
        f"{killed_at}: nothing was interrupted"
    )

    everyday = {str(date(2025, 1, 1) + timedelta(days=number)) for number in range(DAYS)}
    rows = Counter(world.effects("gold.effect")["name"].to_list())
    assert {day: count for day, count in rows.items() if count != SEED_ROWS} == {}, "rows of a day, 10 wanted"
    assert set(rows) == everyday
    assert world.delta_commits("gold.effect") == DAYS
    chunks = "select count(*), count(distinct first), count(distinct run_id), sum(tries) from ops.backfill_chunks"
    assert world.rows(f"{chunks} where state = 'succeeded'") == [(DAYS, DAYS, DAYS, DAYS)]
    assert world.rows("select status, trigger, count(*) from ops.runs group by 1, 2") == [
        ("succeeded", "backfill", DAYS)
    ]
    [(lost,)] = world.rows("select sum(lost_leases) from ops.runs")
    assert isinstance(lost, int) and lost > 0, "nobody was killed at work"

    assert most_at_once(world.rows("select created_at, finished_at from ops.runs")) <= PARALLEL
    [(charged,)] = world.rows("select max(runs)::int from public.charged")
    assert isinstance(charged, int) and 1 < charged <= CAP
    chains = "select count(*) from ops.runs r cross join lateral ops.verify_event_chain(r.id) as c where not c.ok"
    assert world.rows(chains) == [(0,)]


def wait_for(world: World, query: str, least: float, seconds: float = 300.0) -> None:
    until = time.monotonic() + seconds
    while not (isinstance(seen := world.rows(query)[0][0], int) and seen >= least):
        assert time.monotonic() < until, f"{seen}, {least} wanted\n{world.log_tail()}"
        time.sleep(0.05)
