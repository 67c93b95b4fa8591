"""What a handler has started ends with its phase, however that is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ops.database import connect
from ops.model import RunId
from ops.rpc import Rpc
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

Executor = subprocess.Popen[bytes]


def sleepers(home: Path) -> list[psutil.Process]:
    """The living processes named sleep of executors with that home, by their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if (
                process.name() == "sleep"
                and process.environ().get("CONTROLROOM_HOME") == str(home)
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def wait_for_sleepers(home: Path, number: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while len(found := sleepers(home)) != number:
        assert time.monotonic() < deadline, f"{number} sleepers were to be there, there are {found}"
        time.sleep(0.05)


def cancel(world: World, run: RunId, _: Executor) -> None:
    with connect(world.url, autocommit=True) as connection:
        Rpc(connection).cancel_run(run, "enough")


def let_time_pass(_: World, __: RunId, ___: Executor) -> None:
    """Its timeout ends it."""


def use_up_a_cap(world: World, _: RunId, __: Executor) -> None:
    world.change(
        "insert into ops.caps (key, org_id, project_id, unit, amount, period) "
        "select 'cpu', org_id, id, 'cpu_seconds', 0.001, 'day' from ops.projects where id = %s",
        world.project_id,
    )


def kill(_: World, __: RunId, executor: Executor) -> None:
    """The executor alone: its children must find out by themselves."""
    os.kill(executor.pid, signal.SIGKILL)


WAYS: Mapping[str, Callable[[World, RunId, Executor], None]] = {
    "cancel": cancel,
    "timeout": let_time_pass,
    "a cap is used up": use_up_a_cap,
    "kill -9 of the executor": kill,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_phase_that_is_stopped_by_force_takes_along_what_its_handler_started(world: World, way: str) -> None:
    executor = world.start_executor()
    limit = {"timeout": 8.0} if way == "timeout" else {}
    run = world.submit(pipeline(phase("brood", "brood", **limit)), {"seconds": 300}, max_attempts=1)
    try:
        wait_for_sleepers(world.home, 2, 60)
        WAYS[way](world, run, executor)
        wait_for_sleepers(world.home, 0, 30)
        if way != "kill -9 of the executor":
            world.wait_until_finished(1)
            assert executor.poll() is None
    finally:
        for left in sleepers(world.home):
            left.kill()


def test_a_handler_that_crashes_leaves_nothing_of_its_session_behind(world: World) -> None:
    world.start_executor()
    world.submit(pipeline(phase("brood", "brood")), {"name": "die"}, max_attempts=1)
    try:
        world.wait_until_finished(1)
        assert world.rows("select error_code from ops.runs") == [("PHASE_CRASHED",)]
        wait_for_sleepers(world.home, 0, 10)
    finally:
        for left in sleepers(world.home):
            left.kill()
