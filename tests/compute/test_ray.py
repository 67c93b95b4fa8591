"""The fleet on a real Ray cluster of two nodes, started by hand, by a driver that stays, and as a submitted job."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil
import pytest

from compute import cluster
from ops.database import connect
from ops.embedded_host import free_port
from ops.fleet_reads import Fleet
from ops.rpc import Rpc
from tests.compute.specs import phase, pipeline
from tests.compute.test_families import sleepers, wait_for_sleepers
from tests.faults.invariants import assert_every_run_succeeded, assert_histories_are_whole
from tests.faults.world import ROOT, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
START_SECONDS = 150.0
Process = subprocess.Popen[bytes]


@dataclass
class Cluster:
    """A Ray of two nodes with one processor each. ``nodes`` are the processes that stand for them; the head is first."""

    address: str
    jobs: str
    nodes: list[Process]
    environment: Mapping[str, str]
    world: World

    def fleet(self, *arguments: str) -> list[dict[str, object]]:
        """``python -m compute.fleet …``; what it printed."""
        command = [sys.executable, "-m", "compute.fleet", *arguments, "--address", self.address]
        told = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
        )
        assert told.returncode == 0, told.stderr[-3000:]
        answer: list[dict[str, object]] = json.loads(told.stdout.splitlines()[-1])
        return answer


@pytest.fixture
def two_nodes(world: World) -> Iterator[Cluster]:
    home, port, jobs = world.home, free_port(), free_port()
    # The executors' actors and the phases' tasks are workers of the nodes: they have the nodes' environment.
    environment = {**cluster.environment(home), **world.environment, "PYTHONPATH": str(ROOT)}
    head = [part for part in cluster.head_command(home, port, 1) if not part.startswith("--include-dashboard")]
    head += ["--include-dashboard=true", "--dashboard-host=127.0.0.1", f"--dashboard-port={jobs}"]
    with ExitStack() as nodes:
        first = nodes.enter_context(started(home / "ray-head.log", head, environment))
        wait(lambda: answers(port), "the head")
        second = nodes.enter_context(
            started(home / "ray-worker.log", cluster.worker_command(f"127.0.0.1:{port}", 1), environment)
        )
        wait(lambda: living_nodes(f"127.0.0.1:{port}", environment) == 2, "the second node")
        nodes.callback(shutil.rmtree, cluster.session_directory(home), ignore_errors=True)
        yield Cluster(f"127.0.0.1:{port}", f"http://127.0.0.1:{jobs}", [first, second], environment, world)


@contextmanager
def started(log: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Process]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True, cwd=ROOT)
    try:
        yield process
    finally:
        # A node ends what it started only after a grace; nothing here needs it.
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.kill()
        process.wait()


def wait(until: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.1)


def living_nodes(address: str, environment: Mapping[str, str]) -> int:
    """As the cluster itself says: a node's own process speaks of success before it belongs to it."""
    script = (
        f"import ray; ray.init({address!r}, log_to_driver=False); print(sum(node['Alive'] for node in ray.nodes()))"
    )
    try:
        told = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        # Of a machine too busy to say: whoever waits asks again.
        return 0
    return int(told.stdout.split()[-1]) if told.returncode == 0 else 0


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def spread(parts: int) -> list[dict[str, object]]:
    """Phases that take a whole processor for a second, so that one node cannot take them all."""
    return [phase(f"part_{number}", "where") for number in range(parts)]


def nodes_of(world: World, parts: int) -> set[str]:
    return {str(world.effects(f"gold.part_{number}")["node"][0]) for number in range(parts)}


def test_phases_of_one_run_are_carried_out_on_both_nodes(two_nodes: Cluster) -> None:
    world = two_nodes.world
    members = two_nodes.fleet("start", "--size", "2")
    assert [member["name"] for member in members] == ["executor-0", "executor-1"]
    assert len({member["node"] for member in members}) == 2
    # Two processors for six phases: the last two are taken up when their timeout, counted from now, is over.
    turns = [{**part, "timeout": 11.0} for part in spread(6)]
    world.submit(pipeline(*turns), {"seconds": 4.0}, max_attempts=1)
    world.wait_until_finished(1)
    assert_every_run_succeeded(world, 1)
    [(took,)] = world.rows("select extract(epoch from finished_at - started_at) from ops.runs")
    assert float(str(took)) > 11.0
    assert len(nodes_of(world, 6)) == 2
    assert_histories_are_whole(world)
    assert two_nodes.fleet("drain") == []


def test_an_executor_that_is_drained_is_gone_until_the_fleet_is_told_to_be_whole(two_nodes: Cluster) -> None:
    world = two_nodes.world
    staying = [sys.executable, "-m", "compute.fleet", "start", "--stay", "--size", "2", "--address", two_nodes.address]

    def members() -> dict[str, str]:
        return {str(each["name"]): str(each["executor_id"]) for each in two_nodes.fleet("status")}

    with started(world.home / "fleet.log", staying, two_nodes.environment) as driver:
        wait(lambda: "fleet ready" in (world.home / "fleet.log").read_text(), "the fleet")
        before = members()
        with connect(world.url, autocommit=True) as connection:
            known = {str(each.executor_id): each.ray_node for each in Fleet(connection).executors()}
            assert known == {str(each["executor_id"]): each["node"] for each in two_nodes.fleet("status")}
            assert Rpc(connection).drain_executor(uuid.UUID(before["executor-0"]))
        # While it leaves: whoever starts the fleet waits for it and replaces it.
        driver.send_signal(signal.SIGUSR1)
        wait(lambda: len(members()) == 2 and members()["executor-0"] not in (before["executor-0"], "None"), "another")
        assert members()["executor-1"] == before["executor-1"]
        with connect(world.url, autocommit=True) as connection:
            assert Rpc(connection).drain_executor(uuid.UUID(members()["executor-0"]))
        wait(lambda: list(members()) == ["executor-1"], "the drained one's end")
        world.submit(pipeline(phase("part", "where")), {"seconds": 0.1})
        world.wait_until_finished(1)
        assert_every_run_succeeded(world, 1)
        again = two_nodes.fleet("start", "--size", "2")
        assert [(each["name"], each["draining"]) for each in again] == [("executor-0", False), ("executor-1", False)]
        driver.terminate()
        assert driver.wait(timeout=90) == 0
    assert two_nodes.fleet("status") == []


def test_a_node_that_dies_takes_no_run_with_it(two_nodes: Cluster) -> None:
    world = two_nodes.world
    world.start_steward()
    two_nodes.fleet("start", "--size", "2")
    for number in range(4):
        parts = [phase(f"part_{number}_{step}", "where") for step in range(2)]
        world.submit(pipeline(*parts, name=f"little_{number}"), {"seconds": 1.5, "name": str(number)})
    # Both executors own what runs, so the death of either's node interrupts something.
    busy = "select count(distinct executor_id) from ops.runs where status = 'running'"
    wait(lambda: world.rows(busy) == [(2,)], "work on both nodes")
    os.killpg(two_nodes.nodes[1].pid, signal.SIGKILL)
    world.wait_until_finished(4)
    assert_every_run_succeeded(world, 4)
    for number in range(4):
        for step in range(2):
            assert world.effects(f"gold.part_{number}_{step}").equals(
                world.effects(f"gold.part_{number}_{step}").unique("id", maintain_order=True)
            )
    assert_histories_are_whole(world)
    interrupted = "select count(*) > 0 from ops.run_events where type in ('LEASE_EXPIRED', 'PHASE_FAILED')"
    assert world.rows(interrupted) == [(True,)]
    versions = world.rows("select count(*), count(distinct (dataset_id, version)) from ops.dataset_versions")
    assert versions == [(8, 8)]


def test_what_a_handler_has_started_ends_with_its_worker(two_nodes: Cluster) -> None:
    world = two_nodes.world
    two_nodes.fleet("start", "--size", "1")
    brood = pipeline(phase("brood", "brood"))
    run = world.submit(brood, {"seconds": 300}, max_attempts=1)
    try:
        wait_for_sleepers(world.home, 2, 60)
        with connect(world.url, autocommit=True) as connection:
            Rpc(connection).cancel_run(run, "enough")
        wait_for_sleepers(world.home, 0, 40)
        world.submit(brood, {"seconds": 300}, max_attempts=1)
        wait_for_sleepers(world.home, 2, 60)
        [worker] = {each for one in sleepers(world.home) for each in one.parents() if each.name().startswith("ray::")}
        worker.kill()
        # Nobody finds any more what began a session of its own.
        wait(lambda: [os.getsid(one.pid) == one.pid for one in sleepers(world.home)] == [True], "the group's end", 40)
    finally:
        for left in sleepers(world.home):
            left.kill()
    world.wait_until_finished(2)
    assert two_nodes.fleet("drain") == []


def test_a_fleet_is_submitted_as_a_job(two_nodes: Cluster) -> None:
    world = two_nodes.world
    wait(lambda: reachable(two_nodes.jobs), "the job server")
    told = subprocess.run(
        [
            sys.executable, "-m", "ray.scripts.scripts", "job", "submit", "--address", two_nodes.jobs, "--",
            sys.executable, "-m", "compute.fleet", "start", "--size", "1", "--address", "auto",
        ],
        env=two_nodes.environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    assert "succeeded" in told.stdout
    # The executors are detached: the job is over and they work.
    world.submit(pipeline(phase("one", "where")), {"seconds": 0.1})
    world.wait_until_finished(1)
    assert_every_run_succeeded(world, 1)
    assert isinstance(world.effects("gold.one"), pl.DataFrame)


def reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/version", timeout=2):
            return True
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except OSError:
        return False
