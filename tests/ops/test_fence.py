"""The fence: a zombie cannot publish, a holder cannot be replaced, and a frozen holder does not hold for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ops.database import EXECUTOR, Connection
from ops.errors import DatabaseUnavailable, LeaseLost
from ops.fence import DatabaseFence, connector
from ops.model import LeaseToken, RunId
from tests.operating import Operator, commit

IDLE = 1.0


class Fences:
    """Makes fences for one database and closes them."""

    def __init__(self, url: str) -> None:
        self.url, self.made = url, list[DatabaseFence]()

    def __call__(self, run_id: RunId, lease_token: LeaseToken) -> DatabaseFence:
        fence = DatabaseFence(connector(self.url, EXECUTOR, IDLE), run_id, lease_token, "bronze", IDLE)
        self.made.append(fence)
        return fence


@pytest.fixture
def fences(database: str) -> Iterator[Fences]:
    made = Fences(database)
    yield made
    for fence in made.made:
        fence.close()


def versions(connection: Connection) -> list[tuple[str, int]]:
    recorded = connection.execute(
        "select d.layer || '.' || d.name, v.version from ops.dataset_versions v join ops.datasets d on d.id = v.dataset_id"
    )
    return [(table, version) for table, version in recorded.fetchall()]


def expire(connection: Connection, run_id: RunId) -> None:
    connection.execute(
        "update ops.run_leases set expires_at = clock_timestamp() - interval '1 s' where run_id = %s", [run_id]
    )


def test_what_is_recorded_is_visible_when_the_hold_ends(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    operator.executor.start_phase(*mine, "bronze")
    with fences(*mine).hold() as held:
        held.record(commit(4))
        assert versions(connection) == []
    assert versions(connection) == [("silver.sale_order", 4)]


def test_a_block_that_fails_records_nothing_and_frees_the_run(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    fence = fences(*mine)
    with pytest.raises(ZeroDivisionError), fence.hold() as held:
        held.record(commit())
        raise ZeroDivisionError
    with fence.hold():
        pass
    assert versions(connection) == []


def test_a_stale_token_is_refused_before_the_block(operator: Operator, fences: Fences) -> None:
    run_id, token = operator.running()
    for _ in range(2):
        with pytest.raises(LeaseLost), fences(run_id, LeaseToken(token - 1)).hold():
            pytest.fail("a zombie got in")


def test_an_expired_lease_is_refused_although_nobody_else_has_claimed(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    expire(connection, mine[0])
    with pytest.raises(LeaseLost), fences(*mine).hold():
        pytest.fail("an expired owner got in")
    with pytest.raises(LeaseLost):
        fences(*mine).record_adopted(commit())


def test_no_other_owner_appears_while_the_run_is_held(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    with fences(*mine).hold():
        expire(connection, mine[0])
        assert operator.owner.requeue_stale_runs() == 0
        assert operator.executor.claim_run(operator.executor_id) == []
    assert operator.owner.requeue_stale_runs() == 1
    assert operator.claim().run_id == mine[0]


def test_heartbeats_pass_a_held_run(operator: Operator, fences: Fences) -> None:
    mine = operator.running()
    with fences(*mine).hold():
        [state] = operator.executor.heartbeat_runs(operator.executor_id, dict([mine]), 30)
        assert state.held


def test_a_long_hold_lives_as_long_as_its_process_runs(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    with fences(*mine).hold() as held:
        time.sleep(IDLE * 1.8)
        held.record(commit())
    assert len(versions(connection)) == 1


def test_a_frozen_holder_is_thrown_out_and_cannot_record(
    operator: Operator, fences: Fences, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = operator.running()
    # SIGSTOP freezes the pinging thread with the rest of the process; here it never starts.
    monkeypatch.setattr(
        threading.Thread, "start", lambda thread: None if thread.name == "fence-ping" else _start(thread)
    )
    monkeypatch.setattr(
        threading.Thread,
        "join",
        lambda thread, timeout=None: None if thread.name == "fence-ping" else _join(thread, timeout),
    )
    fence = fences(*mine)
    with pytest.raises(DatabaseUnavailable), fence.hold() as held:
        time.sleep(IDLE * 1.5)
        expire(connection, mine[0])
        assert operator.owner.requeue_stale_runs() == 1
        held.record(commit())
    assert versions(connection) == []
    with pytest.raises(LeaseLost), fence.hold():
        pytest.fail("the zombie got in again")


_start, _join = threading.Thread.start, threading.Thread.join


def test_an_adopted_commit_is_recorded_once_with_its_lineage(
    operator: Operator, fences: Fences, connection: Connection
) -> None:
    mine = operator.running()
    fence = fences(*mine)
    fence.record_adopted(commit())
    fence.record_adopted(commit())
    assert len(versions(connection)) == 1
    assert connection.execute("select count(*) from ops.lineage_edges").fetchone() == (1,)


def test_a_phase_that_writes_nothing_opens_no_connection(operator: Operator) -> None:
    def refuse() -> Connection:
        raise AssertionError("opened")

    DatabaseFence(refuse, *operator.running(), "bronze").close()
