"""The Ray executor before the kit, and executors of every sort at one queue."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from compute import cluster
from controlroom.conformance.trial import Step
from tests.compute.test_ray import answers, wait
from tests.compute.test_ray import started as ray_started
from tests.contract.deno import LEASE_SECONDS, started
from tests.contract.door import Door, free_port
from tests.contract.people import EDITOR, People
from tests.contract.test_conformance import judge, kept, process
from tests.contract.test_deno import until
from tests.contract.tokens import token
from tests.faults.world import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
RUNS = 400


@contextmanager
def ray_fleet(door: Door, home: Path, size: int, slots: int, lease_seconds: float) -> Iterator[None]:
    """A Ray of one node and ``size`` executors in it, with a driver that stays."""
    port = free_port()
    environment = {
        **cluster.environment(home),
        "PYTHONPATH": str(ROOT),
        "CONTROLROOM_HOME": str(home),
        "CONTROLROOM_DATABASE_URL": door.database,
        "CONTROLROOM_LEASE_SECONDS": str(lease_seconds),
    }
    with ExitStack() as running:
        running.callback(shutil.rmtree, cluster.session_directory(home), ignore_errors=True)
        running.enter_context(ray_started(home / "ray.log", cluster.head_command(home, port, 2), environment))
        wait(lambda: answers(port), "the head")
        fleet = [sys.executable, "-m", "compute.fleet", "start", "--stay", "--size", str(size), "--slots", str(slots)]
        running.enter_context(ray_started(home / "fleet.log", [*fleet, "--address", f"127.0.0.1:{port}"], environment))
        wait(lambda: "fleet ready" in (home / "fleet.log").read_text(), "the fleet", 120)
        yield


def test_the_ray_executor_passes(door: Door, people: People, tmp_path: Path) -> None:
    # Long enough for a phase that is Ray's first to import what it needs.
    with ray_fleet(door, tmp_path, size=1, slots=2, lease_seconds=LEASE_SECONDS):
        kept(judge(door), tmp_path / "fleet.log")


def test_eight_mixed_executors_share_four_hundred_runs_and_none_is_executed_twice(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    editor = door.person(EDITOR)
    phases = [Step("one", text="x", seconds=0.05).spec()]
    spec = {"version": 1, "pipeline": "race", "owner": "@tests", "phases": phases}
    settings = {
        "CONTROLROOM_HOME": str(tmp_path),
        "CONTROLROOM_DATABASE_URL": door.database,
        "CONTROLROOM_LEASE_SECONDS": "20",
    }
    with ExitStack() as running:
        running.enter_context(ray_fleet(door, tmp_path, size=2, slots=1, lease_seconds=20))
        for number in range(2):
            log = tmp_path / f"race-{number}"
            running.enter_context(
                process(["-m", "controlroom", "executor", "--slots", "1"], log.with_suffix(".plain"), **settings)
            )
            running.enter_context(
                process(
                    ["-m", "tests.contract.faulty", door.url, token("controlroom_executor")],
                    log.with_suffix(".http"),
                    FAULTY_LEASE_SECONDS="20",
                )
            )
            running.enter_context(
                started(
                    door, log.with_suffix(".deno"), CONTROLROOM_DEDICATED="false", CONTROLROOM_LEASE_SECONDS="20",
                    CONTROLROOM_EXECUTOR_NAME=f"deno-{number}",
                )
            )  # fmt: skip
        until("all are there", lambda: owner.execute("select count(*) from ops.executors").fetchall() == [(8,)], 60)
        for number in range(RUNS):
            arguments = {
                **people.run(p_pipeline="race", p_spec=spec, p_spec_sha256="7" * 64, p_phases=phases),
                "p_idempotency_key": str(number),
            }
            editor.rpc("create_run", arguments).execute()
        left = "select count(*) from ops.runs where status in ('queued', 'claimed', 'running')"
        until("all runs have ended", lambda: owner.execute(left).fetchall() == [(0,)], 200)
    per_executor: dict[str, int] = dict(
        owner.execute(
            "select e.name, count(*) from ops.runs r join ops.executors e on e.id = r.executor_id group by 1"
        ).fetchall()
    )
    counts = owner.execute("select status, attempt, lost_leases, count(*) from ops.runs group by 1, 2, 3").fetchall()
    assert counts == [("succeeded", 1, 0, RUNS)], per_executor
    query = """
        select type, count(*), count(distinct run_id) from ops.run_events
        where type in ('RUN_CLAIMED', 'RUN_STARTED', 'PHASE_STARTED', 'PHASE_SUCCEEDED', 'RUN_SUCCEEDED') group by type
    """
    assert {(many, runs) for _, many, runs in owner.execute(query).fetchall()} == {(RUNS, RUNS)}
    broken = "select count(*) from ops.runs r, ops.verify_event_chain(r.id) c where not c.ok"
    assert owner.execute(broken).fetchall() == [(0,)]
    owners = owner.execute("select count(distinct executor_id) from ops.runs").fetchall()
    assert owners == [(8,)], per_executor
