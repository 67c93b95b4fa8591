"""A run's life through the typed calls, on a real migrated database and as the executors' own role."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.database import EXECUTOR, Connection, Pool
from ops.errors import BadInput, Conflict, IllegalTransition, LeaseLost, NotAllowed, NotFound
from ops.model import Artifact, EventType, LeaseToken, NewEvent, PhaseStatus, RunId
from ops.reads import Reads
from ops.rpc import Rpc
from ops.translation import translated
from tests.operating import SPEC, Operator, commit


def event(message: str, event_id: uuid.UUID | None = None) -> NewEvent:
    return NewEvent(
        event_id or uuid.uuid4(), EventType.PHASE_PROGRESS, "bronze", message=message, data={"done": Decimal("1.5")}
    )


def artifact(name: str = "manifest.json") -> Artifact:
    return Artifact(name, "manifest", "0" * 64, 12, "application/json", "s3://a/sha256/00/" + "0" * 64, {"rows": 3})


def test_a_run_goes_from_queued_to_succeeded(operator: Operator, connection: Connection) -> None:
    run_id = operator.queue(params={"since": datetime(2026, 1, 2, tzinfo=UTC)}, tags={"team": "data"})
    run = operator.claim()
    assert (run.run_id, run.attempt, run.spec, run.scope.org) == (run_id, 1, SPEC, "default")
    assert run.params == {"since": "2026-01-02T00:00:00+00:00"}
    assert run.expires_at > datetime.now(UTC)
    assert [(phase.name, phase.status, phase.depends_on) for phase in run.phases] == [
        ("bronze", PhaseStatus.PENDING, ()),
        ("checks", PhaseStatus.PENDING, ("bronze",)),
    ]
    mine = (run_id, run.lease_token)
    executor = operator.executor
    executor.start_run(*mine)
    assert executor.pin_inputs(*mine, {"tables": ["a"]}) == {"tables": ["a"]}
    assert executor.pin_inputs(*mine, {"tables": ["b"]}) == {"tables": ["a"]}
    for phase in ("bronze", "checks"):
        assert executor.start_phase(*mine, phase, "v1:in", uuid.uuid4()) == 1
        executor.register_artifact(*mine, phase, artifact())
        executor.finish_phase(
            *mine, phase, PhaseStatus.SUCCEEDED, {"rows_out": 3, "output_fingerprint": "v1:out", "metrics": {}}
        )
    executor.record_signal(*mine, "duration", 1.5)
    executor.complete_run(*mine, {"tables": {"silver.a": 1}})

    reads = Reads(connection)
    detail = reads.run(run_id)
    assert (detail.status, detail.output_manifest, detail.tags) == (
        "succeeded",
        {"tables": {"silver.a": 1}},
        {"team": "data"},
    )
    assert [(row.name, row.status, row.rows_out) for row in reads.phases(run_id)] == [
        ("bronze", "succeeded", 3),
        ("checks", "succeeded", 3),
    ]
    assert [row.name for row in reads.artifacts(run_id)] == ["manifest.json"] * 2
    events = reads.events(run_id)
    assert [row.seq for row in events] == list(range(1, len(events) + 1))
    assert (events[0].type, events[-1].type) == (EventType.RUN_CREATED, EventType.RUN_SUCCEEDED)
    assert reads.events(run_id, after_seq=events[-2].seq) == events[-1:]
    check = operator.owner.verify_event_chain(run_id)
    assert (check.ok, check.events, check.first_bad_seq) == (True, len(events), None)


def test_nothing_to_claim_is_an_empty_list(operator: Operator) -> None:
    assert operator.executor.claim_run(operator.executor_id) == []


def test_a_key_gives_the_same_run_and_refuses_other_content(operator: Operator) -> None:
    first = operator.queue("nightly")
    assert operator.queue("nightly") == first
    with pytest.raises(Conflict, match="nightly"):
        operator.queue("nightly", params={"other": 1})


def test_every_call_of_an_owner_refuses_a_stale_token(operator: Operator) -> None:
    run_id, token = operator.running()
    stale = (run_id, LeaseToken(token - 1))
    executor = operator.executor
    calls: list[Callable[[], object]] = [
        lambda: executor.start_run(*stale),
        lambda: executor.heartbeat_run(*stale),
        lambda: executor.pin_inputs(*stale, {"a": 1}),
        lambda: executor.start_phase(*stale, "bronze"),
        lambda: executor.finish_phase(*stale, "bronze", PhaseStatus.SUCCEEDED, {}),
        lambda: executor.append_events(*stale, [event("x")]),
        lambda: executor.register_artifact(*stale, "bronze", artifact()),
        lambda: executor.hold_run(*stale),
        lambda: executor.record_dataset(*stale, "bronze", commit()),
        lambda: executor.record_signal(*stale, "duration", 1.0),
        lambda: executor.complete_run(*stale, {}),
        lambda: executor.fail_run(*stale, "INTERNAL", "x"),
        lambda: executor.release_canceled_run(*stale, "x"),
        lambda: executor.release_run(*stale),
    ]
    before = Reads(operator.owner.source).events(run_id)
    for call in calls:
        with pytest.raises(LeaseLost):
            call()
    assert Reads(operator.owner.source).events(run_id) == before


def test_a_repeated_call_with_the_same_token_changes_nothing(operator: Operator) -> None:
    mine = operator.running()
    executor = operator.executor
    one = event("once")
    assert executor.append_events(*mine, [one]) == executor.append_events(*mine, [one])
    executor.start_phase(*mine, "bronze")
    assert executor.register_artifact(*mine, "bronze", artifact()) == executor.register_artifact(
        *mine, "bronze", artifact()
    )
    for _ in range(2):
        executor.start_run(*mine)
        executor.finish_phase(*mine, "bronze", PhaseStatus.SUCCEEDED, {"rows_out": 1})
    for _ in range(2):
        executor.fail_run(*mine, "CHECK_FAILED", "no")
    types = [row.type for row in Reads(operator.owner.source).events(mine[0])]
    assert types.count(EventType.PHASE_PROGRESS) == 1
    assert types.count(EventType.PHASE_SUCCEEDED) == 1
    assert types.count(EventType.RUN_FAILED) == 1


def test_heartbeats_renew_and_tell_of_a_cancel_and_of_a_lost_lease(operator: Operator) -> None:
    run_id, token = operator.running(lease_seconds=5)
    single = operator.executor.heartbeat_run(run_id, token, "bronze", {"done": 10})
    assert (single.held, single.cancel_requested) == (True, False)
    gone = RunId(uuid.uuid4())
    states = {
        each.run_id: each
        for each in operator.executor.heartbeat_runs(operator.executor_id, {run_id: token, gone: token}, 60)
    }
    assert single.expires_at is not None
    renewed = states[run_id]
    assert renewed.expires_at is not None
    assert renewed.expires_at > single.expires_at + timedelta(seconds=30)
    assert not states[gone].held
    assert operator.owner.cancel_run(run_id, "wrong month") == "cancel_requested"
    [state] = operator.executor.heartbeat_runs(operator.executor_id, {run_id: token}, 60)
    assert state.cancel_requested
    operator.executor.release_canceled_run(run_id, token, "wrong month")
    assert Reads(operator.owner.source).run(run_id).status == "canceled"


def test_a_queued_run_is_canceled_at_once(operator: Operator) -> None:
    run_id = operator.queue()
    assert operator.owner.cancel_run(run_id, "not needed") == "canceled"
    assert operator.executor.claim_run(operator.executor_id) == []


def test_a_retryable_failure_queues_the_run_again_and_a_final_one_does_not(operator: Operator) -> None:
    first = operator.running()
    assert (
        operator.executor.fail_run(*first, "SOURCE_UNREACHABLE", "down\x00", {"n": float("nan")}, retryable=True)
        == "queued"
    )
    second = operator.running()
    assert operator.executor.fail_run(*second, "CHECK_FAILED", "nulls") == "failed"
    assert Reads(operator.owner.source).run(second[0]).error_code == "CHECK_FAILED"


def test_a_retry_keeps_what_succeeded(operator: Operator) -> None:
    mine = operator.running()
    operator.executor.start_phase(*mine, "bronze", "v1:in")
    operator.executor.finish_phase(
        *mine, "bronze", PhaseStatus.SUCCEEDED, {"rows_out": 7, "output_fingerprint": "v1:out"}
    )
    operator.executor.fail_run(*mine, "CHECK_FAILED", "nulls")
    again = operator.owner.retry_run(mine[0])
    run = operator.claim()
    assert run.run_id == again != mine[0]
    assert [phase.status for phase in run.phases] == [PhaseStatus.SUCCEEDED, PhaseStatus.PENDING]
    assert Reads(operator.owner.source).run(again).parent_run == mine[0]


def test_a_drained_run_keeps_its_attempt(operator: Operator) -> None:
    run_id, token = operator.running()
    operator.executor.release_run(run_id, token)
    run = operator.claim()
    assert (run.run_id, run.attempt) == (run_id, 1)
    assert run.lease_token > token


def test_wrong_values_are_refused_with_the_fields_name(operator: Operator) -> None:
    with pytest.raises(BadInput, match="env"):
        operator.queue(env="production")
    with pytest.raises(NotFound):
        operator.owner.cancel_run(RunId(uuid.uuid4()), "x")
    done = operator.running()
    operator.executor.fail_run(*done, "CHECK_FAILED", "x")
    with pytest.raises((IllegalTransition, LeaseLost)):
        operator.executor.start_run(*done)


def test_an_executor_may_call_but_not_look_or_write(executor_connection: Connection) -> None:
    for statement in ("select * from ops.runs", "delete from ops.runs", "update ops.run_leases set lease_token = 1"):
        with pytest.raises(NotAllowed), translated():
            executor_connection.execute(statement)


def test_a_batch_is_sent_together_and_refused_together(operator: Operator, connection: Connection) -> None:
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    with operator.executor.batch() as batch:
        batch.finish_phase(run_id, token, "bronze", PhaseStatus.SUCCEEDED, {})
        batch.record_signal(run_id, token, "duration", 2.0)
    assert Reads(operator.owner.source).phases(run_id)[0].status == "succeeded"
    with pytest.raises(LeaseLost), operator.executor.batch() as batch:
        batch.record_signal(run_id, token, "duration", 3.0)
        batch.complete_run(run_id, LeaseToken(token - 1), {})
    assert connection.execute("select value from ops.signals where run_id = %s", [run_id]).fetchall() == [(2.0,)]
    # The connection is whole again.
    assert operator.executor.heartbeat_run(run_id, token).held


def test_calls_through_a_pool_are_the_same_calls(operator: Operator) -> None:
    run_id = operator.queue()
    with Pool(operator.url, EXECUTOR, max_size=2) as pool:
        rpc = Rpc(pool)
        [run] = rpc.claim_run(operator.executor_id)
        assert run.run_id == run_id
        rpc.start_run(run.run_id, run.lease_token)
        with pytest.raises(LeaseLost):
            rpc.start_run(run.run_id, LeaseToken(run.lease_token + 1))
        assert rpc.heartbeat_run(run.run_id, run.lease_token).held


def test_an_expired_lease_is_requeued_for_the_next(operator: Operator, connection: Connection) -> None:
    run_id, token = operator.running(lease_seconds=0.2)
    connection.execute("select pg_sleep(0.3)")
    assert operator.owner.requeue_stale_runs() == 1
    run = operator.claim()
    assert run.run_id == run_id
    assert run.lease_token > token
