"""Stewards are processes that die by kill -9 while schedules are due and runs end: no tick is lost, none fires twice."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import psycopg
import pytest

from ops.rpc import Rpc
from ops.schedules import Schedules
from pipelines.spec import spec_sha256
from tests.compute.clockwork import Clockwork
from tests.compute.specs import phase, pipeline
from tests.faults.world import World, end

ELECTED = """
select a.pid from pg_stat_activity a join pg_locks l using (pid)
where a.application_name = 'steward' and a.datname = current_database() and l.locktype = 'advisory' and l.granted
"""


def wait_until(world: World, query: str, wanted: Sequence[tuple[object, ...]], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while (seen := world.rows(query)) != list(wanted):
        assert time.monotonic() < until, f"{seen} and not {wanted}\n{world.log_tail()}"
        time.sleep(0.05)


def elected(world: World, other_than: object = None, seconds: float = 60.0) -> object:
    """The backend of the steward that works, once there is one."""
    until = time.monotonic() + seconds
    while True:
        found = [pid for (pid,) in world.rows(ELECTED) if pid != other_than]
        if found:
            return found[0]
        assert time.monotonic() < until, world.log_tail()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_ticks_outlive_their_stewards(world: World) -> None:
    """Every minute of five hours past: each schedule has three hundred ticks to make up for, and they are killed meanwhile."""
    chance = random.Random(9)
    with psycopg.connect(world.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection)
        project_id = clockwork.project_id
        stewards = [world.start_steward() for _ in range(2)]
        elected(world)
        since = connection.execute("select date_trunc('minute', clock_timestamp()) - interval '300 min'").fetchone()
        assert since is not None and isinstance(since[0], datetime)
        schedules = [
            clockwork.schedules.put(
                project_id, "dev", f"s{number}",
                {"pipeline": "demo", "kind": "cron", "cron": "* * * * *", "misfire": "run_all", "catch_up_limit": 10_000},
            )
            for number in range(12)
        ]  # fmt: skip
        after = clockwork.schedules.put(
            project_id, "dev", "then", {"pipeline": "demo", "kind": "after_pipeline", "after_pipeline": "other"}
        )
        for number, schedule_id in enumerate(schedules):
            connection.execute(
                "update ops.schedules set anchored_at = %s, next_at = null, due_at = null, revision = revision + 1 "
                "where id = %s",
                [since[0], schedule_id],
            )
            # Killed while it works: what it had not committed is done by the other.
            time.sleep(chance.uniform(0, 0.4))
            if number % 2:
                victim = stewards.pop(0)
                end(victim)
                stewards.append(world.start_steward())
        elected(world)
        late = "select count(*) from ops.schedules where kind = 'cron' and coalesce(due_at, '-infinity') < now()"
        wait_until(world, late, [(0,)])
        for schedule_id in schedules:
            fired = clockwork.fired(schedule_id)
            assert len(fired) >= 300
            expected = [since[0] + (at + 1) * (fired[1] - fired[0]) for at in range(len(fired))]
            assert fired == expected, "each minute once, from the first on"
        runs = connection.execute("select count(*) from ops.schedule_ticks where outcome = 'fired'").fetchone()
        assert connection.execute("select count(*) from ops.runs").fetchone() == runs
        assert Schedules(connection).ticks(after) == []


@pytest.mark.slow
def test_a_dead_steward_is_replaced_within_seconds(world: World) -> None:
    stewards = [world.start_steward()]
    first = elected(world)
    stewards.append(world.start_steward())
    waiting = (
        "select count(*) from pg_stat_activity where application_name = 'steward' and datname = current_database()"
    )
    wait_until(world, waiting, [(2,)])
    began = time.monotonic()
    end(stewards[0])
    elected(world, other_than=first)
    # Its lock ends with its connection and the other asks each second; the rest is a busy machine's.
    took = time.monotonic() - began
    assert took < 10, f"{took:.1f} s"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_runs_end_into_is_started_though_stewards_and_executors_die(world: World) -> None:
    """A chain of three pipelines, each after the one before; executors and stewards are killed in between."""
    names = ("chain_a", "chain_b", "chain_c")
    specs = {name: pipeline(phase(name, "sleep"), name=name) for name in names}
    with psycopg.connect(world.url, autocommit=True) as connection:
        schedules = Schedules(connection)
        for name, spec in specs.items():
            Rpc(connection).register_pipeline(world.project_id, name, spec.to_json(), spec_sha256(spec), "0" * 40)
        for before, name in pairwise(names):
            schedules.put(
                world.project_id, "dev", name, {"pipeline": name, "kind": "after_pipeline", "after_pipeline": before}
            )
        steward, executor = world.start_steward(), world.start_executor(slots=2)
        for number in range(10):
            world.submit(specs["chain_a"], {"seconds": 0.2}, key=f"a{number}")
        done = "select count(*) from ops.runs where status = 'succeeded'"
        # Each time they live a little longer, so that a slow machine gets there too.
        lifetimes = [2.0 * 1.3**number for number in range(11)]
        while world.rows(done) != [(30,)]:
            assert lifetimes, world.log_tail()
            time.sleep(lifetimes.pop(0))
            end(steward)
            end(executor)
            steward, executor = world.start_steward(), world.start_executor(slots=2)
        assert len(lifetimes) < 10, "they were killed more than once"
        counted = "select pipeline, count(*), count(distinct idempotency_key) from ops.runs group by 1 order by 1"
        assert world.rows(counted) == [(name, 10, 10) for name in names]
