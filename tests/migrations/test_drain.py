"""An executor that is asked to drain is given no further run, whatever it says; and who may ask."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from ops.access_reads import Access
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import Conflict, NotAllowed, NotFound
from ops.fleet_reads import Fleet, FleetExecutor
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.acting import BOSS, GUEST, MATE
from tests.operating import PHASES, SPEC, Operator


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


def test_one_that_announces_itself_again_is_drained_still(operator: Operator, connection: Connection) -> None:
    """A call whose answer was lost is repeated; only another id is another executor."""
    operator.queue()
    operator.owner.drain_executor(operator.executor_id)
    operator.executor.register_executor(operator.executor_id, "again", slots=7)
    again = found(connection, operator.executor_id)
    assert (again.name, again.slots, again.state) == ("again", 7, "draining")
    assert operator.executor.claim_run(operator.executor_id) == []


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


def may_ask(connection: Connection, subject: str) -> bool:
    with acting_as(connection, AUTHENTICATED, {"sub": subject}) as acting:
        return Access(acting).is_installation_admin()


def asked_as(connection: Connection, subject: str, executor: UUID) -> bool:
    with acting_as(connection, AUTHENTICATED, {"sub": subject}) as acting:
        return Rpc(acting).drain_executor(executor)


def test_only_an_admin_of_every_org_may_ask(connection: Connection) -> None:
    """Where there are several orgs, another's runs are taken by the same executors."""
    rpc, owner, executor, other = Rpc(connection), Tenancy(connection), uuid4(), uuid4()
    rpc.ensure_project("acme", "books")
    rpc.register_executor(executor, "shared-1")
    rpc.register_executor(other, "shared-2")
    owner.set_member("acme", None, BOSS, "admin")
    owner.set_member("acme", None, MATE, "editor")
    assert [may_ask(connection, each) for each in (BOSS, MATE, GUEST)] == [True, False, False]
    for subject in (MATE, GUEST):
        with pytest.raises(NotAllowed):
            asked_as(connection, subject, executor)
    assert not rpc.is_draining(executor)
    assert asked_as(connection, BOSS, executor)
    told = connection.execute(
        "select o.slug, a.subject, a.after ->> 'name' from ops.audit_log a join ops.orgs o on o.id = a.org_id "
        "where a.action = 'executors.drain'"
    ).fetchall()
    # The seed's org, which has no member, knows of it as well.
    assert sorted(told) == [("acme", BOSS, "shared-1"), ("default", BOSS, "shared-1")]
    project = rpc.ensure_project("rivals", "books")
    assert may_ask(connection, BOSS)
    rpc.create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
    assert not may_ask(connection, BOSS)
    rpc.ensure_project("third", "books")
    owner.set_member("rivals", None, BOSS, "admin")
    assert may_ask(connection, BOSS)
    owner.set_member("third", None, GUEST, "viewer")
    with pytest.raises(NotAllowed):
        asked_as(connection, BOSS, other)
    assert not rpc.is_draining(other)
