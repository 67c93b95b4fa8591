"""What starts runs besides clocks: another pipeline's success, a changed dataset, data that grows old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from ops.errors import BadInput, NotFound
from ops.model import Trigger
from tests.compute.clockwork import Clockwork
from tests.operating import Operator, commit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def clockwork(connection: psycopg.Connection) -> Clockwork:
    return Clockwork.of(connection, ("demo", "second", "third"))


def test_after_a_pipeline_each_success_starts_one(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection, ("demo", "second"))
        after = clockwork.schedules.put(
            clockwork.project_id,
            "dev",
            "then",
            {"pipeline": "second", "kind": "after_pipeline", "after_pipeline": "demo"},
        )
        started = [operator.succeeded(pipeline="demo") for _ in range(3)]
        operator.succeeded(pipeline="demo", trigger=Trigger.BACKFILL)
        operator.queue(pipeline="demo", phases=())
        run = operator.claim()
        operator.executor.start_run(run.run_id, run.lease_token)
        operator.executor.fail_run(run.run_id, run.lease_token, "INTERNAL", "no", {}, False)
        assert [each.outcome for each in clockwork.ticks(after)] == ["pending"] * 3
        connection.autocommit = False
        clockwork.schedules.decide_events(after)
        connection.rollback()
        connection.autocommit = True
        assert connection.execute("select count(*) from ops.runs where pipeline = 'second'").fetchone() == (0,)
        assert clockwork.schedules.pending() == [after]
        clockwork.schedules.decide_events(after)
        clockwork.schedules.decide_events(after)
        rows = connection.execute("select key from ops.schedule_ticks where outcome = 'fired' order by tick").fetchall()
        assert rows == [(f"run:{each}",) for each in started]
        assert connection.execute("select count(*) from ops.runs where pipeline = 'second'").fetchone() == (3,)


def test_a_score_may_keep_what_comes_after_from_starting(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection, ("demo", "second"))
        definition = {"pipeline": "second", "kind": "after_pipeline", "after_pipeline": "demo", "min_score": 95}
        after = clockwork.schedules.put(clockwork.project_id, "dev", "then", definition)
        operator.succeeded(pipeline="demo")
        operator.queue(pipeline="demo", phases=())
        run = operator.claim()
        operator.executor.start_run(run.run_id, run.lease_token)
        operator.executor.record_signal(run.run_id, run.lease_token, "failed_checks", 1.0, {})
        operator.executor.complete_run(run.run_id, run.lease_token, {})
        clockwork.schedules.decide_events(after)
        good, bad = clockwork.ticks(after)
        assert (good.outcome, bad.outcome) == ("fired", "skipped")
        assert "less than 95" in bad.reason


def test_a_circle_of_pipelines_is_refused(clockwork: Clockwork) -> None:
    def after(pipeline: str, other: str) -> UUID:
        definition = {"pipeline": pipeline, "kind": "after_pipeline", "after_pipeline": other}
        return clockwork.schedules.put(clockwork.project_id, "dev", f"{pipeline}_after", definition)

    with pytest.raises(BadInput, match="demo → demo would start itself"):
        after("demo", "demo")
    after("second", "demo")
    after("third", "second")
    with pytest.raises(BadInput, match="third → demo"):
        after("demo", "third")
    with pytest.raises(NotFound, match="there is no pipeline fourth"):
        after("fourth", "demo")


def released(operator: Operator, version: int, pipeline: str = "demo") -> None:
    """A run of ``pipeline`` that leaves a version of silver.sale_order."""
    operator.queue(pipeline=pipeline)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.start_phase(run.run_id, run.lease_token, "bronze")
    operator.executor.record_dataset(run.run_id, run.lease_token, "bronze", commit(version))
    operator.complete(run.run_id, run.lease_token)


def test_a_changed_dataset_starts_one_run_a_version_but_not_the_pipeline_that_changed_it(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection, ("demo", "second"))
        definition = {"pipeline": "second", "kind": "on_dataset", "dataset": "silver.sale_order"}
        watching = clockwork.schedules.put(clockwork.project_id, "dev", "watching", definition)
        released(operator, 0)
        released(operator, 1)
        assert clockwork.schedules.decide_events(watching) == 2
        assert len(clockwork.fired(watching)) == 2
        clockwork.end_runs("canceled")
        released(operator, 2, pipeline="second")
        clockwork.schedules.decide_events(watching)
        assert clockwork.outcomes(watching)[-1] == ("skipped", 1, "the pipeline itself changed the dataset")


def test_what_is_stale_starts_a_run_and_another_after_as_long_again(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection, ("second",))
        released(operator, 0)
        definition = {"pipeline": "second", "kind": "when_stale", "dataset": "silver.sale_order", "stale_seconds": 3600}
        stale = clockwork.put("stale", None, **definition)
        [(at,)] = connection.execute("select updated_at from ops.datasets").fetchall()
        clockwork.look_at_events(at + 0.9 * HOUR)
        assert clockwork.ticks(stale) == []
        for hours in (1.0, 1.3, 1.9):
            clockwork.look_at_events(at + hours * HOUR)
            clockwork.end_runs("failed")
        assert clockwork.fired(stale) == [at + HOUR]
        clockwork.look_at_events(at + 2.01 * HOUR)
        assert clockwork.fired(stale) == [at + HOUR, at + 2 * HOUR]
        clockwork.look_at_events(at + 3.2 * HOUR)
        assert len(clockwork.fired(stale)) == 2, "its run has not ended"


def test_events_in_a_pause_wait_for_what_resuming_says(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection, ("demo", "second"))
        definition = {"pipeline": "second", "kind": "after_pipeline", "after_pipeline": "demo"}
        one = clockwork.schedules.put(clockwork.project_id, "dev", "then", definition)
        for catch_up in (False, True):
            clockwork.schedules.pause(one)
            operator.succeeded(pipeline="demo")
            assert clockwork.schedules.pending() == []
            clockwork.schedules.resume(one, catch_up)
            clockwork.schedules.decide_events(one)
        assert [each.outcome for each in clockwork.ticks(one)] == ["skipped", "fired"]
        clockwork.schedules.remove(one)
        assert [each.outcome for each in clockwork.ticks(one)] == ["skipped", "fired"], "the ledger stays"
