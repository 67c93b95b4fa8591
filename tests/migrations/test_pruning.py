"""Old months are forgotten; that a run's history was not forged can still be told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ops.database import Connection
from ops.model import ChainCheck, RunId
from ops.upkeep import Upkeep
from tests.operating import Operator

KEEP = timedelta(days=400)


@pytest.fixture
def old(connection: Connection) -> Connection:
    """A database that was there in January and February 2020."""
    for month, after in ((1, 2), (2, 3)):
        connection.execute(
            f"create table ops.run_events_2020_0{month} partition of ops.run_events "
            f"for values from ('2020-0{month}-01') to ('2020-0{after}-01')"
        )
    return connection


def months(connection: Connection) -> list[int]:
    found = connection.execute(
        "select right(relname, 2)::int from pg_class where relname like 'run\\_events\\_2020\\_0_' and relkind = 'r' order by 1"
    )
    return [month for (month,) in found.fetchall()]


def happened(connection: Connection, run_id: RunId, last: int, month: int) -> None:
    """The run's first events, up to the ``last``, as if they had been written in that month of 2020: the clock is the
    database's, so what is rewritten is the past."""
    with connection.transaction():
        connection.execute("set local session_replication_role = 'replica'")
        connection.execute(
            "update ops.run_events set ts = make_date(2020, %s, 5) + seq * interval '1 second' where run_id = %s and seq <= %s",
            [month, run_id, last],
        )
        connection.execute(
            """
            with recursive chain as (
              select seq, private.event_hash(
                '\\x', run_id, seq, ts, type, phase, level, message, data, lease_token, event_id) as hash
              from ops.run_events where run_id = %(run)s and seq = 1
              union all
              select e.seq, private.event_hash(
                c.hash, e.run_id, e.seq, e.ts, e.type, e.phase, e.level, e.message, e.data, e.lease_token, e.event_id)
              from chain c join ops.run_events e on e.run_id = %(run)s and e.seq = c.seq + 1
            ), written as (
              update ops.run_events e set hash = c.hash from chain c where e.run_id = %(run)s and e.seq = c.seq
              returning e.seq, e.hash
            ), owned as (
              update ops.run_leases l set event_hash = w.hash from written w where l.run_id = %(run)s and w.seq = l.event_seq
            )
            update ops.runs r set event_hash = w.hash from written w where r.id = %(run)s and w.seq = r.event_seq
            """,
            {"run": run_id},
        )


def tampered(connection: Connection, command: str, run_id: RunId) -> None:
    with connection.transaction():
        connection.execute("set local session_replication_role = 'replica'")
        assert connection.execute(command.encode(), [run_id]).rowcount == 1


def test_a_chain_whose_beginning_is_forgotten_is_whole(operator: Operator, old: Connection) -> None:
    half, whole = operator.succeeded(phases=()), operator.succeeded(phases=())
    happened(old, half, 2, month=1)
    happened(old, whole, 4, month=1)
    assert [operator.owner.verify_event_chain(run) for run in (half, whole)] == [ChainCheck(True, 4, None)] * 2
    Upkeep(operator.owner.source).prune(KEEP)
    assert months(old) == []
    assert operator.owner.verify_event_chain(half) == ChainCheck(True, 2, None)
    assert operator.owner.verify_event_chain(whole) == ChainCheck(True, 0, None)


def test_a_chain_goes_on_from_the_last_month_that_was_forgotten(operator: Operator, old: Connection) -> None:
    run_id = operator.succeeded(phases=())
    happened(old, run_id, 3, month=2)
    happened(old, run_id, 1, month=1)
    Upkeep(operator.owner.source).prune(KEEP)
    Upkeep(operator.owner.source).prune(KEEP)
    assert operator.owner.verify_event_chain(run_id) == ChainCheck(True, 1, None)


@pytest.mark.parametrize(
    ("tampering", "bad"),
    [
        ("update ops.run_events set message = 'nothing happened' where run_id = %s and seq = 3", 3),
        ("delete from ops.run_events where run_id = %s and seq = 3", 3),
        ("delete from ops.run_events where run_id = %s and seq = 4", 4),
        ("update private.pruned_events set hash = '\\x00' where run_id = %s", 3),
        ("delete from private.pruned_events where run_id = %s", 1),
    ],
)
def test_whoever_touches_what_is_left_is_found(operator: Operator, old: Connection, tampering: str, bad: int) -> None:
    run_id = operator.succeeded(phases=())
    happened(old, run_id, 2, month=1)
    Upkeep(operator.owner.source).prune(KEEP)
    tampered(old, tampering, run_id)
    found = operator.owner.verify_event_chain(run_id)
    assert (found.ok, found.first_bad_seq) == (False, bad)


def test_a_month_of_a_run_that_has_not_ended_stays(operator: Operator, old: Connection) -> None:
    ended = operator.succeeded(phases=())
    happened(old, ended, 2, month=1)
    run_id, token = operator.running()
    happened(old, run_id, 2, month=2)
    Upkeep(operator.owner.source).prune(KEEP)
    assert months(old) == [2]
    assert operator.owner.verify_event_chain(run_id) == ChainCheck(True, 3, None)
    for phase in ("bronze", "checks"):
        operator.executor.start_phase(run_id, token, phase)
    operator.executor.fail_run(run_id, token, "BROKEN", "it broke")
    Upkeep(operator.owner.source).prune(KEEP)
    assert months(old) == []
    assert operator.owner.verify_event_chain(run_id).ok
