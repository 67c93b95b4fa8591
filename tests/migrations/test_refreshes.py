"""A refresh beside what else there is: it is nobody's proof, starts nothing, uncovers nothing, and keeps nobody waiting."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import pytest

from ops.backfills import Backfills
from ops.catalog import Catalog
from ops.database import EXECUTOR, Connection, connect
from ops.errors import Conflict, IllegalTransition
from ops.model import ClaimedRun, EventType, NewEvent, NewPhase, PhaseStatus, RefreshAsked, RunId, TableVersion
from ops.refreshes import Refreshes
from ops.rpc import Rpc
from ops.schedules import Schedules
from ops.tenancy import Tenancy
from tests.operating import Operator, commit

TABLE = "gold.mart"
PHASES = (NewPhase("make", "transform"),)
COMPARED = (*PHASES, NewPhase("compare_gold_mart", "compare", ("make",)))
SPEC: Mapping[str, object] = {
    "version": 1, "pipeline": "demo",
    "phases": [{"name": "make", "kind": "transform", "output": {"table": TABLE, "mode": "merge", "key": ["id"]}}],
}  # fmt: skip
SHA, GIT = "5" * 64, "a" * 40
COLUMNS = {"email": "string"}
FROM_PEOPLE = {
    "columns": {"email": [{"table": "silver.people", "column": "email", "kind": "DIRECT", "subtype": "IDENTITY"}]}
}
FROM_NOTHING: Mapping[str, object] = {"columns": {"email": []}}


class Mart:
    """``gold.mart`` of pipeline ``demo``, made by runs and refreshes that the test carries out as their executor."""

    def __init__(self, operator: Operator, connection: Connection) -> None:
        self.operator, self.connection = operator, connection
        self.owner, self.executor = Rpc(connection), operator.executor
        self.refreshes, self.catalog = Refreshes(connection), Catalog(connection)
        self.project = self.owner.ensure_project("default", "demo")
        self.owner.register_pipeline(self.project, "demo", SPEC, SHA, GIT)

    def start(self) -> UUID:
        return self.refreshes.start(self.project, "dev", RefreshAsked("demo", SPEC, SHA, GIT, {}, COMPARED, 1, None))

    def begun(self) -> ClaimedRun:
        """The run whose turn it is, at work in its first phase that is left."""
        run = self.operator.claim()
        self.executor.start_run(run.run_id, run.lease_token)
        self.executor.start_phase(run.run_id, run.lease_token, "make")
        return run

    def queued(self) -> ClaimedRun:
        self.operator.queue(spec=SPEC, phases=PHASES)
        return self.begun()

    def make(
        self, run: ClaimedRun, version: int, lineage: Mapping[str, object] | None = None, table: str = TABLE,
        inputs: tuple[TableVersion, ...] = (),
    ) -> None:  # fmt: skip
        """A commit of it, and its phase's success."""
        mine = run.run_id, run.lease_token
        made = dataclasses.replace(commit(version, table), schema=COLUMNS, inputs=inputs)
        self.executor.record_dataset(*mine, "make", made)
        result: dict[str, object] = {
            "output_fingerprint": f"o{version}",
            "datasets": [{"table": table, "version": version, "rows": 30, "byte_size": 4096}],
            **({} if lineage is None else {"column_lineage": {table: lineage}}),
        }
        self.executor.finish_phase(*mine, "make", PhaseStatus.SUCCEEDED, result)

    def ran(self, version: int, lineage: Mapping[str, object] | None = None, table: str = TABLE) -> RunId:
        run = self.queued()
        self.make(run, version, lineage, table)
        self.executor.complete_run(run.run_id, run.lease_token, {})
        return run.run_id

    def compared(self, run: ClaimedRun, version: int, former: int | None) -> None:
        """The end of a run that builds a refresh."""
        mine = run.run_id, run.lease_token
        self.executor.start_phase(*mine, "compare_gold_mart")
        comparison = {"table": TABLE, "version": version, "former": former}
        self.executor.finish_phase(
            *mine, "compare_gold_mart", PhaseStatus.SUCCEEDED, {"metrics": {"comparison": comparison}}
        )
        self.executor.complete_run(*mine, {})

    def built(
        self, version: int, former: int | None = None, lineage: Mapping[str, object] | None = None,
        inputs: tuple[TableVersion, ...] = (),
    ) -> tuple[UUID, RunId]:  # fmt: skip
        refresh = self.start()
        run = self.begun()
        self.make(run, version, lineage, inputs=inputs)
        self.compared(run, version, former)
        return refresh, run.run_id

    def fail(self, run: ClaimedRun) -> None:
        self.executor.fail_run(run.run_id, run.lease_token, "BROKEN", "it broke")

    def read(self) -> int | None:
        return self.catalog.entry(self.project, "dev", TABLE).version

    def personal(self) -> str | None:
        """What is said of the column whose source is personal data."""
        notes = self.catalog.entry(self.project, "dev", TABLE).notes
        return notes["email"].pii if "email" in notes else None


@pytest.fixture
def mart(operator: Operator, connection: Connection) -> Mart:
    return Mart(operator, connection)


@pytest.fixture
def masked(mart: Mart) -> Mart:
    """Readers have version 0, whose column comes from personal data."""
    mart.ran(0, {}, "silver.people")
    mart.catalog.note_column(mart.catalog.entry(mart.project, "dev", "silver.people").dataset_id, "email", pii="yes")
    mart.ran(0, FROM_PEOPLE)
    assert mart.personal() == "suspected"
    return mart


def again(mart: Mart) -> None:
    """Has suspicions looked at anew, as any change of the catalog does."""
    people = mart.catalog.entry(mart.project, "dev", "silver.people").dataset_id
    mart.catalog.note_column(people, "email", pii="yes")


def test_what_is_not_swapped_in_uncovers_nothing(masked: Mart) -> None:
    masked.start()
    run = masked.begun()
    masked.make(run, 1, FROM_NOTHING)
    assert masked.personal() == "suspected", "built, and not readers' yet"
    masked.fail(run)
    again(masked)
    assert masked.personal() == "suspected", "it never was"
    masked.ran(2, FROM_PEOPLE)
    assert masked.personal() == "suspected", "the answer of before has come back"
    masked.ran(3, FROM_NOTHING)
    assert masked.personal() is None, "its cause is gone, and not before readers have that"
    masked.ran(4, FROM_PEOPLE)
    assert masked.personal() == "suspected", "a known answer that comes back covers again"


def test_a_rollback_covers_what_readers_get_back(masked: Mart) -> None:
    refresh, _ = masked.built(1, 0, FROM_NOTHING)
    masked.refreshes.swap(refresh)
    assert (masked.read(), masked.personal()) == (1, None)
    masked.refreshes.roll_back(refresh)
    assert (masked.read(), masked.personal()) == (0, "suspected")


def test_a_refresh_is_retried_and_nothing_else_is_made_of_it(mart: Mart) -> None:
    mart.ran(0)
    mart.start()
    failed = mart.begun()
    mart.fail(failed)
    refused = pytest.raises(IllegalTransition, match="builds a refresh")
    again = Backfills(mart.connection)
    with refused:
        mart.owner.retry_run(failed.run_id, from_phase="make")
    with refused:
        mart.owner.retry_run(failed.run_id, latest=True)
    with refused:
        again.replay(failed.run_id)
    with refused:
        again.preview(failed.run_id, "replay")
    retry = mart.owner.retry_run(failed.run_id)
    run = mart.begun()
    assert run.run_id == retry
    mart.make(run, 1)
    mart.compared(run, 1, 0)
    for each in (failed.run_id, retry):
        with refused:
            again.replay(each)
        with refused:
            mart.owner.retry_run(each, from_phase="make")
    [refresh] = mart.refreshes.list(mart.project, "dev")
    assert (refresh.state, mart.read()) == ("built", 0)
    mart.refreshes.swap(refresh.refresh_id)
    assert mart.read() == 1


@pytest.fixture
def hasty(operator: Operator) -> Iterator[Connection]:
    """An executor that would rather fail than wait."""
    with connect(operator.url, EXECUTOR, autocommit=True) as connection:
        connection.execute("set lock_timeout = '5s'")
        yield connection


def test_who_commits_keeps_no_heartbeat_no_report_and_no_cancel_waiting(mart: Mart, hasty: Connection) -> None:
    mart.ran(0)
    run = mart.queued()
    mine = run.run_id, run.lease_token
    other, me = Rpc(hasty), mart.operator.executor_id
    mart.connection.execute("set lock_timeout = '5s'")
    with connect(mart.operator.url, EXECUTOR) as committing:
        Rpc(committing).hold_run(*mine)
        assert Rpc(committing).build_on(*mine, TABLE) is None
        [state] = other.heartbeat_runs(me, dict([mine]))
        assert state.held
        used = {"run_id": run.run_id, "phase": "make", "attempt": 1, "cpu_seconds": 1.5}
        assert not other.heartbeat_run(*mine, usage=[used]).cancel_requested
        other.append_events(*mine, [NewEvent(UUID(int=1), EventType.PHASE_PROGRESS)])
        mart.owner.cancel_run(run.run_id, "enough")
        assert other.heartbeat_run(*mine).cancel_requested


def test_who_builds_on_what_is_not_his_is_refused(mart: Mart, hasty: Connection) -> None:
    mart.ran(0)
    run = mart.queued()
    mart.connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
    with pytest.raises(Exception, match="lease"):
        Rpc(hasty).build_on(run.run_id, run.lease_token, TABLE)


def test_a_refresh_starts_nothing_after_it(mart: Mart) -> None:
    schedules = Schedules(mart.connection)
    mart.owner.register_pipeline(mart.project, "second", {**SPEC, "pipeline": "second"}, "6" * 64, GIT)
    definition = {"pipeline": "second", "kind": "after_pipeline", "after_pipeline": "demo"}
    after = schedules.put(mart.project, "dev", "then", definition)
    mart.built(0)
    assert (schedules.pending(), schedules.ticks(after)) == ([], [])
    mart.ran(1)
    assert schedules.pending() == [after]


def test_a_refresh_earns_no_promotion(mart: Mart) -> None:
    people = Tenancy(mart.connection)
    mart.built(0)
    with pytest.raises(Conflict, match="has not succeeded in dev"):
        people.promote_pipeline(mart.project, "demo", 1, "stage")
    mart.ran(1)
    people.promote_pipeline(mart.project, "demo", 1, "stage")


def rolled_back_under(mart: Mart) -> ClaimedRun:
    """A run that had written version 2 upon a refresh when that was rolled back with what came later."""
    mart.ran(0)
    refresh, _ = mart.built(1, 0)
    mart.refreshes.swap(refresh)
    run = mart.queued()
    mart.make(run, 2)
    mart.refreshes.roll_back(refresh, later=True)
    return run


def test_what_was_set_aside_under_a_run_makes_it_fail_and_not_succeed_with_nothing(mart: Mart) -> None:
    run = rolled_back_under(mart)
    with pytest.raises(Conflict, match="set aside by a rollback"):
        mart.executor.complete_run(run.run_id, run.lease_token, {})
    mart.fail(run)
    # What the failed run had done stands in its retry.
    mart.owner.retry_run(run.run_id)
    retry = mart.operator.claim()
    mart.executor.start_run(retry.run_id, retry.lease_token)
    with pytest.raises(Conflict, match="set aside by a rollback"):
        mart.executor.complete_run(retry.run_id, retry.lease_token, {})
    assert mart.read() == 0


def test_a_rollback_under_way_is_waited_for(mart: Mart) -> None:
    """Else a run whose last look was before it would give readers what it has set aside."""
    mart.ran(0)
    refresh, _ = mart.built(1, 0)
    mart.refreshes.swap(refresh)
    run = mart.queued()
    mart.make(run, 2)
    waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with connect(mart.operator.url) as rolling, ThreadPoolExecutor(1) as other:
        Refreshes(rolling).roll_back(refresh, later=True)
        done: Future[None] = other.submit(mart.executor.complete_run, run.run_id, run.lease_token, {})
        while mart.connection.execute(waits).fetchone() is None:
            assert not done.done()
        rolling.commit()
        with pytest.raises(Conflict, match="set aside by a rollback"):
            done.result(60)
    assert mart.read() == 0


def test_what_was_set_aside_is_not_adopted(mart: Mart) -> None:
    run = rolled_back_under(mart)
    with pytest.raises(Conflict, match="version 2 of gold.mart was set aside by a rollback"):
        mart.executor.record_dataset(run.run_id, run.lease_token, "make", commit(2, TABLE))
    mart.fail(run)
    mart.ran(3)
    assert mart.read() == 3


def test_a_refresh_finds_what_it_has_set_aside_itself(mart: Mart) -> None:
    mart.start()
    run = mart.begun()
    mart.make(run, 0)
    mart.executor.record_dataset(run.run_id, run.lease_token, "make", commit(0, TABLE))
    mart.compared(run, 0, None)
    [refresh] = mart.refreshes.list(mart.project, "dev")
    assert refresh.state == "built"


def test_what_was_rolled_back_is_newer_than_nothing(mart: Mart) -> None:
    """A replay is refused where its rows would take the place of newer ones; what nobody reads has no place."""
    run = mart.queued()
    mart.executor.pin_inputs(run.run_id, run.lease_token, {"tables": {"bronze.sale": 3}})
    mart.make(run, 0, inputs=(TableVersion("bronze.sale", 3),))
    mart.executor.complete_run(run.run_id, run.lease_token, {})
    refresh, _ = mart.built(1, 0, inputs=(TableVersion("bronze.sale", 5),))
    mart.refreshes.swap(refresh)
    again = Backfills(mart.connection)
    with pytest.raises(Conflict, match="which is older"):
        again.replay(run.run_id)
    mart.refreshes.roll_back(refresh)
    again.replay(run.run_id)
    mart.owner.retry_run(run.run_id, from_phase="make")
