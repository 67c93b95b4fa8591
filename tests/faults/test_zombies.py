"""An executor frozen past its lease wakes up and goes on: nothing that it writes may count."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping

import psutil

from pipelines.spec import Pipeline
from tests.faults.effects import FENCE_REMOVED
from tests.faults.invariants import (
    assert_every_run_succeeded,
    assert_exactly_once,
    assert_histories_are_whole,
    doubled_effects,
)
from tests.faults.world import World, tell_all


def freeze_one_owner_until_another_is_done(
    world: World, fault_run: Pipeline, environment: Mapping[str, str] | None = None
) -> str:
    """What the zombie wrote into its log after it woke."""
    world.start_steward()
    run = world.submit(fault_run, {"name": "only", "seconds": 1.5})
    zombie = world.start_executor(environment=environment)
    log = world.home / f"process-{len(world.executors) - 1}.log"
    world.wait_for_event(run, "PHASE_STARTED", "effect")
    time.sleep(0.3)
    # The executor, its forkserver and the child that computes.
    tell_all(zombie, signal.SIGSTOP)
    world.start_executor()
    world.wait_until_finished(1)
    events = world.story(run)
    # What computes wakes first: its owner would end it as soon as it heard that the lease is gone.
    for child in psutil.Process(zombie.pid).children(recursive=True):
        child.resume()
    time.sleep(3.0)
    tell_all(zombie, signal.SIGCONT)
    deadline = time.monotonic() + 15
    while "lease lost" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.story(run) == events, "a zombie added to the history of a run that had ended"
    return log.read_text()


def test_a_zombie_executor_cannot_publish(world: World, fault_run: Pipeline) -> None:
    said = freeze_one_owner_until_another_is_done(world, fault_run)
    assert "lease lost" in said
    assert_every_run_succeeded(world, 1)
    assert_exactly_once(world)
    assert_histories_are_whole(world)


def test_without_the_fence_a_zombie_does_publish(world: World, fault_run: Pipeline) -> None:
    """The mutant: if this found nothing wrong, the test above would prove nothing."""
    freeze_one_owner_until_another_is_done(world, fault_run, {FENCE_REMOVED: "1"})
    assert doubled_effects(world) == {"only": 20}
