"""Scores: parts that add up, one sentence, other weights, and what is asked of a run before something else may happen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from ops.database import AUTHENTICATED, Connection, connect
from ops.errors import BadInput, Conflict, NotAllowed, NotFound
from ops.model import DatasetVersion, RunId
from ops.scores import Scores
from ops.tenancy import Tenancy
from tests.operating import Operator, commit


@pytest.fixture
def connection(operator: Operator) -> Iterator[Connection]:
    with connect(operator.url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def project(operator: Operator) -> UUID:
    return operator.owner.ensure_project("default", "demo")


def written(operator: Operator, dataset: DatasetVersion) -> RunId:
    """A run that succeeded and wrote this version."""
    run, token = operator.running()
    operator.executor.start_phase(run, token, "bronze")
    operator.executor.record_dataset(run, token, "bronze", dataset)
    operator.complete(run, token)
    return run


def signaled(operator: Operator, **signals: float) -> RunId:
    """A run that succeeded and says this of itself."""
    run, token = operator.running()
    for name, value in signals.items():
        operator.executor.record_signal(run, token, name, value)
    operator.complete(run, token)
    return run


def habit(
    operator: Operator,
    connection: Connection,
    versions: int = 20,
    apart: timedelta = timedelta(days=1),
    rows: int = 19_800,
) -> None:
    """A history of ``silver.sale_order`` until now, daily if nothing else is said."""
    for version in range(versions):
        one = replace(commit(version), rows=rows + version, total_rows=rows + version)
        written(operator, replace(one, stats={"rows": one.rows, "nulls": {"id": 0, "amount": 5}}))
        connection.execute(
            "update ops.dataset_versions set recorded_at = recorded_at - %s where version = %s",
            [apart * (versions - version), version],
        )


def test_points_add_up_to_the_score_whatever_the_signals(operator: Operator, connection: Connection) -> None:
    chance = random.Random(7)
    scores = Scores(connection)
    names = [row.signal for row in scores.weights() if row.signal not in ("outcome", "retries", "lost_leases")]
    for _ in range(25):
        for row in scores.weights():
            scores.set_weight(row.signal, round(chance.uniform(0.1, 90), 2))
        chosen = chance.sample(names, chance.randint(0, len(names)))
        run = signaled(operator, **{name: chance.expovariate(0.2) for name in chosen})
        given = operator.owner.compute_run_score(run)
        found = scores.of(run)
        assert found.score == given == sum(part.points for part in found.parts)
        assert sum(part.possible for part in found.parts) == 100
        lost = [part.possible - part.points for part in found.parts]
        assert lost == sorted(lost, reverse=True), "what cost most comes first"
        assert found.sentence.startswith(f"{found.score:.0f} of 100: ")


def test_a_run_without_fault_has_all_points(operator: Operator, connection: Connection) -> None:
    run = operator.succeeded()
    assert operator.owner.compute_run_score(run) == 100
    assert Scores(connection).of(run).sentence == "100 of 100: nothing stood out"


def test_the_sentence_says_what_was_seen(operator: Operator, connection: Connection) -> None:
    habit(operator, connection)
    stats = {"rows": 10_213, "nulls": {"id": 0, "amount": 4000}}
    dataset = replace(commit(20), rows=10_213, total_rows=10_213, stats=stats, schema={"id": "long", "note": "string"})
    run = written(operator, dataset)
    score = operator.owner.compute_run_score(run)
    found = Scores(connection).of(run)
    assert score == found.score < 85
    assert "silver.sale_order has 48 % fewer rows than usual (10,213, usually about 19,8" in found.sentence
    assert "silver.sale_order.amount is null in 39.2 % of rows (usually 0.0 %)" in found.sentence
    assert "amount is gone, id is long, was integer, note is new" in found.sentence


@pytest.mark.parametrize(("versions", "apart"), [(7, timedelta(days=2)), (20, timedelta(hours=6))])
def test_eight_points_and_a_week_are_asked_before_anything_is_judged(
    operator: Operator, connection: Connection, versions: int, apart: timedelta
) -> None:
    habit(operator, connection, versions, apart)
    dataset = replace(commit(versions), rows=9_000, total_rows=9_000)
    run = written(operator, dataset)
    assert operator.owner.compute_run_score(run) == 100
    assert "row_count_anomaly" not in {part.signal for part in Scores(connection).of(run).parts}


def test_a_backfill_is_neither_judged_nor_usual(operator: Operator, connection: Connection) -> None:
    habit(operator, connection)
    run = written(operator, replace(commit(20), rows=50, total_rows=50))
    connection.execute("alter table ops.runs disable trigger terminal_runs_never_change")
    connection.execute("update ops.runs set trigger = 'backfill' where id = %s", [run])
    operator.owner.compute_run_score(run)
    parts = {part.signal for part in Scores(connection).of(run).parts}
    assert "schema_drift" in parts
    assert "row_count_anomaly" not in parts
    [[rows]] = connection.execute(
        "select cardinality((private.history_of(dataset_id, 21, clock_timestamp(), 'replace')).rows) "
        "from ops.dataset_versions limit 1"
    ).fetchall()
    assert rows == 20


def test_a_changed_level_is_usual_after_half_a_week(operator: Operator, connection: Connection) -> None:
    habit(operator, connection, versions=36)
    values: list[float] = []
    for day in range(8):
        run = written(operator, replace(commit(36 + day), rows=9_000 + day, total_rows=9_000 + day))
        connection.execute("update ops.dataset_versions set recorded_at = recorded_at - interval '1 day'")
        operator.owner.compute_run_score(run)
        values += [
            value
            for (value,) in connection.execute(
                "select value from ops.signals where run_id = %s and signal = 'row_count_anomaly'", [run]
            )
        ]
    assert min(values[:3]) > 4
    assert max(values[5:]) < 4


def test_columns_are_compared_with_the_last_version_of_a_run_that_succeeded(
    operator: Operator, connection: Connection
) -> None:
    written(operator, commit(0))
    run, token = operator.running()
    operator.executor.start_phase(run, token, "bronze")
    operator.executor.record_dataset(run, token, "bronze", replace(commit(1), schema={"other": "long"}))
    operator.executor.fail_run(run, token, "TESTED", "gave up")
    same = written(operator, commit(2))
    operator.owner.compute_run_score(same)
    drift = {part.signal: part.value for part in Scores(connection).of(same).parts}["schema_drift"]
    assert drift == 0
    [[rows]] = connection.execute(
        "select cardinality((private.history_of(dataset_id, 3, clock_timestamp(), 'replace')).rows) "
        "from ops.dataset_versions limit 1"
    ).fetchall()
    assert rows == 2, "what a failed run left is no history"


def test_other_weights_are_tried_and_not_kept(operator: Operator, connection: Connection) -> None:
    run = signaled(operator, failed_checks=3)
    scores = Scores(connection)
    before = operator.owner.compute_run_score(run)
    tried = scores.what_if(run, {"failed_checks": 90, "retries": 0})
    assert before is not None and tried.score < before
    assert sum(part.points for part in tried.parts) == tried.score
    assert "retries" not in {part.signal for part in tried.parts}
    assert scores.of(run).score == before
    for wrong in ({"nonsense": 3.0}, {"retries": -1.0}):
        with pytest.raises(BadInput, match="p_weights"):
            scores.what_if(run, wrong)
    scores.set_weight("failed_checks", 90)
    assert operator.owner.compute_run_score(run) != before


def test_who_may_change_weights_and_gates(operator: Operator, connection: Connection, project: UUID) -> None:
    run = operator.succeeded()
    operator.owner.compute_run_score(run)
    Tenancy(connection).set_member("default", "demo", "editor", "editor")
    with connect(operator.url, AUTHENTICATED, claims={"sub": "editor"}, autocommit=True) as editing:
        scores = Scores(editing)
        assert scores.what_if(run, {}).score == scores.of(run).score == 100
        with pytest.raises(NotAllowed):
            scores.set_weight("retries", 1)
        with pytest.raises(NotAllowed):
            scores.set_gate(project, "stage", None, 1)
    with connect(operator.url, AUTHENTICATED, claims={"sub": "stranger"}, autocommit=True) as strange:
        with pytest.raises(NotFound):
            Scores(strange).what_if(run, {})
        assert Scores(strange).trend(project, "demo") == []


def test_a_gate_asks_a_score_of_the_run_that_earns_a_promotion(
    operator: Operator, connection: Connection, project: UUID
) -> None:
    scores, tenancy = Scores(connection), Tenancy(connection)
    scores.set_gate(project, "stage", None, 50)
    scores.set_gate(project, "stage", "demo", 99)
    poor = signaled(operator, row_count_anomaly=20)
    score = operator.owner.compute_run_score(poor)
    assert score is not None and 50 < score < 99
    with pytest.raises(Conflict, match="a score of at least 99"):
        tenancy.promote_pipeline(project, "demo", 1, "stage")
    scores.set_gate(project, "stage", "demo", None)
    tenancy.promote_pipeline(project, "demo", 1, "stage")
    [gate] = scores.gates()
    assert (gate.env, gate.pipeline, gate.min_score) == ("stage", None, Decimal(50))
    with pytest.raises(BadInput, match="0 to 100"):
        scores.set_gate(project, "stage", None, 101)


def test_a_gate_asks_a_score_of_whatever_a_run_sets_off(
    operator: Operator, connection: Connection, project: UUID
) -> None:
    poor = signaled(operator, row_count_anomaly=20)

    def is_open() -> bool:
        [[found]] = connection.execute(
            "select private.score_gate_open(%s, 'demo', 'dev', %s)", [project, poor]
        ).fetchall()
        return bool(found)

    assert is_open()
    assert connection.execute("select 1 from ops.run_scores").fetchall() == [], "nobody asked"
    Scores(connection).set_gate(project, "dev", None, 99)
    assert not is_open(), "it is scored when it is asked for"
    Scores(connection).set_gate(project, "dev", None, 1)
    assert is_open()


def test_processor_time_stands_beside_its_history(operator: Operator, connection: Connection) -> None:
    def used(seconds: float) -> RunId:
        run = operator.succeeded(phases=())
        connection.execute(
            "insert into ops.run_phases (run_id, ordinal, project_id, name, kind, status, metrics) "
            "select id, 1, project_id, 'p', 'query', 'succeeded', jsonb_build_object('cpu_seconds', %s::float8) "
            "from ops.runs where id = %s",
            [seconds, run],
        )
        operator.owner.compute_run_score(run)
        return run

    for number in range(10):
        used(30 + number / 10)
    parts = {part.signal: part for part in Scores(connection).of(used(90)).parts}
    assert parts["cost_anomaly"].value > 4
    assert parts["cost_anomaly"].said == "it used 90 s of processor time (usually 30 s)"


def test_the_event_time_is_known_with_the_commit(operator: Operator, connection: Connection, project: UUID) -> None:
    connection.execute("select ops.put_freshness_rule(%s, 'dev', 'silver.sale_order', 60, 60, 'at')", [project])
    schema = {"at": "timestamp"}

    def clock(version: int, mode: str, newest: str | None) -> datetime | None:
        stats = {"rows": 1, "nulls": {}, "newest": {"at": newest} if newest else {}}
        written(operator, replace(commit(version), mode=mode, schema=schema, stats=stats))
        [(looked, found)] = connection.execute(
            "select event_looked_at is not null, event_time from ops.dataset_versions where version = %s", [version]
        ).fetchall()
        assert looked
        return None if found is None else datetime.fromisoformat(str(found))

    second = clock(0, "replace", "2026-03-02T00:00:00+00:00")
    assert second == datetime.fromisoformat("2026-03-02T00:00:00+00:00")
    assert clock(1, "append", "2026-03-01T00:00:00+00:00") == second, "older rows leave a table as new as it was"
    assert clock(2, "append", None) == second
    assert clock(3, "replace", "2026-03-01") == datetime.fromisoformat("2026-03-01T00:00:00+00:00")
