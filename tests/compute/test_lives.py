"""A run's life in an executor's hands: kept, canceled, timed out, tried again, resumed, drained."""

from __future__ import annotations

import json
import signal
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from ops.database import connect
from ops.fleet_reads import Fleet
from ops.model import RunId
from ops.rpc import Rpc
from pipelines.spec import Pipeline
from tests.compute.conftest import CALM_LEASE_SECONDS
from tests.compute.specs import phase, pipeline
from tests.faults.world import World


def status(world: World, run: RunId) -> tuple[object, ...]:
    [found] = world.rows("select status, error_code, attempt, lost_leases from ops.runs where id = %s", run)
    return found


def children(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def test_a_handler_that_never_lets_go_of_the_interpreter_keeps_its_lease(world: World) -> None:
    world.start_steward()
    world.start_executor()
    run = world.submit(pipeline(phase("busy", "spin")), {"seconds": 2 * CALM_LEASE_SECONDS})
    world.wait_until_finished(1)
    assert status(world, run) == ("succeeded", None, 1, 0)


def test_a_cancel_stops_a_phase_within_a_heartbeat_and_leaves_nothing_in_the_lake(world: World) -> None:
    world.start_executor()
    run = world.submit(pipeline(phase("long", "sleep")), {"seconds": 60})
    world.wait_for_event(run, "PHASE_STARTED", "long")
    with connect(world.url, autocommit=True) as connection:
        asked = time.monotonic()
        assert Rpc(connection).cancel_run(run, "enough") == "cancel_requested"
    world.wait_until_finished(1, seconds=60)
    assert time.monotonic() - asked < CALM_LEASE_SECONDS / 3 + 3
    assert status(world, run)[:2] == ("canceled", "RUN_CANCELED")
    [(phase_status,)] = world.rows("select status from ops.run_phases where run_id = %s", run)
    assert phase_status == "canceled"
    assert not (world.home / "lake/default/faults/dev/gold/long").exists()
    until = time.monotonic() + 5
    while left := list(Path(tempfile.gettempdir()).glob(f"phase-{run}-*")):
        assert time.monotonic() < until, f"the killed phase left {left}"
        time.sleep(0.05)
    # The hand was killed in its work and is replaced: the next run is carried out.
    again = world.submit(pipeline(phase("short", "sleep")), {"seconds": 0})
    world.wait_until_finished(2)
    assert status(world, again)[0] == "succeeded"


def test_a_phase_that_runs_over_its_timeout_is_stopped_and_says_so(world: World) -> None:
    world.start_executor()
    run = world.submit(pipeline(phase("slow", "sleep", timeout=0.5)), {"seconds": 60}, key="once", max_attempts=1)
    world.wait_until_finished(1, seconds=60)
    assert status(world, run)[:2] == ("failed", "PHASE_TIMEOUT")
    [(took, message)] = world.rows(
        "select extract(epoch from finished_at - started_at), error_message from ops.run_phases where run_id = %s", run
    )
    assert 0.5 <= float(str(took)) < 10
    assert "0.5 s" in str(message)


def test_a_phase_is_tried_again_with_growing_pauses(world: World, tmp_path: Path) -> None:
    world.start_executor()
    stumbling = phase("stumble", "stumble", retries={"max": 2, "backoff": 0.2})
    run = world.submit(pipeline(stumbling), {"tries": str(tmp_path / "tries")})
    world.wait_until_finished(1)
    assert status(world, run)[:3] == ("succeeded", None, 1)
    events = world.rows("select type, ts from ops.run_events where run_id = %s and phase = 'stumble' order by seq", run)
    kinds = [str(kind) for kind, _ in events if kind != "PHASE_PROGRESS"]
    assert kinds == ["PHASE_STARTED", "PHASE_FAILED"] * 2 + ["PHASE_STARTED", "PHASE_SUCCEEDED"]
    failed = [at for kind, at in events if kind == "PHASE_FAILED"]
    begun = [at for kind, at in events if kind == "PHASE_STARTED"]
    pauses = [seconds(before, after) for before, after in zip(failed, begun[1:], strict=True)]
    assert 0.1 <= pauses[0] < 0.5
    assert 0.2 <= pauses[1] < 0.9


def seconds(before: object, after: object) -> float:
    assert isinstance(before, datetime)
    assert isinstance(after, datetime)
    return (after - before).total_seconds()


def test_a_crash_in_native_code_ends_the_phase_and_not_the_executor(world: World) -> None:
    executor = world.start_executor()
    run = world.submit(pipeline(phase("crash", "die")), {}, max_attempts=1)
    world.wait_until_finished(1)
    assert status(world, run)[:2] == ("failed", "PHASE_CRASHED")
    fine = world.submit(pipeline(phase("fine", "sleep")), {"seconds": 0})
    world.wait_until_finished(2)
    assert status(world, fine)[0] == "succeeded"
    assert executor.poll() is None


def test_independent_phases_run_at_the_same_time_and_dependent_ones_do_not(world: World) -> None:
    world.start_executor(slots=2)
    three = pipeline(phase("one", "sleep"), phase("two", "sleep"), phase("after", "sleep", depends_on=["one", "two"]))
    world.submit(three, {"seconds": 1.0})
    world.wait_until_finished(1)
    [(together, apart)] = world.rows(
        """
        with p as (select name, started_at as begun, finished_at as ended from ops.run_phases)
        select extract(epoch from least(one.ended, two.ended) - greatest(one.begun, two.begun)),
          after.begun >= greatest(one.ended, two.ended)
        from p as one, p as two, p as after where (one.name, two.name, after.name) = ('one', 'two', 'after')
        """
    )
    assert float(str(together)) > 0.5
    assert apart is True


def test_a_drain_lets_the_phase_finish_and_the_next_owner_go_on_after_it(world: World) -> None:
    leaving = world.start_executor()
    two = pipeline(phase("first", "sleep"), phase("second", "sleep", depends_on=["first"]))
    run = world.submit(two, {"seconds": 1.5})
    world.wait_for_event(run, "PHASE_STARTED", "first")
    leaving.send_signal(signal.SIGTERM)
    assert leaving.wait(timeout=60) == 0
    assert status(world, run) == ("queued", None, 0, 0)
    assert world.rows("select name, status, attempt from ops.run_phases order by ordinal") == [
        ("first", "succeeded", 1), ("second", "pending", 0),
    ]  # fmt: skip
    world.start_executor()
    world.wait_until_finished(1)
    types = [kind for _, kind, name, _ in world.story(run) if name == "first"]
    assert types.count("PHASE_STARTED") == 1
    assert types[-1] == "PHASE_SKIPPED"


def test_who_is_asked_by_the_control_room_drains_the_same_way(world: World) -> None:
    leaving = world.start_executor()
    two = pipeline(phase("first", "sleep"), phase("second", "sleep", depends_on=["first"]))
    run = world.submit(two, {"seconds": 1.5})
    world.wait_for_event(run, "PHASE_STARTED", "first")
    with connect(world.url, autocommit=True) as connection:
        [executor] = Fleet(connection).executors()
        assert Rpc(connection).drain_executor(executor.executor_id)
    assert leaving.wait(timeout=60) == 0
    assert status(world, run) == ("queued", None, 0, 0)
    assert world.rows("select name, status from ops.run_phases order by ordinal") == [
        ("first", "succeeded"), ("second", "pending"),
    ]  # fmt: skip
    said = [json.loads(line)["event"] for line in (world.home / "process-0.log").read_text().splitlines()]
    assert said.index("asked to drain") < said.index("draining")


def test_a_drain_does_not_wait_for_a_retry(world: World, tmp_path: Path) -> None:
    leaving = world.start_executor()
    stumbling = phase("stumble", "stumble", retries={"max": 2, "backoff": 60})
    run = world.submit(pipeline(stumbling), {"tries": str(tmp_path / "tries")})
    world.wait_for_event(run, "PHASE_FAILED", "stumble")
    leaving.send_signal(signal.SIGTERM)
    assert leaving.wait(timeout=25) == 0
    assert status(world, run) == ("queued", None, 0, 0)
    lines = [json.loads(line) for line in (world.home / "process-0.log").read_text().splitlines()]
    [said] = [line for line in lines if "tried again" in line["event"]]
    assert (said["phase"], said["run"], said["code"]) == ("stumble", str(run), "STORAGE_FAILED")


def test_an_owner_that_may_not_renew_any_more_stops_when_its_lease_ends(world: World) -> None:
    executor = world.start_executor()
    run = world.submit(pipeline(phase("long", "sleep")), {"seconds": 60})
    world.wait_for_event(run, "PHASE_STARTED", "long")
    with connect(world.url, autocommit=True) as connection:
        connection.execute(
            "revoke execute on function ops.heartbeat_runs(uuid, uuid[], bigint[], float8, jsonb) from controlroom_executor"
        )
    deadline = time.monotonic() + 2 * CALM_LEASE_SECONDS
    while "lease lost, stopping" not in world.log_tail():
        assert time.monotonic() < deadline, world.log_tail()
        time.sleep(0.1)
    assert executor.poll() is None


def test_an_idle_executor_is_woken_and_does_not_wait_for_its_poll(world: World) -> None:
    world.start_executor()
    quick = pipeline(phase("warm", "sleep"))
    waits = []
    for number in range(8):
        world.submit(quick, {"seconds": 0}, key=str(number))
        world.wait_until_finished(number + 1)
        time.sleep(0.3)
    waits = [float(str(wait)) for (wait,) in world.rows(
        "select extract(epoch from claimed_at - created_at) from ops.runs order by created_at offset 1"
    )]  # fmt: skip
    # Polling alone would give half a second on average and this never.
    assert sorted(waits)[len(waits) // 2] < 0.1, waits


def test_every_phase_has_its_beginning_its_progress_and_its_end(world: World) -> None:
    world.start_executor()
    run = world.submit(pipeline(phase("one", "sleep"), phase("two", "sleep", depends_on=["one"])), {"seconds": 0})
    world.wait_until_finished(1)
    for name in ("one", "two"):
        kinds = [kind for _, kind, told, _ in world.story(run) if told == name]
        assert kinds[0] == "PHASE_STARTED"
        assert kinds[-1] == "PHASE_SUCCEEDED"
        assert "PHASE_PROGRESS" in kinds[1:-1]


def test_a_stored_spec_of_another_version_fails_its_run_and_not_the_executor(world: World) -> None:
    executor = world.start_executor()
    good = pipeline(phase("good", "sleep"))
    run = world.submit(good, {"seconds": 0})
    world.wait_until_finished(1)
    with connect(world.url, autocommit=True) as connection:
        odd = Rpc(connection).create_run(
            world.project_id, "dev", "odd", {"version": 99, "phases": "none"}, "9" * 64, "0" * 40, []
        )
    world.wait_until_finished(2)
    assert status(world, odd)[:2] == ("failed", "SPEC_INVALID")
    assert status(world, run)[0] == "succeeded"
    assert executor.poll() is None


def test_log_lines_say_which_run_phase_executor_and_lease(world: World) -> None:
    world.start_executor()
    run = world.submit(pipeline(phase("crash", "die")), {}, max_attempts=1)
    world.wait_until_finished(1)
    lines = [json.loads(line) for line in (world.home / "process-0.log").read_text().splitlines()]
    [said] = [line for line in lines if line["event"] == "run failed"]
    [(token,)] = world.rows("select lease_token from ops.runs")
    assert (said["run"], said["lease_token"], said["code"]) == (str(run), token, "PHASE_CRASHED")
    assert said["executor"].endswith(str(world.executors[0].pid))


SECRET = "opensesame-4711"


@pytest.mark.parametrize(
    ("secret", "code"),
    [(f"postgresql://reader:{SECRET}@127.0.0.1:1/odoo", "SOURCE_UNREACHABLE"), (None, "SECRET_MISSING")],
)
def test_a_source_that_cannot_be_reached_is_said_without_its_password(
    world: World, secret: str | None, code: str
) -> None:
    world.give_secret("odoo_dsn", secret)
    world.start_executor()
    source = {"kind": "postgres", "dsn": "secret://file/odoo_dsn"}
    landing = {"name": "land", "kind": "ingest", "source": source, "contract": "odoo", "tables": ["res_partner"]}
    world.submit(pipeline(landing), {}, max_attempts=1)
    world.wait_until_finished(1)
    [(found, message)] = world.rows("select error_code, error_message from ops.runs")
    assert found == code, message
    everything = world.rows("select r::text, p::text, e::text from ops.runs r, ops.run_phases p, ops.run_events e")
    assert SECRET not in str(everything)
    assert SECRET not in world.log_tail()
    assert not (world.home / "lake/default/faults/dev/bronze/res_partner").exists()


def test_a_run_that_takes_longer_than_its_timeout_is_stopped_for_good(world: World) -> None:
    world.start_executor()
    stubborn = pipeline(phase("long", "spin", retries={"max": 5, "backoff": 0.1}))
    run = world.submit(stubborn, {"seconds": 60}, timeout_seconds=1.0)
    world.wait_until_finished(1, seconds=60)
    assert status(world, run)[:3] == ("failed", "RUN_TIMEOUT", 1)
    [(took, said)] = world.rows("select extract(epoch from finished_at - started_at), error_message from ops.runs")
    assert 1.0 <= float(str(took)) < 10
    assert "timeout of 1 s" in str(said)
    assert world.rows("select status, error_code from ops.run_phases") == [("failed", "RUN_TIMEOUT")]
    assert [kind for _, kind, name, _ in world.story(run) if name][-1] == "PHASE_FAILED"
    assert not (world.home / "lake/default/faults/dev/gold/long").exists()


def test_a_runs_time_goes_on_when_its_owner_changes(world: World) -> None:
    run = world.submit(pipeline(phase("late", "sleep")), {"seconds": 0}, timeout_seconds=30.0)
    with connect(world.url, autocommit=True) as connection:
        first, me = Rpc(connection), uuid.uuid4()
        first.register_executor(me, "first")
        [claimed] = first.claim_run(me)
        assert claimed.elapsed_seconds is None
        first.start_run(run, claimed.lease_token)
        first.fail_run(run, claimed.lease_token, "SOURCE_UNREACHABLE", "down", retryable=True)
        connection.execute("update ops.runs set started_at = started_at - interval '31 s', available_at = now()")
    world.start_executor()
    world.wait_until_finished(1, seconds=60)
    assert status(world, run)[:3] == ("failed", "RUN_TIMEOUT", 2)
    assert world.rows("select status, attempt from ops.run_phases") == [("pending", 0)]


def test_a_phase_that_waits_for_a_free_process_does_not_use_up_its_timeout(world: World) -> None:
    world.start_executor()
    # Two processes for four phases: the last two are taken up when their timeout, counted from now, is nearly over.
    four = pipeline(*(phase(f"turn_{n}", "sleep", timeout=9.5) for n in range(4)))
    run = world.submit(four, {"seconds": 5.0}, max_attempts=1)
    world.wait_until_finished(1)
    assert status(world, run)[:2] == ("succeeded", None)
    [(waited,)] = world.rows("select extract(epoch from max(finished_at) - min(started_at)) from ops.run_phases")
    assert float(str(waited)) > 3.5


def test_an_executor_never_claims_what_it_is_not_able_to_do(world: World) -> None:
    world.start_executor()
    able = Pipeline.from_json({**pipeline(phase("one", "sleep")).to_json(), "capabilities": ["gpu"]})
    hard = world.submit(able, {"seconds": 0})
    easy = world.submit(pipeline(phase("two", "sleep")), {"seconds": 0})
    world.wait_until_finished(1)
    # Older and of the same priority, it was first in the queue.
    assert (status(world, hard)[0], status(world, easy)[0]) == ("queued", "succeeded")
    able_one = world.start_executor(capabilities="odoo,gpu")
    world.wait_until_finished(2)
    assert status(world, hard)[0] == "succeeded"
    [(name,)] = world.rows(
        "select x.name from ops.runs r join ops.executors x on x.id = r.executor_id where r.id = %s", hard
    )
    assert str(name).endswith(f"-{able_one.pid}")
    assert world.rows("select capabilities from ops.executors where name = %s", name) == [(["odoo", "gpu"],)]
