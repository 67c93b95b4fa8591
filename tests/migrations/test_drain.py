"""An executor that is asked to drain is given no further run, whatever it says; and who may ask."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from ops.access_reads import Access
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import Conflict, NotAllowed, NotFound
from ops.fleet_reads import Fleet, FleetExecutor
from ops.rpc import Rpc
from tests.migrations.acting import BOSS, GUEST, MATE
from tests.operating import Operator


def found(connection: Connection, executor: UUID) -> FleetExecutor:
    [one] = [each for each in Fleet(connection).executors() if each.executor_id == executor]
    return one


def test_it_is_given_no_further_run_and_keeps_what_it_has(operator: Operator, connection: Connection) -> None:
    run_id, token = operator.running()
    operator.queue()
    assert not operator.executor.is_draining(operator.executor_id)
    assert operator.owner.drain_executor(operator.executor_id)
    assert operator.executor.is_draining(operator.executor_id)
    assert operator.executor.claim_run(operator.executor_id) == []
    assert operator.executor.heartbeat_run(run_id, token).held
    operator.complete(run_id, token)
    other = uuid4()
    operator.executor.register_executor(other, "other")
    assert len(operator.executor.claim_run(other)) == 1


def test_it_takes_no_run_by_saying_that_it_is_active(operator: Operator, connection: Connection) -> None:
    operator.queue()
    operator.owner.drain_executor(operator.executor_id)
    operator.executor.executor_seen(operator.executor_id, "active")
    assert found(connection, operator.executor_id).state == "draining"
    connection.execute("update ops.executors set state = 'lost'")
    operator.executor.heartbeat_runs(operator.executor_id, {})
    assert found(connection, operator.executor_id).state == "draining"
    assert operator.executor.claim_run(operator.executor_id) == []


def test_one_that_is_registered_anew_works_again(operator: Operator, connection: Connection) -> None:
    operator.queue()
    operator.owner.drain_executor(operator.executor_id)
    operator.executor.register_executor(operator.executor_id, "again")
    assert found(connection, operator.executor_id).drain_asked_at is None
    assert len(operator.executor.claim_run(operator.executor_id)) == 1


def test_a_repeat_changes_nothing_and_a_lost_one_cannot_be_drained(operator: Operator, connection: Connection) -> None:
    assert operator.owner.drain_executor(operator.executor_id)
    before = found(connection, operator.executor_id).drain_asked_at
    assert not operator.owner.drain_executor(operator.executor_id)
    assert found(connection, operator.executor_id).drain_asked_at == before
    connection.execute("update ops.executors set state = 'lost'")
    with pytest.raises(Conflict, match="lost"):
        operator.owner.drain_executor(operator.executor_id)
    with pytest.raises(NotFound):
        operator.owner.drain_executor(uuid4())


def asked_as(connection: Connection, subject: str, executor: UUID) -> bool:
    with acting_as(connection, AUTHENTICATED, {"sub": subject}) as acting:
        return Rpc(acting).drain_executor(executor)


def test_only_who_administers_every_org_may_ask(acme: Connection) -> None:
    """Another org's runs are taken by the same executors."""
    rpc, executor = Rpc(acme), uuid4()
    rpc.register_executor(executor, "shared-1")
    acme.execute(
        "insert into ops.memberships (org_id, subject, role) select id, %s, 'viewer' from ops.orgs where slug = 'acme'",
        [MATE],
    )
    for subject, refusal in ((GUEST, NotFound), (MATE, NotAllowed), (BOSS, NotAllowed)):
        with pytest.raises(refusal):
            asked_as(acme, subject, executor)
    assert not rpc.is_draining(executor)
    acme.execute(
        "insert into ops.memberships (org_id, subject, role) select id, %s, 'admin' from ops.orgs where slug <> 'acme'",
        [BOSS],
    )
    with acting_as(acme, AUTHENTICATED, {"sub": BOSS}) as acting:
        assert Access(acting).administers_all()
    with acting_as(acme, AUTHENTICATED, {"sub": MATE}) as acting:
        assert not Access(acting).administers_all()
    assert asked_as(acme, BOSS, executor)
    assert found(acme, executor).drain_asked_by == BOSS
    told = acme.execute(
        "select o.slug, a.subject, a.after ->> 'name' from ops.audit_log a join ops.orgs o on o.id = a.org_id "
        "where a.action = 'executors.drain' order by 1"
    ).fetchall()
    assert [slug for slug, *_ in told] == sorted(
        slug for (slug,) in acme.execute("select slug from ops.orgs").fetchall()
    )
    assert {(who, name) for _, who, name in told} == {(BOSS, "shared-1")}
