"""Who has queued ten thousand runs keeps nobody waiting for longer than one slot's time: counted in claims in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from ops.database import Connection
from ops.limits import Limits
from tests.operating import SPEC, Operator

CROWD = 10_000
# Straight into the table, as create_run would: through it ten thousand take half a minute.
FILL = """
insert into ops.runs (
  project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, turn, available_at, created_at)
select p.id, 'dev', 'demo', 1, '{}', 's', 'g', i, clock_timestamp(), clock_timestamp()
from ops.projects p, generate_series(1, %(runs)s) as i where p.slug = %(project)s;
insert into ops.queue_turns select id, 100, %(runs)s from ops.projects where slug = %(project)s
"""
# What a claim meets beside the queue → how it is made.
UNDER: dict[str, Callable[[Limits], object]] = {
    "no limit": lambda _: None,
    "a cap": lambda limits: limits.set_cap("default", None, "seats", "runs", Decimal(10**6), "concurrent"),
    "a pool": lambda limits: limits.set_pool("default", None, "source", 5),
}


def crowd(operator: Operator, connection: Connection, project: str = "crowd") -> None:
    operator.owner.ensure_project("default", project)
    for statement in FILL.split(";"):
        given = {"runs": CROWD, "project": project}
        connection.execute(psycopg.ClientCursor(connection).mogrify(statement, given).encode())
    connection.execute("analyze ops.runs")


def queue(operator: Operator, project: str, runs: int = 1, available_at: datetime | None = None) -> None:
    project_id = operator.owner.ensure_project("default", project)
    for _ in range(runs):
        operator.owner.create_run(
            project_id, "dev", "demo", SPEC, "5" * 64, "a" * 40, [], available_at=available_at
        )  # fmt: skip


def next_ones(operator: Operator, count: int) -> list[str]:
    """Whose runs the next claims get, one run a claim: each is what a slot takes that has become free."""
    return [operator.executor.claim_run(operator.executor_id)[0].scope.project for _ in range(count)]


@pytest.mark.parametrize("under", UNDER)
def test_anothers_first_run_waits_for_one_claim_at_most(operator: Operator, connection: Connection, under: str) -> None:
    crowd(operator, connection)
    UNDER[under](Limits(connection))
    assert set(next_ones(operator, 20)) == {"crowd"}
    queue(operator, "late", 5)
    got = next_ones(operator, 10)
    assert got.index("late") <= 1, got
    # And then by turns.
    assert got.count("late") == 5, got


def test_what_waits_for_another_day_gives_nobody_early_turns(operator: Operator, connection: Connection) -> None:
    queue(operator, "patient", 1, datetime.now(UTC) + timedelta(days=1))
    queue(operator, "steady", 100)
    assert set(next_ones(operator, 50)) == {"steady"}
    # Had it the turn of the run that waits, it would be fifty runs ahead of who has worked on meanwhile.
    queue(operator, "greedy", 100)
    got = next_ones(operator, 10)
    assert 4 <= got.count("steady") <= 6, got


def test_what_a_cap_held_back_does_not_come_back_before_all_others(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    crowd(operator, connection)
    limits.set_cap("default", "crowd", "closed", "runs", Decimal(0), "concurrent")
    queue(operator, "steady", 60)
    assert set(next_ones(operator, 40)) == {"steady"}
    limits.set_cap("default", "crowd", "closed", "runs", Decimal(10**6), "concurrent")
    got = next_ones(operator, 10)
    assert 4 <= got.count("steady") <= 6, got
