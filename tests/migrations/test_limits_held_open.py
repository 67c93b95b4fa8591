"""Somebody changes limits and does not commit: claims of other orgs, and the ends of runs, do not wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import psycopg
import pytest

from ops.database import EXECUTOR, Connection, connect
from ops.limits import Limits
from ops.model import RunId
from ops.rpc import Rpc
from tests.operating import SPEC, Operator

MANY = Decimal(100)


@pytest.fixture
def hasty(operator: Operator) -> Iterator[Rpc]:
    """An executor that does not wait for two seconds."""
    with connect(operator.url, EXECUTOR, autocommit=True) as connection:
        connection.execute("set statement_timeout = '2s'")
        yield Rpc(connection)


def queue(operator: Operator, org: str, runs: int = 1) -> set[RunId]:
    project, spec = operator.owner.ensure_project(org, "books"), {**SPEC, "pool": "source"}
    return {operator.owner.create_run(project, "dev", "demo", spec, "6" * 64, "a" * 40, []) for _ in range(runs)}


def claimed(executor: Rpc, operator: Operator, most: int = 10) -> set[RunId]:
    return {run.run_id for run in executor.claim_run(operator.executor_id, max_runs=most)}


CHANGES: dict[str, Callable[[Limits], object]] = {
    "a first cap": lambda it: it.set_cap("acme", None, "seats", "runs", Decimal(1), "concurrent"),
    "more of a cap": lambda it: it.set_cap("acme", None, "known", "runs", MANY + 1, "concurrent"),
    "no cap": lambda it: it.remove_cap("acme", "known"),
    "a pool": lambda it: it.set_pool("acme", None, "source", 1),
    "no pool": lambda it: it.remove_pool("acme", None, "known"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_is_not_committed_holds_up_its_own_org_and_nobody_by_waiting(
    operator: Operator, connection: Connection, hasty: Rpc, change: str
) -> None:
    ours, theirs = queue(operator, "acme", 3), queue(operator, "others", 3)
    if change not in ("a first cap", "a pool"):
        Limits(connection).set_cap("acme", None, "known", "runs", MANY, "concurrent")
        Limits(connection).set_pool("acme", None, "known", 1)
    with connect(operator.url) as setting:
        CHANGES[change](Limits(setting))
        assert claimed(hasty, operator) == theirs, "what will hold for these runs is not known yet"
        setting.commit()
    allowed = 1 if change in ("a first cap", "a pool") else 3
    mine = claimed(hasty, operator)
    assert (len(mine), mine <= ours) == (allowed, True)


def test_a_change_that_is_not_committed_ends_with_its_idle_session(
    operator: Operator, connection: Connection, hasty: Rpc
) -> None:
    runs = queue(operator, "acme")
    with connect(operator.url) as setting:
        Limits(setting).set_cap("acme", None, "none", "runs", Decimal(0), "day")
        began = time.monotonic()
        while not (mine := claimed(hasty, operator)):
            assert time.monotonic() < began + 20, "claims are held up for as long as somebody thinks"
            time.sleep(0.1)
        assert mine == runs
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            setting.execute("select 1")
    assert Limits(connection).caps() == []


ENDS: dict[str, Callable[[Rpc, RunId, int], object]] = {
    "complete": lambda it, run, token: it.complete_run(run, token, {}),  # type: ignore[arg-type]
    "fail": lambda it, run, token: it.fail_run(run, token, "BROKEN", "it broke"),  # type: ignore[arg-type]
}
REMOVALS: dict[str, Callable[[Limits], object]] = {
    "a cap": lambda it: it.remove_cap("acme", "seats"),
    "a pool": lambda it: it.remove_pool("acme", None, "source"),
}


@pytest.mark.parametrize("keeps", [True, False], ids=["committed", "rolled back"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("removal", REMOVALS)
def test_a_run_ends_while_its_limit_is_being_removed(
    operator: Operator, connection: Connection, hasty: Rpc, removal: str, end: str, keeps: bool
) -> None:
    queue(operator, "acme", 2)
    limits = Limits(connection)
    limits.set_cap("acme", None, "seats", "runs", Decimal(1), "concurrent")
    limits.set_pool("acme", None, "source", 1)
    [run] = hasty.claim_run(operator.executor_id, max_runs=2)
    hasty.start_run(run.run_id, run.lease_token)
    with connect(operator.url) as removing:
        REMOVALS[removal](Limits(removing))
        ENDS[end](hasty, run.run_id, run.lease_token)
        if keeps:
            removing.commit()
        else:
            removing.rollback()
    # Its place is free again, whether anybody could note that or not.
    assert {int(row.used) for row in limits.caps()} | {row.used for row in limits.pools()} <= {0}
    assert len(claimed(hasty, operator)) == 1


def test_a_run_that_ends_while_a_limit_is_made_does_not_count_for_ever(
    operator: Operator, connection: Connection, hasty: Rpc
) -> None:
    queue(operator, "acme", 2)
    [run] = hasty.claim_run(operator.executor_id, max_runs=1)
    hasty.start_run(run.run_id, run.lease_token)
    with connect(operator.url) as setting:
        limits = Limits(setting)
        limits.set_cap("acme", None, "seats", "runs", Decimal(1), "concurrent")
        limits.set_pool("acme", None, "source", 1)
        hasty.complete_run(run.run_id, run.lease_token, {})
        setting.commit()
    assert len(claimed(hasty, operator)) == 1
