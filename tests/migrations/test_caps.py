"""A cap holds however callers meet: who comes second waits for who came first, and nothing is given back twice."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.cap_reads import Caps
from ops.database import EXECUTOR, Connection, connect
from ops.errors import BadInput, LeaseLost, NotFound
from ops.model import RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.acting import GUEST, MATE, person
from tests.operating import SPEC, Operator


def cap(connection: Connection, project: uuid.UUID, amount: int, period: str, unit: str = "runs") -> str:
    key = f"{unit} a {period}"
    connection.execute(
        "insert into ops.caps (key, org_id, project_id, unit, amount, period) "
        "select %s, org_id, id, %s, %s, %s from ops.projects where id = %s",
        [key, unit, amount, period, project],
    )
    return key


def queue(operator: Operator, project: uuid.UUID) -> RunId:
    return operator.owner.create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, [])


def claimed(operator: Operator, most: int = 10) -> set[RunId]:
    return {run.run_id for run in operator.executor.claim_run(operator.executor_id, max_runs=most)}


def waits(asked: Future[object]) -> bool:
    """Still unanswered after the time in which a call is answered many times over."""
    return not wait([asked], timeout=0.3).done


def test_who_comes_second_waits_and_is_told_the_truth(operator: Operator, connection: Connection) -> None:
    key = cap(connection, operator.owner.ensure_project("default", "demo"), 25, "day", "rows")
    with connect(operator.url, EXECUTOR) as first, ThreadPoolExecutor(1) as other:
        assert Rpc(first).cap_allow(key, Decimal(20))
        second: Future[object] = other.submit(operator.executor.cap_allow, key, Decimal(10))
        assert waits(second)
        first.commit()
        assert second.result() is False
    assert operator.executor.cap_allow(key, Decimal(5))


def test_what_is_rolled_back_was_never_charged(operator: Operator, connection: Connection) -> None:
    key = cap(connection, operator.owner.ensure_project("default", "demo"), 25, "day", "rows")
    with connect(operator.url, EXECUTOR) as first:
        assert Rpc(first).cap_allow(key, Decimal(25))
        first.rollback()
    assert operator.executor.cap_allow(key, Decimal(25))


def test_a_claim_waits_for_a_claim_under_the_same_cap(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    cap(connection, project, 1, "concurrent")
    for _ in range(2):
        queue(operator, project)
    with connect(operator.url, EXECUTOR) as first, ThreadPoolExecutor(1) as other:
        assert len(Rpc(first).claim_run(operator.executor_id)) == 1
        second: Future[object] = other.submit(claimed, operator)
        assert waits(second)
        first.commit()
        assert second.result() == set()


def test_a_capped_project_does_not_hold_up_the_others(operator: Operator, connection: Connection) -> None:
    small, free = (operator.owner.ensure_project("default", name) for name in ("small", "free"))
    cap(connection, small, 2, "concurrent")
    runs = [queue(operator, small) for _ in range(5)]
    others = {queue(operator, free) for _ in range(5)}
    assert claimed(operator) == others | set(runs[:2])


def test_an_ended_run_gives_its_place_back_once(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    cap(connection, project, 1, "concurrent")
    for _ in range(4):
        queue(operator, project)
    first = operator.claim()
    mine = first.run_id, first.lease_token
    operator.executor.start_run(*mine)
    for _ in range(3):
        operator.executor.complete_run(*mine, {})
    second = operator.claim()
    operator.executor.complete_run(*mine, {})
    assert claimed(operator) == set()
    # A lost owner whose run was taken away and given to another releases nothing of the other's.
    connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
    assert operator.owner.requeue_stale_runs() == 1
    assert claimed(operator, 1) != set()
    with pytest.raises(LeaseLost):
        operator.executor.complete_run(second.run_id, second.lease_token, {})
    assert claimed(operator) == set()


def test_an_ended_run_gives_back_its_own_place_only(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    cap(connection, project, 2, "concurrent")
    for _ in range(5):
        queue(operator, project)
    ended, _ = operator.executor.claim_run(operator.executor_id, max_runs=5)
    operator.executor.fail_run(ended.run_id, ended.lease_token, "BROKEN", "it broke")
    assert len(claimed(operator)) == 1


def test_a_day_is_used_up_even_by_runs_that_have_ended(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    cap(connection, project, 1, "day")
    for _ in range(2):
        queue(operator, project)
    first = operator.claim()
    operator.executor.start_run(first.run_id, first.lease_token)
    operator.executor.complete_run(first.run_id, first.lease_token, {})
    assert claimed(operator) == set()
    connection.execute("update ops.cap_usage set used_at = used_at - interval '1 day'")
    assert len(claimed(operator)) == 1


def test_an_unknown_cap_and_a_negative_amount_are_refused(operator: Operator) -> None:
    with pytest.raises(NotFound, match="nothing"):
        operator.executor.cap_allow("nothing", Decimal(1))
    with pytest.raises(BadInput, match="p_amount"):
        operator.executor.cap_allow("nothing", Decimal(-1))


def test_people_are_told_of_the_caps_that_hold_for_them_and_of_all_that_is_used(
    operator: Operator, connection: Connection
) -> None:
    books, stock = (operator.owner.ensure_project("acme", name) for name in ("books", "stock"))
    rivals = operator.owner.ensure_project("rivals", "books")
    connection.execute(
        "insert into ops.caps (key, org_id, unit, amount, period) select 'all of acme', org_id, 'rows', 100, 'month' "
        "from ops.projects where id = %s",
        [books],
    )
    cap(connection, stock, 5, "day")
    cap(connection, rivals, 5, "hour")
    cap(connection, books, 5, "concurrent")
    # By the other project of the org, whose charges a member of this one may not read.
    connection.execute(
        "insert into ops.cap_usage (cap_id, project_id, amount) select id, %s, 40 from ops.caps where key = 'all of acme'",
        [stock],
    )
    Tenancy(connection).set_member("acme", "books", MATE, "viewer")
    with person(connection, MATE) as mate:
        told = {each.key: each for each in Caps(mate.source).standing()}
    assert {key: each.used for key, each in told.items()} == {"all of acme": 40, "runs a concurrent": 0}
    whole, at_once = told["all of acme"], told["runs a concurrent"]
    assert whole.began_at is not None
    assert whole.ends_at is not None
    assert (whole.began_at.day, whole.ends_at.day, whole.began_at.tzinfo) == (1, 1, whole.ends_at.tzinfo)
    assert whole.began_at <= whole.asked_at < whole.ends_at
    assert at_once.began_at is at_once.ends_at is None
    with person(connection, GUEST) as guest:
        assert Caps(guest.source).standing() == []


def test_what_waits_for_a_cap_is_what_it_holds_up_alone(operator: Operator, connection: Connection) -> None:
    demo = operator.owner.ensure_project("default", "demo")
    cap(connection, demo, 1, "concurrent")
    caps = Caps(connection)
    queue(operator, demo)
    [at_work] = operator.executor.claim_run(operator.executor_id)
    operator.owner.create_run(
        demo, "dev", "demo", SPEC, "5" * 64, "a" * 40, [], available_at=datetime.now(UTC) + timedelta(hours=1)
    )
    needs = {**SPEC, "capabilities": ["gpu"]}
    operator.owner.create_run(demo, "dev", "demo", needs, "6" * 64, "a" * 40, [])
    [full] = caps.standing()
    assert (full.full, full.waits, caps.waiting(full)) == (True, False, [])
    held = queue(operator, demo)
    # Another cap that is full holds it up as well, whichever of them it is said to wait for.
    cap(connection, demo, 0, "day")
    for each in caps.standing():
        assert (each.waits, [run.run_id for run in caps.waiting(each)]) == (True, [held])
    connection.execute("delete from ops.caps where period = 'day'")
    operator.executor.fail_run(at_work.run_id, at_work.lease_token, "PHASE_FAILED", "over")
    [ample] = caps.standing()
    assert (ample.full, ample.waits) == (False, False)
