"""Caps on what runs use while they work: charged as it is reported, once; no repeat, retry or restart gets it back."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.database import EXECUTOR, Connection, connect
from ops.errors import CapExceeded, LeaseLost
from ops.limits import Limits
from ops.model import LeaseToken, PhaseStatus, RunId
from ops.rpc import Rpc
from tests.operating import Operator, commit

Mine = tuple[RunId, LeaseToken]


def cap(
    connection: Connection, unit: str, amount: int, pipeline: str | None = None, project: str | None = "demo"
) -> None:
    Limits(connection).set_cap("default", project, unit, unit, Decimal(amount), "day", pipeline)


def used(connection: Connection, unit: str) -> Decimal:
    [found] = [row.used for row in Limits(connection).caps() if row.key == unit]
    return found


def report(run_id: RunId, cpu_seconds: float, attempt: int = 1, **figures: float) -> dict[str, object]:
    return {"run_id": run_id, "phase": "bronze", "attempt": attempt, "cpu_seconds": cpu_seconds, **figures}


def beat(operator: Operator, mine: Mine, *reports: dict[str, object]) -> str | None:
    [state] = operator.executor.heartbeat_runs(operator.executor_id, dict([mine]), usage=reports)
    assert state.held
    return state.cap_exceeded


def started(operator: Operator) -> Mine:
    mine = operator.running()
    operator.executor.start_phase(*mine, "bronze")
    return mine


def test_what_is_reported_is_charged_once_as_it_grows(operator: Operator, connection: Connection) -> None:
    cap(connection, "cpu_seconds", 10)
    mine = started(operator)
    for seconds, charged in [(2.5, "2.5"), (2.5, "2.5"), (1, "2.5"), (4, "4")]:
        assert beat(operator, mine, report(mine[0], seconds)) is None
        assert used(connection, "cpu_seconds") == Decimal(charged)
    single = operator.executor.heartbeat_run(*mine, usage=[report(mine[0], 9.5)])
    assert (single.cap_exceeded, used(connection, "cpu_seconds")) == (None, Decimal("9.5"))
    for _ in range(2):
        operator.executor.finish_phase(
            *mine, "bronze", PhaseStatus.SUCCEEDED, {"usage": {"cpu_seconds": 9.75, "peak_memory_bytes": 7}}
        )
    assert used(connection, "cpu_seconds") == Decimal("9.75")
    [metrics] = connection.execute("select metrics from ops.run_phases where name = 'bronze'").fetchall()[0]
    assert metrics == {"cpu_seconds": 9.75, "peak_memory_bytes": 7}
    assert connection.execute("select count(*) from ops.cap_usage").fetchone() == (1,)


def test_the_answer_says_that_a_cap_is_used_up_to_all_whom_it_limits(
    operator: Operator, connection: Connection
) -> None:
    cap(connection, "cpu_seconds", 10)
    first, second = started(operator), started(operator)
    assert beat(operator, second, report(second[0], 4)) is None
    said = beat(operator, first, report(first[0], 6))
    assert said is not None
    assert said.startswith(
        "cap cpu_seconds is used up: 10 of 10 cpu_seconds (day); raise it, or retry when its period is over, at "
    )
    assert beat(operator, second) == said
    with pytest.raises(CapExceeded, match="cap cpu_seconds is used up"):
        operator.executor.start_phase(*first, "checks")
    # Not again before the period is over, neither by this run nor by a retry of it.
    assert operator.executor.fail_run(*first, "CAP_EXCEEDED", said, {}, retryable=CapExceeded.retryable) == "failed"
    operator.owner.retry_run(first[0])
    again = operator.claim()
    operator.executor.start_run(again.run_id, again.lease_token)
    with pytest.raises(CapExceeded):
        operator.executor.start_phase(again.run_id, again.lease_token, "bronze")


def test_a_retry_and_a_restart_add_to_what_was_used(operator: Operator, connection: Connection) -> None:
    cap(connection, "cpu_seconds", 100)
    mine = started(operator)
    beat(operator, mine, report(mine[0], 5))
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.FAILED, {"usage": {"cpu_seconds": 6}})
    # Another try at the phase begins from nothing, and so does another owner's.
    assert operator.executor.start_phase(*mine, "bronze") == 2
    beat(operator, mine, report(mine[0], 3, attempt=2))
    assert used(connection, "cpu_seconds") == 9
    connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
    [lost] = operator.executor.heartbeat_runs(
        operator.executor_id, dict([mine]), usage=[report(mine[0], 50, attempt=2)]
    )
    assert (lost.held, used(connection, "cpu_seconds")) == (False, Decimal(9))
    with pytest.raises(LeaseLost):
        operator.executor.heartbeat_run(*mine, usage=[report(mine[0], 50, attempt=2)])
    assert operator.owner.requeue_stale_runs() == 1
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    assert operator.executor.start_phase(run.run_id, run.lease_token, "bronze") == 3
    beat(operator, (run.run_id, run.lease_token), report(run.run_id, 2, attempt=3))
    assert used(connection, "cpu_seconds") == 11
    [row] = Limits(connection).usage(run.run_id)
    assert (row.tries, row.cpu_seconds) == (3, Decimal(11))


def test_what_was_never_begun_used_nothing(operator: Operator, connection: Connection) -> None:
    cap(connection, "cpu_seconds", 100)
    mine = started(operator)
    nonsense = [report(mine[0], 5, attempt=7), {**report(mine[0], 5), "phase": "checks"}, report(mine[0], -5)]
    beat(operator, mine, *nonsense, report(RunId(uuid.uuid4()), 5))
    assert used(connection, "cpu_seconds") == 0


def test_a_cap_of_a_pipeline_or_project_is_not_charged_for_others(operator: Operator, connection: Connection) -> None:
    for key, project, pipeline in [("demo", "demo", "demo"), ("else", "demo", "else"), ("org", None, None)]:
        Limits(connection).set_cap("default", project, key, "cpu_seconds", Decimal(50), "month", pipeline)
    operator.owner.ensure_project("default", "other")
    Limits(connection).set_cap("default", "other", "theirs", "cpu_seconds", Decimal(0), "day")
    mine = started(operator)
    assert beat(operator, mine, report(mine[0], 5)) is None
    charged = {row.key: row.used for row in Limits(connection).caps()}
    assert charged == {"demo": 5, "else": 0, "org": 5, "theirs": 0}


def test_rows_and_bytes_are_charged_with_each_commit(operator: Operator, connection: Connection) -> None:
    cap(connection, "rows", 60)
    cap(connection, "bytes", 100_000)
    mine = started(operator)
    for version in range(2):
        for _ in range(2):
            operator.executor.record_dataset(*mine, "bronze", commit(version))
    assert (used(connection, "rows"), used(connection, "bytes")) == (Decimal(60), Decimal(2 * 4096))
    assert (beat(operator, mine) or "").startswith("cap rows is used up: 60 of 60 rows")
    done = {"rows_out": 60, "byte_size": 2 * 4096, "datasets": [{"rows": 30, "adopted": False}] * 2}
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.SUCCEEDED, done)
    assert (used(connection, "rows"), used(connection, "bytes")) == (Decimal(60), Decimal(2 * 4096))


def test_what_is_adopted_of_a_former_owner_is_charged_once(operator: Operator, connection: Connection) -> None:
    cap(connection, "rows", 1000)
    mine = started(operator)
    operator.executor.record_dataset(*mine, "bronze", commit(0))
    connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
    operator.owner.requeue_stale_runs()
    run = operator.claim()
    mine = run.run_id, run.lease_token
    operator.executor.start_run(*mine)
    operator.executor.start_phase(*mine, "bronze")
    done = {"rows_out": 45, "byte_size": 0, "datasets": [{"rows": 30, "adopted": True}, {"rows": 15, "adopted": False}]}
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.SUCCEEDED, done)
    assert used(connection, "rows") == 45


def test_fifty_reports_at_once_lose_nothing_and_all_are_told(operator: Operator, connection: Connection) -> None:
    cap(connection, "cpu_seconds", 50 * 4)
    Limits(connection).set_cap("default", None, "whole", "cpu_seconds", Decimal(10_000), "hour")
    runs = [started(operator) for _ in range(50)]

    def work(mine: Mine) -> bool:
        with connect(operator.url, EXECUTOR, autocommit=True) as own:
            said = [
                Rpc(own).heartbeat_runs(operator.executor_id, dict([mine]), usage=[report(mine[0], seconds)])
                for seconds in (1, 2, 2, 3, 4)
            ]
            return said[-1][0].cap_exceeded is not None

    with ThreadPoolExecutor(50) as crowd:
        told = list(crowd.map(work, runs))
    assert used(connection, "cpu_seconds") == used(connection, "whole") == 50 * 4
    assert any(told)
    assert all(beat(operator, mine) for mine in runs)
    # The counts by period are the sum of what was charged.
    counted = "select sum(used) from private.cap_windows"
    assert (
        connection.execute(counted).fetchone() == connection.execute("select sum(amount) from ops.cap_usage").fetchone()
    )


def test_a_run_is_charged_at_the_prices_of_the_moment(operator: Operator, connection: Connection) -> None:
    limits = Limits(connection)
    cap(connection, "money", 100, project=None)
    mine = started(operator)
    beat(operator, mine, report(mine[0], 10))
    [row] = limits.usage(mine[0])
    assert (row.cost, row.currency, used(connection, "money")) == (None, None, Decimal(0))
    for unit, price in [("cpu_second", "0.1"), ("gb_read", "0.02"), ("gb_written", "0.5"), ("gb_hour", "0.36")]:
        limits.set_price("default", unit, Decimal(price), "PHP")
    beat(operator, mine, report(mine[0], 20, read_bytes=10**9, written_bytes=2 * 10**9))
    assert used(connection, "money") == Decimal("2.02")
    limits.set_price("default", "cpu_second", Decimal(7), "PHP", datetime.now(UTC) + timedelta(days=1))
    limits.set_price("default", "cpu_second", Decimal("0.3"), "PHP")
    beat(operator, mine, report(mine[0], 21, peak_memory_bytes=5 * 10**9, seconds=100))
    [row] = limits.usage(mine[0])
    # One CPU-second at the new price, and 500 GB-seconds.
    assert (row.cost, row.currency) == (Decimal("2.02") + Decimal("0.3") + Decimal("0.05"), "PHP")
    assert used(connection, "money") == row.cost
    said = beat(operator, mine, report(mine[0], 400))
    assert said is not None
    assert said.startswith("cap money is used up")


def test_a_new_period_begins_with_nothing_used(operator: Operator, connection: Connection) -> None:
    cap(connection, "cpu_seconds", 10)
    mine = started(operator)
    assert beat(operator, mine, report(mine[0], 10)) is not None
    connection.execute("update ops.cap_usage set used_at = used_at - interval '1 day'")
    assert beat(operator, mine, report(mine[0], 12)) is None
    assert used(connection, "cpu_seconds") == 2
