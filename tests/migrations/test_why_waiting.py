"""What a queued run waits for, said in one row: each reason, and nothing of what the asker may not see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import NotFound
from ops.limits import Limits, Waiting
from ops.model import RunId
from ops.tenancy import Tenancy
from tests.operating import SPEC, Operator

NAMED = {**SPEC, "pool": "source"}


def queue(operator: Operator, project: str = "demo", **changes: object) -> RunId:
    project_id = operator.owner.ensure_project("default", project)
    given = {"spec": SPEC, "spec_sha256": f"{len(str(changes)):064d}", **changes}
    return operator.owner.create_run(
        project_id, "dev", "demo", git_sha="a" * 40, phases=[], **given  # type: ignore[arg-type]
    )  # fmt: skip


def why(connection: Connection, run_id: RunId) -> Waiting:
    found = Limits(connection).why_waiting(run_id)
    assert found is not None
    return found


def test_it_waits_for_its_pause(operator: Operator, connection: Connection) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    found = why(connection, queue(operator, available_at=until))
    assert (found.reason, found.until) == ("backoff", until)


def test_it_waits_for_somebody_who_works(operator: Operator, connection: Connection) -> None:
    run_id = queue(operator, spec={**SPEC, "capabilities": ["gpu", "odoo"]})
    assert why(connection, run_id).said == "no executor at work has the capability gpu, odoo"
    operator.executor.executor_seen(operator.executor_id, "draining")
    assert why(connection, run_id).reason == "nobody"
    operator.executor.executor_seen(operator.executor_id, "active")
    connection.execute("update ops.executors set last_seen = last_seen - interval '1 hour'")
    assert why(connection, run_id).reason == "nobody"


def test_it_waits_for_a_cap(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    limits.set_cap("default", "demo", "nightly", "runs", Decimal(1), "day")
    queue(operator)
    second = queue(operator)
    operator.claim()
    found = why(connection, second)
    assert (found.reason, found.said) == ("cap", "cap nightly is full: 1 of 1 runs (day)")
    assert found.until is not None
    limits.set_cap("default", "demo", "nightly", "runs", Decimal(2), "day")
    assert why(connection, second).said == "it is the next"


def test_it_waits_for_a_pool_and_is_told_who_holds_it(operator: Operator, connection: Connection) -> None:
    Limits(connection).set_pool("default", None, "source", 2)
    theirs, ours = queue(operator, "other", spec=NAMED), queue(operator, spec=NAMED)
    third = queue(operator, spec=NAMED)
    assert {operator.claim().run_id, operator.claim().run_id} == {theirs, ours}
    found = why(connection, third)
    assert found.reason == "pool"
    assert {holder["run_id"] for holder in found.data["holders"]} == {str(theirs), str(ours)}  # type: ignore[attr-defined]
    Tenancy(connection).set_member("default", "demo", "vera", "viewer")
    with acting_as(connection, AUTHENTICATED, {"sub": "vera"}) as person:
        seen = why(person, third)
    assert [holder["run_id"] for holder in seen.data["holders"]] == [str(ours)]  # type: ignore[attr-defined]
    assert seen.data["hidden_holders"] == 1
    assert str(theirs) not in str(seen)
    use = "pool source is full: 2 of 2 slots are in use and the run needs 1"
    assert seen.said == f"{use}; held by demo {ours} and 1 that you may not see"


def test_it_needs_more_than_the_pool_has(operator: Operator, connection: Connection) -> None:
    Limits(connection).set_pool("default", None, "source", 1)
    run_id = queue(operator, spec={**SPEC, "pool": {"name": "source", "slots": 2}})
    assert why(connection, run_id).said == "pool source has 1 slots, the run needs 2: give the pool more"


def test_it_waits_for_its_turn(operator: Operator, connection: Connection) -> None:
    runs = [queue(operator) for _ in range(3)]
    assert [why(connection, run_id).data for run_id in runs] == [{"ahead": 0}, {"ahead": 1}, {"ahead": 2}]
    assert why(connection, runs[2]).said == "2 runs go before it"


def test_only_a_queued_run_waits_and_only_its_members_ask(operator: Operator, connection: Connection) -> None:
    run_id = queue(operator)
    with acting_as(connection, AUTHENTICATED, {"sub": "stranger"}) as person, pytest.raises(NotFound):
        Limits(person).why_waiting(run_id)
    operator.claim()
    assert Limits(connection).why_waiting(run_id) is None
