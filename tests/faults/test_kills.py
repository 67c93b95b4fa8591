"""kill -9 of an executor in each phase, a database that restarts, executors that race: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from ops import embedded
from ops.embedded import Cluster
from ops.model import RunId
from pipelines.spec import Pipeline
from tests.faults.invariants import assert_every_run_succeeded, assert_exactly_once, assert_histories_are_whole
from tests.faults.world import World, end

PHASES = ("effect", "check", "export", "count")


def assert_nothing_lost_nothing_doubled(world: World, runs: int) -> None:
    assert_every_run_succeeded(world, runs)
    assert_exactly_once(world)
    assert_histories_are_whole(world)


@pytest.mark.parametrize("phase", PHASES)
def test_an_executor_killed_in_a_phase_loses_nothing(world: World, fault_run: Pipeline, phase: str) -> None:
    world.start_steward()
    run = world.submit(fault_run, {"name": "only", "seconds": 0.3})
    doomed = world.start_executor()
    world.wait_for_event(run, "PHASE_STARTED", phase)
    end(doomed)
    assert world.rows("select status from ops.runs") == [("running",)], "it was to be killed while it owned the run"
    world.start_executor()
    world.wait_until_finished(1)
    assert_nothing_lost_nothing_doubled(world, 1)
    lost = world.rows("select lost_leases, attempt from ops.runs")
    assert lost == [(1, 1)], "a lost lease is no failed attempt"


def test_phases_that_succeeded_are_not_done_again(world: World, fault_run: Pipeline) -> None:
    world.start_steward()
    run = world.submit(fault_run, {"name": "only", "seconds": 0.0})
    doomed = world.start_executor()
    world.wait_for_event(run, "PHASE_SUCCEEDED", "effect")
    end(doomed)
    world.start_executor()
    world.wait_until_finished(1)
    effect = [event for _, event, phase, _ in world.story(run) if phase == "effect" and "PROGRESS" not in str(event)]
    assert effect == ["PHASE_STARTED", "PHASE_SUCCEEDED", "PHASE_SKIPPED"]
    assert_nothing_lost_nothing_doubled(world, 1)


def test_a_crash_of_postgres_in_the_middle_loses_nothing(
    world_of_its_own: World, own_cluster: Cluster, fault_run: Pipeline
) -> None:
    world = world_of_its_own
    world.start_steward()
    world.start_executor(slots=2)
    runs = [world.submit(fault_run, {"name": f"run-{number}", "seconds": 0.2}) for number in range(6)]
    world.wait_for_event(runs[0], "PHASE_STARTED", "effect")
    own_cluster.stop("immediate")
    embedded.ensure(own_cluster.home)
    world.wait_until_finished(len(runs))
    assert_nothing_lost_nothing_doubled(world, len(runs))


def test_a_drained_executor_gives_back_what_it_owns(world: World, fault_run: Pipeline) -> None:
    run = world.submit(fault_run, {"name": "only", "seconds": 0.5})
    leaving = world.start_executor()
    world.wait_for_event(run, "PHASE_STARTED", "effect")
    leaving.send_signal(signal.SIGTERM)
    assert leaving.wait(timeout=60) == 0
    assert world.rows("select status, attempt, lost_leases from ops.runs") == [("queued", 0, 0)]
    world.start_executor()
    world.wait_until_finished(1)
    assert_nothing_lost_nothing_doubled(world, 1)


def at_work(world: World, executors: list[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    """The executors that own a run now, waited for until there is one."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        owners = world.rows(
            "select e.name from ops.runs r join ops.executors e on e.id = r.executor_id where r.status = 'running'"
        )
        pids = {int(str(name).rpartition("-")[2]) for (name,) in owners}
        if busy := [executor for executor in executors if executor.pid in pids]:
            return busy
        time.sleep(0.02)
    raise AssertionError(f"no executor took a run\n{world.log_tail()}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eight_executors_race_for_two_hundred_runs_while_some_are_killed(world: World, fault_run: Pipeline) -> None:
    seed = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 30)
    chance = random.Random(seed)
    world.start_steward()
    runs: list[RunId] = [world.submit(fault_run, {"name": f"run-{n}", "seconds": 0.0}) for n in range(200)]
    executors = [world.start_executor(slots=2) for _ in range(8)]
    for _ in range(6):
        doomed = chance.choice(at_work(world, executors))
        executors.remove(doomed)
        end(doomed)
        executors.append(world.start_executor(slots=2))
        time.sleep(chance.uniform(0.0, 1.0))
    world.wait_until_finished(len(runs), seconds=300)
    assert world.rows("select sum(lost_leases) from ops.runs") > [(0,)], f"nobody was killed at work; FAULT_SEED={seed}"
    assert_nothing_lost_nothing_doubled(world, len(runs))
