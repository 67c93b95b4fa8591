"""Pools, and how limits are set: what is at work counts, a full pool holds nobody else up, and who may change what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.database import AUTHENTICATED, EXECUTOR, Connection, acting_as, connect
from ops.errors import BadInput, Conflict, ControlRoomError, NotAllowed, NotFound
from ops.limits import Limits
from ops.model import ClaimedRun, RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.operating import SPEC, Operator


def queue(operator: Operator, pool: object, project: str = "demo", number: int = 0) -> RunId:
    spec: Mapping[str, object] = {**SPEC, "pool": pool} if pool else SPEC
    sha256 = f"{abs(hash(str(pool))):064d}"
    project_id = operator.owner.ensure_project("default", project)
    return operator.owner.create_run(project_id, "dev", f"p{number}", spec, sha256, "a" * 40, [])


def claimed(operator: Operator, most: int = 10) -> list[ClaimedRun]:
    return operator.executor.claim_run(operator.executor_id, max_runs=most)


def ids(runs: list[ClaimedRun]) -> set[RunId]:
    return {run.run_id for run in runs}


def test_a_full_pool_holds_back_whom_it_is_named_by_and_nobody_else(operator: Operator, connection: Connection) -> None:
    Limits(connection).set_pool("default", "demo", "source", 3)
    named = [queue(operator, [{"name": "source", "slots": 2}]) for _ in range(3)]
    small, free, unknown = (
        queue(operator, "source", number=1),
        queue(operator, None),
        queue(operator, "nowhere", number=2),
    )
    assert ids(claimed(operator)) == {named[0], small, free, unknown}
    assert claimed(operator) == []


@pytest.mark.parametrize("end", ["complete", "fail", "requeue", "release", "lost"])
def test_slots_come_back_with_the_lease_however_it_ends(operator: Operator, connection: Connection, end: str) -> None:
    Limits(connection).set_pool("default", None, "source", 1)
    first, second = queue(operator, "source"), queue(operator, "source")
    [run] = claimed(operator)
    mine = run.run_id, run.lease_token
    assert run.run_id == first
    operator.executor.start_run(*mine)
    match end:
        case "complete":
            operator.executor.complete_run(*mine, {})
        case "fail":
            operator.executor.fail_run(*mine, "BROKEN", "it broke")
        case "requeue":
            operator.executor.fail_run(*mine, "BROKEN", "it broke", retryable=True)
        case "release":
            operator.executor.release_run(*mine)
        case "lost":
            connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
            assert claimed(operator) == []
            operator.owner.requeue_stale_runs()
    assert len(claimed(operator)) == 1
    assert connection.execute("select sum(slots) from ops.pool_uses").fetchone() == (1,)
    assert second is not None


def test_a_pool_of_the_project_goes_before_the_orgs(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    limits.set_pool("default", None, "source", 1)
    limits.set_pool("default", "demo", "source", 2)
    mine = [queue(operator, "source") for _ in range(3)]
    others = [queue(operator, "source", "other") for _ in range(2)]
    assert ids(claimed(operator)) == {*mine[:2], others[0]}
    # Without its own, what the project has at work counts in the org's.
    limits.remove_pool("default", "demo", "source")
    [pool] = limits.pools()
    assert (pool.used, len(pool.runs), claimed(operator)) == (3, 3, [])


def test_what_is_at_work_counts_from_a_limits_first_moment(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    for _ in range(4):
        queue(operator, "source")
    assert len(claimed(operator, 2)) == 2
    limits.set_pool("default", None, "source", 3)
    limits.set_cap("default", "demo", "seats", "runs", Decimal(3), "concurrent")
    assert len(claimed(operator)) == 1
    limits.set_pool("default", None, "source", 4)
    assert claimed(operator) == []
    limits.remove_cap("default", "seats")
    assert len(claimed(operator)) == 1
    assert connection.execute("select count(*) from ops.cap_usage").fetchone() == (0,)


def test_a_limit_waits_for_claims_under_way(operator: Operator, connection: Connection) -> None:
    """Else a claim that saw none would be counted by nobody."""
    queue(operator, "source")
    with connect(operator.url, EXECUTOR) as claiming, ThreadPoolExecutor(1) as other:
        assert len(Rpc(claiming).claim_run(operator.executor_id)) == 1
        made: Future[object] = other.submit(Limits(connection).set_pool, "default", None, "source", 1)
        assert not wait([made], timeout=0.3).done
        claiming.commit()
        made.result(60)
    assert Limits(connection).pools()[0].used == 1


def test_a_limit_gives_up_where_a_claim_takes_long(operator: Operator, connection: Connection) -> None:
    queue(operator, None)
    with connect(operator.url, EXECUTOR) as claiming:
        assert len(Rpc(claiming).claim_run(operator.executor_id)) == 1
        with pytest.raises(Conflict, match="try again"):
            Limits(connection).set_cap("default", None, "late", "runs", Decimal(1), "day")


def test_who_reads_limits_for_long_keeps_nobody_from_setting_them(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    with connect(operator.url) as reading:
        reading.execute("select count(*) from ops.caps, ops.pools")
        limits.set_cap("default", None, "late", "runs", Decimal(1), "day")
        limits.set_pool("default", None, "source", 1)
        limits.remove_pool("default", None, "source")
        limits.remove_cap("default", "late")
    assert (limits.caps(), limits.pools()) == ([], [])


CHANGES: dict[str, Callable[[Limits], object]] = {
    "another cap": lambda it: it.set_cap("default", None, "other", "cpu_seconds", Decimal(1), "day"),
    "a cap on runs": lambda it: it.set_cap("default", None, "runs", "runs", Decimal(1), "concurrent"),
    "more of a cap": lambda it: it.set_cap("default", None, "cpu", "cpu_seconds", Decimal(200), "day"),
    "no cap": lambda it: it.remove_cap("default", "cpu"),
    "a pool": lambda it: it.set_pool("default", None, "source", 2),
    "no pool": lambda it: it.remove_pool("default", None, "source"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_who_sets_limits_for_long_keeps_no_heartbeat_waiting(
    operator: Operator, connection: Connection, change: str
) -> None:
    """An admin's transaction stays open; leases of everybody are renewed, and what is used is charged, meanwhile."""
    limits = Limits(connection)
    limits.set_pool("default", None, "source", 1)
    limits.set_cap("default", None, "cpu", "cpu_seconds", Decimal(100), "day")
    mine = operator.running()
    operator.executor.start_phase(*mine, "bronze")
    beats = [{"run_id": mine[0], "phase": "bronze", "attempt": 1, "cpu_seconds": used} for used in (1, 2, 3)]
    with connect(operator.url) as setting, connect(operator.url, EXECUTOR, autocommit=True) as beating:
        beating.execute("set statement_timeout = '20s'")
        [first, *_] = Rpc(beating).heartbeat_runs(operator.executor_id, dict([mine]), usage=beats[:1])
        assert first.held
        CHANGES[change](Limits(setting))
        for beat in beats[1:]:
            [state] = Rpc(beating).heartbeat_runs(operator.executor_id, dict([mine]), usage=[beat])
            assert (state.held, state.cap_exceeded) == (True, None)
        setting.commit()
        assert Rpc(beating).heartbeat_run(*mine).cap_exceeded is None


@pytest.mark.parametrize(
    "pool", ["Bad Name", 7, [{"slots": 2}], [{"name": "a", "slots": 0}], ["a", "a"], {"name": "a", "slots": "x"}]
)
def test_a_pool_that_cannot_be_read_is_refused(operator: Operator, pool: object) -> None:
    with pytest.raises(BadInput, match="pool of p_spec"):
        queue(operator, pool)


Ask = Callable[[Limits], object]
WRONG: dict[str, tuple[Ask, type[ControlRoomError]]] = {
    "a cap without end": (lambda it: it.set_cap("default", None, "x", "runs", Decimal(-1), "day"), BadInput),
    "a nameless cap": (lambda it: it.set_cap("default", None, "No Name", "runs", Decimal(1), "day"), BadInput),
    "an unknown unit": (lambda it: it.set_cap("default", None, "x", "tons", Decimal(1), "day"), BadInput),
    "rows at once": (lambda it: it.set_cap("default", None, "x", "rows", Decimal(1), "concurrent"), BadInput),
    "a pipeline of no project": (lambda it: it.set_cap("default", None, "x", "rows", Decimal(1), "day", "p"), BadInput),
    "another unit": (lambda it: it.set_cap("default", None, "known", "rows", Decimal(1), "day"), Conflict),
    "another scope": (lambda it: it.set_cap("default", "demo", "known", "runs", Decimal(1), "day"), Conflict),
    "an unknown org": (lambda it: it.set_cap("nowhere", None, "x", "runs", Decimal(1), "day"), NotFound),
    "no cap": (lambda it: it.remove_cap("default", "nothing"), NotFound),
    "fewer slots than none": (lambda it: it.set_pool("default", None, "source", -1), BadInput),
    "no pool": (lambda it: it.remove_pool("default", None, "nothing"), NotFound),
    "a price below nothing": (lambda it: it.set_price("default", "gb_read", Decimal(-1), "EUR"), BadInput),
    "another currency": (lambda it: it.set_price("default", "gb_read", Decimal(1), "USD"), Conflict),
    "a price of the past": (
        lambda it: it.set_price("default", "gb_read", Decimal(1), "EUR", datetime.now(UTC) - timedelta(days=1)), BadInput,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_limit_is_refused_whole(operator: Operator, connection: Connection, what: str) -> None:
    limits = Limits(connection)
    limits.set_cap("default", None, "known", "runs", Decimal(1), "day")
    limits.set_price("default", "cpu_second", Decimal("0.1"), "EUR")
    ask, error = WRONG[what]
    with pytest.raises(error):
        ask(limits)
    assert [(row.key, row.unit, row.amount) for row in limits.caps()] == [("known", "runs", Decimal(1))]
    assert (limits.pools(), len(limits.prices())) == ([], 1)


def acts_of(project: str | None) -> list[Ask]:
    """Every way of changing limits."""
    return [
        lambda it: it.set_cap("default", project, "mine", "runs", Decimal(1), "day"),
        lambda it: it.set_pool("default", project, "mine", 1),
        lambda it: it.remove_pool("default", project, "mine"),
        lambda it: it.set_price("default", "cpu_second", Decimal(0), "EUR"),
        lambda it: it.remove_cap("default", "orgs"),
    ]


def test_an_admin_sets_limits_of_what_is_hers_and_it_is_written_down(
    operator: Operator, connection: Connection
) -> None:
    operator.owner.ensure_project("default", "demo")
    people = Tenancy(connection)
    people.set_member("default", "demo", "ada", "admin")
    people.set_member("default", "demo", "edda", "editor")
    people.set_member("default", None, "orla", "admin")
    Limits(connection).set_cap("default", None, "orgs", "runs", Decimal(9), "day")

    def done(subject: str, limits: Limits, project: str | None) -> None:
        limits.set_cap("default", project, f"of-{subject}", "runs", Decimal(5), "day")
        limits.set_pool("default", project, "source", 2)
        limits.set_pool("default", project, "source", 3)
        limits.remove_pool("default", project, "source")
        limits.remove_cap("default", f"of-{subject}")

    for subject, project in (("ada", "demo"), ("orla", None)):
        with acting_as(connection, AUTHENTICATED, {"sub": subject}) as person:
            done(subject, Limits(person), project)
    with acting_as(connection, AUTHENTICATED, {"sub": "orla"}) as person:
        Limits(person).set_price("default", "cpu_second", Decimal("0.1"), "EUR")
    for subject, project in (("ada", None), ("edda", "demo")):
        for refused in acts_of(project):
            with pytest.raises(NotAllowed), acting_as(connection, AUTHENTICATED, {"sub": subject}) as person:
                refused(Limits(person))
        with acting_as(connection, AUTHENTICATED, {"sub": subject}) as person:
            assert [row.key for row in Limits(person).caps()] == ["orgs"]
    with acting_as(connection, AUTHENTICATED, {"sub": "stranger"}) as person:
        assert Limits(person).caps() == []
    with pytest.raises(NotFound), acting_as(connection, AUTHENTICATED, {"sub": "stranger"}) as person:
        Limits(person).remove_cap("default", "orgs")
    acts = connection.execute(
        "select distinct subject, action from ops.audit_log where action ~ '^(caps|pools|prices)'"
    )
    by_whom: dict[str, set[str]] = {"ada": set(), "orla": set()}
    for subject, action in acts.fetchall():
        if subject in by_whom:
            by_whom[subject].add(action)
    changes = {"caps.insert", "caps.delete", "pools.insert", "pools.update", "pools.delete"}
    assert by_whom == {"ada": changes, "orla": {*changes, "prices.insert"}}
