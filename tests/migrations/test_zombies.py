"""Whoever has lost a run cannot leave a trace of it any more; whoever has it may say everything twice."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from psycopg import sql

from ops.database import Connection, Pool
from ops.errors import ControlRoomError, IllegalTransition, LeaseLost, NotAllowed
from ops.model import Artifact, EventType, LeaseToken, NewEvent, NewPhase, PhaseStatus, RunId
from ops.rpc import Rpc
from ops.warehouse import Warehouse
from ops.watching import Watching
from tests.operating import Operator, commit

Mine = tuple[RunId, LeaseToken]
STARTED, SAID = uuid.uuid4(), uuid.uuid4()
PHASES = (NewPhase("bronze", "ingest"),)
STORED = Artifact("report", "query", "0" * 64, 1, "text/plain", "file:///report")
DONE = PhaseStatus.SUCCEEDED


# Every call that an owner makes under its token, by its name in SQL.
def _asked_for_anothers(rpc: Rpc, mine: Mine) -> None:
    """The fence answers before the question is looked at."""
    with suppress(NotAllowed):
        rpc.shared_dataset(*mine, "rivals", "books", "gold.revenue")


CALLS: dict[str, Callable[[Rpc, Mine], object]] = {
    "start_run": lambda rpc, mine: rpc.start_run(*mine),
    "heartbeat_run": lambda rpc, mine: rpc.heartbeat_run(*mine, "bronze", {"done": 1}),
    "pin_inputs": lambda rpc, mine: rpc.pin_inputs(*mine, {"bronze.a": 1}),
    "run_secrets": lambda rpc, mine: rpc.run_secrets(*mine),
    "run_traceparent": lambda rpc, mine: Watching(rpc.source).run_traceparent(*mine),
    "released_versions": lambda rpc, mine: rpc.released_versions(*mine, ["silver.sale_order"]),
    "build_on": lambda rpc, mine: rpc.build_on(*mine, "silver.sale_order"),
    "named_versions": lambda rpc, mine: Warehouse(rpc.source).named_versions(*mine, []),
    "personal_columns": lambda rpc, mine: Warehouse(rpc.source).personal_columns(*mine, ["silver.sale_order"]),
    "known_answer": lambda rpc, mine: Warehouse(rpc.source).known_answer(*mine, "0" * 64),
    "shared_dataset": _asked_for_anothers,
    "start_phase": lambda rpc, mine: rpc.start_phase(*mine, "bronze", event_id=STARTED),
    "finish_phase": lambda rpc, mine: rpc.finish_phase(*mine, "bronze", DONE, {"rows_out": 1}),
    "append_events": lambda rpc, mine: rpc.append_events(*mine, [NewEvent(SAID, EventType.PHASE_PROGRESS)]),
    "register_artifact": lambda rpc, mine: rpc.register_artifact(*mine, "bronze", STORED),
    "hold_run": lambda rpc, mine: rpc.hold_run(*mine),
    "record_dataset": lambda rpc, mine: rpc.record_dataset(*mine, "bronze", commit()),
    "record_signal": lambda rpc, mine: rpc.record_signal(*mine, "retries", 1.0),
    "complete_run": lambda rpc, mine: rpc.complete_run(*mine, {}),
    "fail_run": lambda rpc, mine: rpc.fail_run(*mine, "BROKEN", "it broke"),
    "release_canceled_run": lambda rpc, mine: rpc.release_canceled_run(*mine, "enough"),
    "release_run": lambda rpc, mine: rpc.release_run(*mine),
}


def running(operator: Operator) -> Mine:
    """A run at work in its only phase."""
    operator.queue(phases=PHASES)
    run = operator.claim()
    mine = run.run_id, run.lease_token
    operator.executor.start_run(*mine)
    operator.executor.start_phase(*mine, "bronze")
    return mine


def ready(operator: Operator, mine: Mine, name: str) -> Mine:
    """Brings a running run to where the call is due."""
    if name == "complete_run":
        operator.executor.finish_phase(*mine, "bronze", DONE, {})
    return mine


def everything(connection: Connection, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Each row of each table as text, without the columns ``but``."""
    tables = connection.execute(
        "select relname from pg_class where relnamespace = 'ops'::regnamespace and relkind = 'r'"
    )
    return {
        str(name): sorted(
            str(row)
            for (row,) in connection.execute(
                sql.SQL("select (to_jsonb(t) - %s::text[])::text from ops.{} t").format(sql.Identifier(name)),
                [list(but)],
            )
        )
        for (name,) in tables.fetchall()
    }


def test_no_call_is_left_out(connection: Connection) -> None:
    found = connection.execute(
        "select proname from pg_proc where pronamespace = 'ops'::regnamespace and 'p_lease_token' = any (proargnames)"
    )
    assert {name for (name,) in found.fetchall()} == set(CALLS)


def _expired(operator: Operator, connection: Connection, mine: Mine) -> Mine:
    connection.execute("update ops.run_leases set expires_at = clock_timestamp() where run_id = %s", [mine[0]])
    return mine


def _requeued(operator: Operator, connection: Connection, mine: Mine) -> Mine:
    _expired(operator, connection, mine)
    assert operator.owner.requeue_stale_runs() == 1
    return mine


def _another_has_it(operator: Operator, connection: Connection, mine: Mine) -> Mine:
    _requeued(operator, connection, mine)
    other = operator.claim()
    operator.executor.start_run(other.run_id, other.lease_token)
    operator.executor.start_phase(other.run_id, other.lease_token, "bronze")
    operator.executor.finish_phase(other.run_id, other.lease_token, "bronze", DONE, {})
    return mine


def _another_has_done_it(operator: Operator, connection: Connection, mine: Mine) -> Mine:
    _another_has_it(operator, connection, mine)
    [[token]] = connection.execute("select lease_token from ops.run_leases where run_id = %s", [mine[0]]).fetchall()
    operator.executor.complete_run(mine[0], token, {})
    return mine


def _with_another_runs_token(operator: Operator, connection: Connection, mine: Mine) -> Mine:
    return mine[0], running(operator)[1]


LOST = (_expired, _requeued, _another_has_it, _another_has_done_it, _with_another_runs_token)


@pytest.mark.parametrize("lose", LOST, ids=lambda lose: lose.__name__.strip("_").replace("_", " "))
def test_a_zombie_leaves_no_trace(
    operator: Operator, connection: Connection, lose: Callable[[Operator, Connection, Mine], Mine]
) -> None:
    stale = lose(operator, connection, running(operator))
    before = everything(connection)
    for name, call in CALLS.items():
        if lose is _requeued and name in ("release_run", "fail_run"):
            # The run waits for its next owner, as these ask: they are answered like repeats.
            assert call(operator.executor, stale) in (None, "queued")
            continue
        with pytest.raises(LeaseLost, match=str(stale[0])):
            call(operator.executor, stale)
    [state] = operator.executor.heartbeat_runs(uuid.uuid4(), dict([stale]))
    assert not state.held
    assert everything(connection) == before


@pytest.mark.parametrize("name", CALLS)
def test_what_is_said_twice_has_happened_once(operator: Operator, connection: Connection, name: str) -> None:
    mine = ready(operator, running(operator), name)
    first = CALLS[name](operator.executor, mine)
    before = everything(connection, but=("expires_at",))
    second = CALLS[name](operator.executor, mine)
    assert everything(connection, but=("expires_at",)) == before
    if name != "heartbeat_run":
        assert first == second
    assert operator.owner.verify_event_chain(mine[0]).ok


@pytest.mark.parametrize("other", ["complete_run", "fail_run", "release_canceled_run", "release_run"])
@pytest.mark.parametrize("ended_by", ["complete_run", "fail_run", "release_canceled_run"])
def test_a_run_ends_in_one_way(operator: Operator, connection: Connection, ended_by: str, other: str) -> None:
    mine = ready(operator, running(operator), ended_by)
    CALLS[ended_by](operator.executor, mine)
    before = everything(connection)
    if other != ended_by:
        with pytest.raises((LeaseLost, IllegalTransition)):
            CALLS[other](operator.executor, mine)
    assert everything(connection) == before


# Whoever wants to end a run does it at a moment of its own; leases are as short as a call.
ENDS: tuple[Callable[[Rpc, Mine], object], ...] = (
    lambda rpc, mine: rpc.complete_run(*mine, {}),
    lambda rpc, mine: rpc.fail_run(*mine, "BROKEN", "again", retryable=True),
    lambda rpc, mine: rpc.release_run(*mine),
    lambda rpc, mine: rpc.cancel_run(mine[0], "enough"),
    lambda rpc, _: rpc.requeue_stale_runs(),
    lambda rpc, mine: rpc.append_events(*mine, [NewEvent(uuid.uuid4(), EventType.PHASE_PROGRESS)]),
)


def test_whoever_wins_a_race_there_is_one_history(operator: Operator, connection: Connection) -> None:
    wanted = {operator.queue(phases=(), max_attempts=100) for _ in range(30)}
    stop = threading.Event()

    def worker(seed: int) -> None:
        chance, me = random.Random(seed), uuid.uuid4()
        with Pool(operator.url, max_size=1) as pool:
            rpc = Rpc(pool)
            rpc.register_executor(me, str(me), slots=4, host="here", version="0")
            while not stop.is_set():
                for run in rpc.claim_run(me, lease_seconds=chance.choice((0.002, 0.02, 1.0)), max_runs=3):
                    for step in (lambda r, m: r.start_run(*m), chance.choice(ENDS), chance.choice(ENDS)):
                        try:
                            step(rpc, (run.run_id, run.lease_token))
                        except ControlRoomError as refused:
                            assert isinstance(refused, LeaseLost | IllegalTransition), refused  # noqa: PT017

    with ThreadPoolExecutor(8) as workers:
        working = [workers.submit(worker, seed) for seed in range(8)]
        stop.wait(2)
        stop.set()
        for each in working:
            each.result()
    assert all(operator.owner.verify_event_chain(run_id).ok for run_id in wanted)
    ends = connection.execute("""
        select r.status, count(*) filter (where e.type in ('RUN_SUCCEEDED', 'RUN_FAILED', 'RUN_CANCELED')),
          exists (select from ops.run_leases l where l.run_id = r.id)
        from ops.runs r join ops.run_events e on e.run_id = r.id group by r.id, r.status
    """).fetchall()
    assert len(ends) == 30
    for status, count, leased in ends:
        assert count == (status in ("succeeded", "failed", "canceled"))
        assert leased == (status in ("claimed", "running"))
    assert {status for status, _, _ in ends} >= {"succeeded", "canceled"}
