"""Fifty parallel claimers at each kind of cap on runs and at pools: never over at any instant. With the lock removed, over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import LiteralString

import pytest

from ops.database import Connection
from ops.limits import Limits
from tests.migrations.storm import queue, storm, without_lock
from tests.operating import Operator

RUNS, LIMIT = 30, 3
LOCK = "perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('ops.caps', 0));"
LEASED: LiteralString = "select count(*) from ops.run_leases"
OF_SMALL: LiteralString = (
    "select count(*) from ops.run_leases l join ops.projects p on p.id = l.project_id where p.slug = 'small'"
)
OF_PIPELINE: LiteralString = (
    "select count(*) from ops.run_leases l join ops.runs r on r.id = l.run_id where r.pipeline = 'narrow'"
)
# By the runs that are owned and by what the pool's own book says, whichever is more.
OF_POOL: LiteralString = """
    select greatest(
      (select coalesce(sum((r.pools ->> 'source')::int), 0) from ops.run_leases l join ops.runs r on r.id = l.run_id),
      (select coalesce(sum(slots), 0) from ops.pool_uses))::int
"""


@dataclass(frozen=True)
class Kind:
    """A limit, and how to see how much of it is used."""

    make: Callable[[Limits], object]
    look: LiteralString


CONCURRENT = {
    "org": Kind(lambda it: it.set_cap("default", None, "seats", "runs", Decimal(LIMIT), "concurrent"), LEASED),
    "project": Kind(lambda it: it.set_cap("default", "small", "seats", "runs", Decimal(LIMIT), "concurrent"), OF_SMALL),
    "pipeline": Kind(
        lambda it: it.set_cap("default", "small", "seats", "runs", Decimal(LIMIT), "concurrent", "narrow"), OF_PIPELINE
    ),
    "pool of the org": Kind(lambda it: it.set_pool("default", None, "source", LIMIT), OF_POOL),
    "pool of the project": Kind(lambda it: it.set_pool("default", "small", "source", LIMIT), OF_POOL),
}
USED: LiteralString = "select coalesce(sum(amount), 0)::int from ops.cap_usage"


def fill(operator: Operator) -> None:
    """All runs are of one pipeline, half of them with two slots of the pool."""
    queue(operator, "small", RUNS // 2, "source", "narrow")
    queue(operator, "small", RUNS // 2, {"name": "source", "slots": 2}, "narrow")


def goes_over(operator: Operator, connection: Connection, look: LiteralString) -> bool:
    """Whether claimers that do not take turns get more than the limit: they keep what they get, one run a claim, since with
    two they would end in deadlocks before."""
    without_lock(connection, "private.claim_under_limits", LOCK)
    deadline = time.monotonic() + 60
    seen = storm(operator, look, lambda got: len(got) > LIMIT or time.monotonic() > deadline, batch=1, keep=True)
    return len(seen.claimed) > LIMIT


@pytest.mark.parametrize("name", CONCURRENT)
def test_what_runs_hold_at_once_is_never_over(operator: Operator, connection: Connection, name: str) -> None:
    operator.owner.ensure_project("default", "small")
    CONCURRENT[name].make(Limits(connection))
    fill(operator)
    seen = storm(operator, CONCURRENT[name].look, lambda claimed: len(claimed) >= RUNS)
    assert len(seen.claimed) == len(set(seen.claimed)) == RUNS
    assert 1 < seen.most <= LIMIT, seen
    assert seen.samples > 10
    assert connection.execute("select count(*) from ops.pool_uses").fetchone() == (0,)
    assert connection.execute("select count(*) from ops.cap_usage where released_at is null").fetchone() == (0,)


@pytest.mark.parametrize("name", ["project", "pool of the project"])
def test_without_the_lock_it_would_be_over(operator: Operator, connection: Connection, name: str) -> None:
    """The mutant: if this were not over, the test above would prove nothing."""
    operator.owner.ensure_project("default", "small")
    CONCURRENT[name].make(Limits(connection))
    fill(operator)
    assert goes_over(operator, connection, CONCURRENT[name].look)


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
def test_what_runs_use_in_a_period_is_never_over(operator: Operator, connection: Connection, period: str) -> None:
    operator.owner.ensure_project("default", "small")
    Limits(connection).set_cap("default", "small", "runs", "runs", Decimal(LIMIT), period)
    queue(operator, "small", RUNS)
    # Others go on: when they are through, everybody has met the full cap again and again.
    queue(operator, "free", RUNS)
    seen = storm(operator, USED, lambda claimed: len(claimed) >= RUNS + LIMIT)
    assert (seen.most, len(seen.claimed)) == (LIMIT, RUNS + LIMIT)
    assert operator.executor.claim_run(operator.executor_id, max_runs=9) == []


def test_without_the_lock_a_period_would_be_over(operator: Operator, connection: Connection) -> None:
    """The mutant."""
    operator.owner.ensure_project("default", "small")
    Limits(connection).set_cap("default", "small", "runs", "runs", Decimal(LIMIT), "day")
    queue(operator, "small", RUNS)
    assert goes_over(operator, connection, USED)
