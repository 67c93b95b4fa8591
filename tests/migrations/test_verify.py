"""A verification is a run of its own that judges nothing, starts nothing and is made by one function only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from ops.backfills import Backfills
from ops.database import AUTHENTICATED, Connection, acting_as, connect
from ops.errors import BadInput, IllegalTransition, LeaseLost, NotAllowed, NotFound
from ops.model import LeaseToken, NewPhase, RunId, RunStatus, Trigger
from ops.reads import Reads
from ops.run_filter import EVERYTHING, RunFilter
from ops.schedules import Schedules
from ops.tenancy import Tenancy
from ops.verification import Verifications
from tests.operating import PHASES, SPEC, Operator

VERIFY = (NewPhase("verify", "verify"),)


@pytest.fixture
def verifications(connection: Connection) -> Verifications:
    return Verifications(connection)


def ended(operator: Operator) -> RunId:
    """The verification that is queued, carried out."""
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.complete(run.run_id, run.lease_token, VERIFY)
    return run.run_id


def test_it_has_the_definition_and_inputs_of_the_run_and_one_phase(
    operator: Operator, verifications: Verifications, connection: Connection
) -> None:
    of = operator.succeeded(input_manifest={"tables": {"silver.x": 3}}, params={"a": 1}, timeout_seconds=60)
    made = verifications.verify(of)
    [row] = connection.execute(
        "select v.pipeline, v.trigger, v.parent_run = r.id, v.root_run, v.spec = r.spec, v.params = r.params, "
        "v.input_manifest = r.input_manifest, v.timeout_seconds "
        "from ops.runs v, ops.runs r where v.id = %s and r.id = %s",
        [made, of],
    ).fetchall()
    assert row == ("verify", "verify", True, None, True, True, True, 120.0)
    [phase] = Reads(connection).phases(made)
    assert (phase.name, phase.kind) == ("verify", "verify")
    run = operator.claim()
    left = Verifications(operator.executor.source).left(run.run_id, run.lease_token)
    assert left is not None
    assert (left.run_id, left.scope.project, left.pipeline, left.params) == (of, "demo", "demo", {"a": 1})
    assert [one.name for one in left.phases] == [one.name for one in PHASES]
    assert {one.effect_of for one in left.phases} == {of}


def test_while_one_has_not_ended_it_is_that_one(
    operator: Operator, verifications: Verifications, database: str
) -> None:
    of = operator.succeeded()

    def ask(_: int) -> RunId:
        with connect(database, autocommit=True) as mine:
            return Verifications(mine).verify(of)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1
    first = ended(operator)
    found = verifications.last_of(of)
    assert found is not None
    assert (found.run_id, found.status) == (first, RunStatus.SUCCEEDED)
    second = verifications.verify(of)
    assert second != first
    found = verifications.last_of(of)
    assert found is not None
    assert (found.run_id, found.status) == (second, RunStatus.QUEUED)


def test_only_what_succeeded_is_verified_and_no_verification_is_done_again(
    operator: Operator, verifications: Verifications, connection: Connection
) -> None:
    waiting = operator.queue()
    with pytest.raises(IllegalTransition, match="only a run that succeeded"):
        verifications.verify(waiting)
    operator.owner.cancel_run(waiting, "by hand")
    verifications.verify(operator.succeeded())
    made = ended(operator)
    for again in (verifications.verify, operator.owner.retry_run, Backfills(connection).replay):
        with pytest.raises(IllegalTransition, match="verify that one again"):
            again(made)
    with pytest.raises(BadInput, match=r"made by ops\.verify_run"):
        operator.queue(trigger="verify")
    with pytest.raises(NotFound):
        verifications.verify(RunId(UUID(int=7)))


def test_only_who_holds_it_reads_what_it_is_about(operator: Operator, verifications: Verifications) -> None:
    verifications.verify(operator.succeeded())
    run = operator.claim()
    executing = Verifications(operator.executor.source)
    with pytest.raises(LeaseLost):
        executing.left(run.run_id, LeaseToken(run.lease_token + 1))
    left = executing.left(run.run_id, run.lease_token)
    assert left is not None
    assert left.pipeline == "demo"


def test_it_takes_the_operators_role(operator: Operator, verifications: Verifications, connection: Connection) -> None:
    of = operator.succeeded()
    for role in ("viewer", "operator"):
        Tenancy(connection).set_member("default", "demo", f"{role}@x", role)

    def asked(subject: str) -> RunId:
        with acting_as(connection, AUTHENTICATED, {"sub": subject}) as acting:
            return Verifications(acting).verify(of)

    with pytest.raises(NotAllowed):
        asked("viewer@x")
    with pytest.raises(NotFound):
        asked("nobody@x")
    assert asked("operator@x") == verifications.verify(of)


def test_no_score_and_no_schedule_comes_of_it_and_lists_leave_it_out(
    operator: Operator, verifications: Verifications, connection: Connection
) -> None:
    of = operator.succeeded()
    project = operator.owner.ensure_project("default", "demo")
    # A pipeline of somebody's may be named so too.
    operator.owner.register_pipeline(project, "verify", {**SPEC, "pipeline": "verify"}, "6" * 64, "a" * 40)
    operator.owner.register_pipeline(project, "second", {**SPEC, "pipeline": "second"}, "7" * 64, "a" * 40)
    schedules = Schedules(connection)
    after = schedules.put(
        project, "dev", "then", {"pipeline": "second", "kind": "after_pipeline", "after_pipeline": "verify"}
    )
    verifications.verify(of)
    made = ended(operator)
    assert (schedules.pending(), schedules.ticks(after)) == ([], [])
    connection.execute("select ops.score_ended_runs()")
    assert connection.execute("select run_id from ops.run_scores").fetchall() == [(of,)]
    reads = Reads(connection)
    assert [row.run_id for row in reads.list_runs(EVERYTHING)] == [of]
    assert [row.run_id for row in reads.list_runs(RunFilter(trigger=(Trigger.VERIFY,)))] == [made]
