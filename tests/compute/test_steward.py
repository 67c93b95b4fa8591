"""The steward: one works, another waits; what it finds is given back, scored, called lost."""

from __future__ import annotations

import time

import pytest

from tests.compute.specs import phase, pipeline
from tests.faults.world import LEASE_SECONDS, World, end


@pytest.fixture
def world(world_of_faults: World) -> World:
    """With the short lease: here executors are killed and what they owned is waited for."""
    return world_of_faults


ELECTED = "select count(*) from pg_stat_activity a join pg_locks l using (pid) where a.application_name = 'steward' and a.datname = current_database() and l.locktype = 'advisory' and l.granted"  # noqa: E501


def wait_for(world: World, query: str, wanted: object, seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while (seen := world.rows(query)) != [(wanted,)]:
        assert time.monotonic() < until, f"{seen} and not {wanted}\n{world.log_tail()}"
        time.sleep(0.05)


def test_of_two_stewards_one_works_and_the_other_takes_over(world: World) -> None:
    first = world.start_steward()
    wait_for(world, ELECTED, 1)
    world.start_steward()
    stewards = (
        "select count(*) from pg_stat_activity where application_name = 'steward' and datname = current_database()"
    )
    wait_for(world, stewards, 2)
    assert world.rows(ELECTED) == [(1,)]
    doomed = world.start_executor()
    run = world.submit(pipeline(phase("long", "sleep")), {"seconds": 60})
    world.wait_for_event(run, "PHASE_STARTED", "long")
    end(first)
    end(doomed)
    wait_for(world, "select status from ops.runs", "queued")
    assert world.rows("select lost_leases, attempt from ops.runs") == [(1, 0)]


def test_what_ended_is_scored_and_whoever_is_silent_is_lost(world: World) -> None:
    world.start_steward()
    doomed = world.start_executor()
    world.submit(pipeline(phase("quick", "sleep")), {"seconds": 0})
    world.wait_until_finished(1)
    wait_for(world, "select score::int from ops.run_scores", 100)
    wait_for(world, "select state from ops.executors", "active")
    end(doomed)
    began = time.monotonic()
    wait_for(world, "select state from ops.executors", "lost")
    assert time.monotonic() - began > LEASE_SECONDS


def test_a_run_that_loses_every_executor_ends_instead_of_going_on_for_ever(world: World) -> None:
    world.start_steward()
    run = world.submit(pipeline(phase("long", "sleep")), {"seconds": 60})
    world.rows("update ops.runs set max_lost_leases = 1 returning 1")
    for _ in range(2):
        doomed = world.start_executor()
        wait_for(world, "select status from ops.runs", "running", seconds=30)
        end(doomed)
        wait_for(world, "select status <> 'running' from ops.runs", True)
    wait_for(world, "select error_code from ops.runs", "LEASE_LOST")
    assert world.rows("select ok from ops.verify_event_chain(%s)", run) == [(True,)]
