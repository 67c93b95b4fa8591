"""A cap's name is its org's: another's of the same name is another cap, and nobody learns of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import BadInput, NotFound
from ops.limits import Limits
from ops.model import RunId
from ops.tenancy import Tenancy
from tests.operating import SPEC, Operator

ORGS = ("acme", "rivals")


@pytest.fixture
def both(operator: Operator, connection: Connection) -> Limits:
    """An admin of each org – its name with ``-admin`` – and in each org a run a project."""
    for org in ORGS:
        operator.owner.ensure_project(org, "books")
        Tenancy(connection).set_member(org, None, f"{org}-admin", "admin")
    return Limits(connection)


def queue(operator: Operator, org: str, runs: int = 3) -> set[RunId]:
    project = operator.owner.ensure_project(org, "books")
    return {
        operator.owner.create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, []) for _ in range(runs)
    }  # fmt: skip


def claimed(operator: Operator) -> set[RunId]:
    return {run.run_id for run in operator.executor.claim_run(operator.executor_id, max_runs=10)}


def test_two_orgs_have_a_cap_of_the_same_name(operator: Operator, connection: Connection, both: Limits) -> None:
    ours, theirs = queue(operator, "acme"), queue(operator, "rivals")
    for org, amount, unit, period in (("acme", 1, "runs", "concurrent"), ("rivals", 2, "runs", "day")):
        with acting_as(connection, AUTHENTICATED, {"sub": f"{org}-admin"}) as person:
            Limits(person).set_cap(org, None, "runs", unit, Decimal(amount), period)
    mine = claimed(operator)
    assert (len(mine & ours), len(mine & theirs)) == (1, 2)
    assert {(row.org, int(row.amount), int(row.used)) for row in both.caps()} == {("acme", 1, 1), ("rivals", 2, 2)}
    with acting_as(connection, AUTHENTICATED, {"sub": "acme-admin"}) as person:
        Limits(person).remove_cap("acme", "runs")
    assert [(row.org, int(row.used)) for row in both.caps()] == [("rivals", 2)]
    assert claimed(operator) == ours - mine


def test_an_admin_learns_nothing_of_another_orgs_cap(connection: Connection, both: Limits) -> None:
    both.set_cap("rivals", None, "secret", "rows", Decimal(7), "hour")
    with acting_as(connection, AUTHENTICATED, {"sub": "acme-admin"}) as person:
        assert Limits(person).caps() == []
    said = set()
    for org, key in (("rivals", "secret"), ("rivals", "none"), ("nowhere", "secret"), ("acme", "secret")):
        with pytest.raises(NotFound) as refused, acting_as(connection, AUTHENTICATED, {"sub": "acme-admin"}) as person:
            Limits(person).remove_cap(org, key)
        said.add(refused.value.message.replace(key, "…"))
    assert len(said) == 1, "what is not there and what is another's are told apart"
    with acting_as(connection, AUTHENTICATED, {"sub": "acme-admin"}) as person:
        Limits(person).set_cap("acme", None, "secret", "money", Decimal(1), "month")
        assert [(row.key, row.org, row.unit) for row in Limits(person).caps()] == [("secret", "acme", "money")]
    assert {(row.org, row.unit, int(row.amount)) for row in both.caps()} == {
        ("acme", "money", 1),
        ("rivals", "rows", 7),
    }


def test_an_executor_says_whose_cap_it_means_where_there_are_several(operator: Operator, both: Limits) -> None:
    both.set_cap("acme", None, "rows", "rows", Decimal(5), "day")
    assert operator.executor.cap_allow("rows", Decimal(1))
    both.set_cap("rivals", None, "rows", "rows", Decimal(1), "day")
    with pytest.raises(BadInput, match="several orgs have a cap 'rows'; give p_org"):
        operator.executor.cap_allow("rows", Decimal(1))
    assert operator.executor.cap_allow("rows", Decimal(1), "rivals")
    assert not operator.executor.cap_allow("rows", Decimal(1), "rivals")
    assert operator.executor.cap_allow("rows", Decimal(4), "acme")
    with pytest.raises(NotFound):
        operator.executor.cap_allow("rows", Decimal(1), "nowhere")
