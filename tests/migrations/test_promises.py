"""What the SQL itself promises, whatever language calls it: transitions, caps, the chain of events, turns, backoff."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import psycopg
import pytest

from ops.database import AUTHENTICATED, EXECUTOR, Connection, Pool, acting_as, connect
from ops.errors import (
    BadInput,
    CapExceeded,
    Conflict,
    ControlRoomError,
    IllegalTransition,
    LeaseLost,
    NotAllowed,
    NotFound,
)
from ops.model import Fingerprint, LeaseToken, PhaseStatus, RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from ops.upkeep import Upkeep
from tests.operating import PHASES, SPEC, Operator, commit

STATUSES = ("queued", "claimed", "running", "succeeded", "failed", "canceled")
Step = Callable[[Operator, RunId, LeaseToken], object]


def brought_to(operator: Operator, status: str) -> tuple[RunId, LeaseToken]:
    """A run in that status and the token of its owner (0: nobody ever owned it)."""
    run_id = operator.queue(phases=())
    if status == "queued":
        return run_id, LeaseToken(0)
    token = operator.claim().lease_token
    if status == "claimed":
        return run_id, token
    operator.executor.start_run(run_id, token)
    match status:
        case "succeeded":
            operator.executor.complete_run(run_id, token, {})
        case "failed":
            operator.executor.fail_run(run_id, token, "BROKEN", "it broke")
        case "canceled":
            operator.executor.release_canceled_run(run_id, token, "enough")
    return run_id, token


# What the owner's calls do to a run in each status: the resulting status, or the error. The last owner's token is used,
# so that a refusal is not for the token but for the state.
STEPS: dict[str, tuple[Step, dict[str, str | type[ControlRoomError]]]] = {
    "start": (
        lambda who, run, token: who.executor.start_run(run, token),
        {"queued": LeaseLost, "claimed": "running", "running": "running", "succeeded": LeaseLost, "failed": LeaseLost,
         "canceled": LeaseLost},
    ),
    "complete": (
        lambda who, run, token: who.executor.complete_run(run, token, {}),
        {"queued": LeaseLost, "claimed": IllegalTransition, "running": "succeeded", "succeeded": "succeeded",
         "failed": LeaseLost, "canceled": LeaseLost},
    ),
    "fail": (
        lambda who, run, token: who.executor.fail_run(run, token, "BROKEN", "it broke"),
        {"queued": LeaseLost, "claimed": "failed", "running": "failed", "succeeded": LeaseLost, "failed": "failed",
         "canceled": LeaseLost},
    ),
    "release": (
        lambda who, run, token: who.executor.release_run(run, token),
        {"queued": LeaseLost, "claimed": "queued", "running": "queued", "succeeded": LeaseLost, "failed": LeaseLost,
         "canceled": LeaseLost},
    ),
    "release canceled": (
        lambda who, run, token: who.executor.release_canceled_run(run, token, "enough"),
        {"queued": LeaseLost, "claimed": "canceled", "running": "canceled", "succeeded": LeaseLost, "failed": LeaseLost,
         "canceled": "canceled"},
    ),
    "cancel": (
        lambda who, run, _: who.owner.cancel_run(run, "enough"),
        {"queued": "canceled", "claimed": "claimed", "running": "running", "succeeded": "succeeded", "failed": "failed",
         "canceled": "canceled"},
    ),
    "retry": (
        lambda who, run, _: who.owner.retry_run(run),
        {"queued": IllegalTransition, "claimed": IllegalTransition, "running": IllegalTransition,
         "succeeded": IllegalTransition, "failed": "failed", "canceled": "canceled"},
    ),
    "score": (
        lambda who, run, _: who.owner.compute_run_score(run),
        {"queued": IllegalTransition, "claimed": IllegalTransition, "running": IllegalTransition,
         "succeeded": "succeeded", "failed": "failed", "canceled": "canceled"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("step", STEPS)
def test_each_step_from_each_status(operator: Operator, connection: Connection, step: str, status: str) -> None:
    take, outcomes = STEPS[step]
    run_id, token = brought_to(operator, status)
    before = row(connection, run_id)
    outcome = outcomes[status]
    if isinstance(outcome, str):
        take(operator, run_id, token)
        assert row(connection, run_id)["status"] == outcome
    else:
        with pytest.raises(outcome):
            take(operator, run_id, token)
        assert row(connection, run_id) == before
    assert operator.owner.verify_event_chain(run_id).ok


def row(connection: Connection, run_id: RunId) -> dict[str, object]:
    [[found]] = connection.execute("select to_jsonb(r) from ops.runs r where id = %s", [run_id]).fetchall()
    return dict(found)


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled"])
def test_an_ended_run_never_changes_not_even_for_the_owner_of_the_database(
    operator: Operator, connection: Connection, status: str
) -> None:
    run_id, _ = brought_to(operator, status)
    with pytest.raises(psycopg.DatabaseError, match="never changes again"):
        connection.execute("update ops.runs set status = 'queued' where id = %s", [run_id])


@pytest.mark.parametrize("change", ["update ops.run_events set message = 'x'", "delete from ops.run_events",
                                    "truncate ops.run_events", "delete from ops.run_artifacts"])  # fmt: skip
def test_history_is_append_only(operator: Operator, connection: Connection, change: str) -> None:
    from ops.model import Artifact

    run_id, token = operator.running()
    stored = Artifact("a", "query", "0" * 64, 1, "text/plain", "file:///a")
    operator.executor.register_artifact(run_id, token, None, stored)
    with pytest.raises(psycopg.DatabaseError, match="append-only"):
        connection.execute(change.encode())


@pytest.mark.parametrize(
    ("tampering", "bad"),
    [
        ("update ops.run_events set message = 'nothing happened' where run_id = %s and seq = 2", 2),
        ("update ops.run_events set ts = ts - interval '1 microsecond' where run_id = %s and seq = 1", 1),
        ("delete from ops.run_events where run_id = %s and seq = 2", 2),
        ("delete from ops.run_events where run_id = %s and seq = 3", 3),
        ("update ops.run_events set seq = 7 where run_id = %s and seq = 3", 3),
    ],
)
def test_whoever_gets_around_the_trigger_is_found_by_the_chain(
    operator: Operator, connection: Connection, tampering: str, bad: int
) -> None:
    run_id, _ = brought_to(operator, "running")
    assert operator.owner.verify_event_chain(run_id).events == 3
    with connection.transaction():
        # What a superuser can do and nobody else.
        connection.execute("set local session_replication_role = 'replica'")
        assert connection.execute(tampering.encode(), [run_id]).rowcount == 1
    found = operator.owner.verify_event_chain(run_id)
    assert (found.ok, found.first_bad_seq) == (False, bad)


def test_a_cap_is_never_overdrawn_by_callers_at_once(database: str, operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    connection.execute(
        "insert into ops.caps (key, org_id, project_id, amount, period) "
        "select 'rows', org_id, id, 25, 'day' from ops.projects where id = %s",
        [project],
    )
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        with connect(database, EXECUTOR, autocommit=True) as mine:
            together.wait()
            return sum(Rpc(mine).cap_allow("rows", Decimal(1)) for _ in range(10))

    with ThreadPoolExecutor(8) as callers:
        assert sum(callers.map(ask, range(8))) == 25
    assert not operator.executor.cap_allow("rows", Decimal("0.001"))


def test_two_hundred_runs_claimed_by_eight_at_once_each_have_one_owner(database: str, operator: Operator) -> None:
    wanted = {operator.queue(phases=()) for _ in range(200)}

    def claim_all(_: int) -> list[RunId]:
        with Pool(database, EXECUTOR, max_size=1) as pool:
            rpc, me, mine = Rpc(pool), uuid.uuid4(), []
            rpc.register_executor(me, str(me), slots=4, host="here", version="0")
            while claimed := rpc.claim_run(me, max_runs=3):
                mine += [run.run_id for run in claimed]
            return mine

    with ThreadPoolExecutor(8) as executors:
        claimed = [run_id for mine in executors.map(claim_all, range(8)) for run_id in mine]
    assert len(claimed) == 200
    assert set(claimed) == wanted


def test_a_project_with_one_run_does_not_wait_for_anothers_hundred(operator: Operator) -> None:
    big, small = (operator.owner.ensure_project("default", name) for name in ("big", "small"))
    for _ in range(100):
        queue(operator, big)
    late = queue(operator, small)
    order = [operator.claim().run_id for _ in range(3)]
    assert late in order


def test_lower_priority_numbers_go_first_and_equal_ones_in_their_order(operator: Operator) -> None:
    project = operator.owner.ensure_project("default", "demo")
    last, second, third, first = (queue(operator, project, priority) for priority in (300, 100, 100, 1))
    assert [operator.claim().run_id for _ in range(4)] == [first, second, third, last]


def test_a_run_that_is_not_due_is_not_claimed(operator: Operator, connection: Connection) -> None:
    run_id = operator.queue()
    with connection.transaction():
        connection.execute("update ops.runs set available_at = clock_timestamp() + interval '1 hour'")
    assert operator.executor.claim_run(operator.executor_id) == []
    connection.execute("update ops.runs set available_at = clock_timestamp()")
    assert operator.claim().run_id == run_id


def test_each_failure_waits_longer_with_a_share_of_chance(operator: Operator, connection: Connection) -> None:
    run_id = operator.queue(max_attempts=12)
    waits = []
    for attempt in range(1, 12):
        token = operator.claim().lease_token
        assert operator.executor.fail_run(run_id, token, "BROKEN", "again", retryable=True) == "queued"
        query = "select extract(epoch from available_at - clock_timestamp()) from ops.runs where id = %s"
        [[wait]] = connection.execute(query, [run_id]).fetchall()
        whole = min(600, 2**attempt)
        assert whole / 2 - 1 < wait <= whole
        waits.append(float(wait) / whole)
        connection.execute("update ops.runs set available_at = clock_timestamp()")
    assert len({round(each, 2) for each in waits}) > 3, "no chance in it: runs that failed together come back together"
    token = operator.claim().lease_token
    assert operator.executor.fail_run(run_id, token, "BROKEN", "last", retryable=True) == "failed"


def test_a_silent_executor_is_lost_until_it_renews(operator: Operator, connection: Connection) -> None:
    connection.execute("update ops.executors set last_seen = clock_timestamp() - interval '1 minute'")
    fresh = uuid.uuid4()
    operator.executor.register_executor(fresh, "fresh", slots=1, host="here", version="0")
    upkeep = Upkeep(operator.owner.source)
    assert [upkeep.mark_lost_executors(30), upkeep.mark_lost_executors(30)] == [1, 0]
    states = "select name, state from ops.executors order by name"
    assert connection.execute(states).fetchall() == [("fresh", "active"), ("tester", "lost")]
    operator.executor.heartbeat_runs(operator.executor_id, {}, 30.0)
    assert connection.execute(states).fetchall() == [("fresh", "active"), ("tester", "active")]


def test_pruning_forgets_whole_months_and_nothing_younger(operator: Operator, connection: Connection) -> None:
    run_id, _ = brought_to(operator, "succeeded")
    connection.execute(
        "create table ops.run_events_2020_01 partition of ops.run_events for values from ('2020-01-01') to ('2020-02-01')"
    )
    Upkeep(operator.owner.source).prune(timedelta(days=60))
    query = "select to_regclass('ops.run_events_2020_01'), count(*) from ops.run_events where run_id = %s"
    assert connection.execute(query, [run_id]).fetchone() == (None, 4)


def queue(operator: Operator, project: uuid.UUID, priority: int = 100) -> RunId:
    return operator.owner.create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, [], priority=priority)


@pytest.mark.parametrize(("unit", "amount", "phases"), [("rows", 50, 2), ("bytes", 4096, 1)])
def test_no_phase_begins_once_a_cap_on_what_runs_move_is_used_up(
    operator: Operator, connection: Connection, unit: str, amount: int, phases: int
) -> None:
    run_id, token = operator.running()
    connection.execute(
        "insert into ops.caps (key, org_id, unit, amount, period) select 'daily', id, %s, %s, 'day' from ops.orgs",
        [unit, amount],
    )
    moved = {"rows_out": 30, "byte_size": 4096}
    for _ in range(phases):
        operator.executor.start_phase(run_id, token, "bronze")
        for _ in range(2):
            operator.executor.finish_phase(run_id, token, "bronze", PhaseStatus.SUCCEEDED, moved)
    with pytest.raises(CapExceeded, match=f"cap daily is used up: .* of {amount} {unit}"):
        operator.executor.start_phase(run_id, token, "checks")
    [(used, charges)] = connection.execute("select sum(amount), count(*) from ops.cap_usage").fetchall()
    assert (used, charges) == (phases * moved["rows_out" if unit == "rows" else "byte_size"], phases)


def test_an_operator_runs_what_is_registered_and_brings_nothing_new(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    for subject, role in (("olga", "operator"), ("edda", "editor")):
        Tenancy(connection).set_member("default", "demo", subject, role)

    def create(subject: str, spec: dict[str, object]) -> RunId:
        with acting_as(connection, AUTHENTICATED, {"sub": subject}) as person:
            return Rpc(person).create_run(project, "dev", "demo", spec, "5" * 64, "a" * 40, PHASES)

    with pytest.raises(NotAllowed, match="role editor"):
        create("olga", SPEC)
    assert create("edda", SPEC)
    assert create("olga", SPEC)
    for subject in ("olga", "edda"):
        with pytest.raises(Conflict, match="belongs to another spec"):
            create(subject, {**SPEC, "note": "another"})


def test_a_run_has_no_parent_in_another_project(operator: Operator) -> None:
    theirs = operator.owner.ensure_project("rivals", "secret")
    parent = queue(operator, theirs)
    with pytest.raises(NotFound):
        operator.queue(parent_run=parent)


def phases(connection: Connection, run_id: RunId) -> dict[str, str]:
    return dict(connection.execute("select name, status from ops.run_phases where run_id = %s", [run_id]).fetchall())


def test_a_phase_is_skipped_once_and_only_where_it_succeeded(operator: Operator, connection: Connection) -> None:
    mine = operator.running()
    skip = partial(operator.executor.finish_phase, *mine, status=PhaseStatus.SKIPPED, result={})

    def refused(phase: str, status: str) -> None:
        with pytest.raises(IllegalTransition, match=f"is {status}; only one that succeeded before"):
            skip(phase)

    refused("bronze", "pending")
    operator.executor.start_phase(*mine, "bronze")
    refused("bronze", "running")
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.FAILED, {"error_code": "BROKEN"})
    refused("bronze", "failed")
    operator.executor.start_phase(*mine, "bronze")
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.SUCCEEDED, {"output_fingerprint": "v1:abc"})
    for _ in range(2):
        skip("bronze")
    told = "select count(*) from ops.run_events where run_id = %s and type = 'PHASE_SKIPPED'"
    assert connection.execute(told, [mine[0]]).fetchone() == (1,)
    assert phases(connection, mine[0]) == {"bronze": "skipped", "checks": "pending"}
    with pytest.raises(IllegalTransition, match="checks is pending"):
        operator.executor.complete_run(*mine, {})


def test_what_a_run_asks_of_an_executor_is_in_its_spec(operator: Operator) -> None:
    able = operator.queue(spec={**SPEC, "capabilities": ["gpu", "odoo"]})
    for few in ((), ("gpu",), ("gpu", "excel")):
        assert operator.executor.claim_run(operator.executor_id, few) == []
    [run] = operator.executor.claim_run(operator.executor_id, ("excel", "odoo", "gpu"))
    assert run.run_id == able
    operator.executor.fail_run(run.run_id, run.lease_token, "BROKEN", "it broke")
    operator.owner.retry_run(able)
    assert operator.executor.claim_run(operator.executor_id) == []
    with pytest.raises(BadInput, match=r"p_spec\.capabilities"):
        operator.queue(spec={**SPEC, "capabilities": "gpu"}, spec_sha256="6" * 64)


def test_a_concurrent_cap_is_not_charged_without_a_run_to_give_it_back(
    operator: Operator, connection: Connection
) -> None:
    operator.owner.ensure_project("default", "demo")
    connection.execute(
        "insert into ops.caps (key, org_id, amount, period) select 'seats', id, 1, 'concurrent' from ops.orgs"
    )
    with pytest.raises(BadInput, match="'seats', a concurrent cap; claim_run reserves"):
        operator.executor.cap_allow("seats", Decimal(1))
    assert connection.execute("select count(*) from ops.cap_usage").fetchone() == (0,)


def test_a_version_is_recorded_of_one_commit(operator: Operator, connection: Connection) -> None:
    first = operator.running()
    made = operator.executor.record_dataset(*first, "bronze", commit(3))
    assert operator.executor.record_dataset(*first, "bronze", commit(3)) == made
    for mine, dataset in (
        (first, replace(commit(3), fingerprint=Fingerprint("v1:other"))),
        (operator.running(), commit(3)),
    ):
        with pytest.raises(Conflict, match=f"version 3 of silver.sale_order is recorded of run {first[0]}"):
            operator.executor.record_dataset(*mine, "bronze", dataset)
    assert connection.execute("select count(*) from ops.dataset_versions").fetchone() == (1,)
