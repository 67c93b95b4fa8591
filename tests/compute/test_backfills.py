"""A backfill moved on by a steward: each partition in one run, no more runs than it may have, tried again where one failed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ops.backfills import Backfills
from ops.database import EXECUTOR, connect
from ops.errors import BadInput, CapExceeded, Conflict, IllegalTransition, NotFound
from ops.limits import Limits
from ops.model import Trigger
from ops.rpc import Rpc
from pipelines.partition import beginning, following
from tests.compute.desk import SPAN, YEAR, Desk


def test_a_plan_says_what_would_be_and_writes_nothing(desk: Desk) -> None:
    empty = desk.start(YEAR, dry_run=True)
    assert (empty.id, empty.partitions, len(empty.chunks)) == (None, 365, 365)
    assert (empty.estimate.from_runs, empty.estimate.seconds, empty.estimate.rows) == (0, None, None)
    for seconds, rows in ((4, 10), (8, 30), (60, 20)):
        desk.operator.queue(pipeline="daily", phases=())
        run = desk.operator.claim()
        desk.operator.executor.start_run(run.run_id, run.lease_token)
        desk.operator.executor.complete_run(run.run_id, run.lease_token, {})
        desk.connection.execute("set session_replication_role = replica")
        desk.connection.execute(
            "update ops.runs set started_at = finished_at - %s * interval '1 second' where id = %s",
            [seconds, run.run_id],
        )
        desk.connection.execute(
            "insert into ops.run_phases (run_id, ordinal, project_id, name, kind, rows_out, byte_size) "
            "values (%s, 1, %s, 'x', 'transform', %s, %s)", [run.run_id, desk.project_id, rows, rows * 7],
        )  # fmt: skip
        desk.connection.execute("set session_replication_role = default")
    # Whoever queued those brought a definition of his own.
    desk.register()
    counted = desk.count("ops.runs"), desk.count("ops.audit_log")
    told = desk.start(YEAR, dry_run=True, max_parallel=5).estimate
    # Medians: 8 s and 20 rows.
    assert (told.from_runs, told.runs, told.parallel) == (3, 365, 5)
    assert told.seconds == pytest.approx(8 * 365 / 5)
    assert told.executor_seconds == pytest.approx(8 * 365)
    assert (told.rows, told.bytes) == (20 * 365, 140 * 365)
    desk.connection.execute(
        "insert into ops.caps (key, org_id, amount, period) select 'two', org_id, 2, 'concurrent' from ops.projects "
        "where id = %s", [desk.project_id],
    )  # fmt: skip
    assert desk.start(YEAR, dry_run=True, max_parallel=5).estimate.parallel == 2, "a cap lets no more run at once"
    assert counted == (desk.count("ops.runs"), desk.count("ops.audit_log where action <> 'caps.insert'"))
    assert desk.count("ops.backfills") == desk.count("ops.backfill_chunks") == 0


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_each_partition_is_in_one_chunk(desk: Desk, step: str) -> None:
    """Ranges and lists with gaps at random, beside a reference that counts one by one."""
    chance = random.Random(5)
    desk.register({**SPAN, "step": step})
    for _ in range(15):
        at = beginning(date(2023, 1, 1) + timedelta(days=chance.randrange(900)), step)  # type: ignore[arg-type]
        wanted = [at]
        for _ in range(chance.randrange(40)):
            wanted.append(following(wanted[-1], step))  # type: ignore[arg-type]
        definition: dict[str, object] = {"from": str(at), "to": str(wanted[-1])}
        if chance.random() < 0.5:
            wanted = sorted(chance.sample(wanted, chance.randrange(1, len(wanted) + 1)))
            definition = {"values": [str(one) for one in wanted]}
            chance.shuffle(definition["values"])  # type: ignore[arg-type]
        size = chance.randrange(1, 9)
        chunks = desk.start(definition, dry_run=True, chunk_size=size).chunks
        covered: list[date] = []
        for number, chunk in enumerate(chunks, 1):
            assert (chunk.chunk, 1 <= chunk.partitions <= size) == (number, True)
            day, until = date.fromisoformat(chunk.first), date.fromisoformat(str(chunk.until))
            for _ in range(chunk.partitions):
                covered.append(day)
                day = following(day, step)  # type: ignore[arg-type]
            assert day == until
        assert covered == wanted


WRONG: Mapping[str, tuple[Mapping[str, object], str]] = {
    "no range": ({}, "the range is open to open"),
    "backwards": ({"from": "2025-02-01", "to": "2025-01-01"}, "the range is 2025-02-01 to 2025-01-01"),
    "for ever": ({"from": "1000-01-01", "to": "3000-01-01"}, "the range is"),
    "infinite": ({"from": "-infinity", "to": "infinity"}, "correct the value"),
    "no date": ({"from": "soon", "to": "later"}, 'invalid input syntax for type date: "soon"'),
    "too many": ({"from": "1900-01-01", "to": "2025-01-01"}, "that is 45657 partitions; give 1 to 20000"),
    "none": ({"values": []}, "that is 0 partitions"),
    "both": ({"values": ["2025-01-01"], **YEAR}, "give either a range or a list"),
    "chunks of several": ({**YEAR, "chunk_size": 2}, "a run of daily takes one partition"),
    "an unknown field": ({**YEAR, "color": "red"}, "p_definition has no field color"),
    "an unknown parameter": ({**YEAR, "params": {"name": "x"}}, "parameter name is not the backfill's to give"),
    "the partition's parameter": ({**YEAR, "params": {"day": "2025-01-01"}}, "parameter day is not the backfill's"),
    "too wide": ({**YEAR, "max_parallel": 1000}, "max_parallel 1000"),
    "a wrong number": ({**YEAR, "max_parallel": "many"}, 'invalid input syntax for type integer: "many"'),
}


def test_what_could_not_be_carried_out_is_refused(desk: Desk) -> None:
    for case, (definition, said) in WRONG.items():
        with pytest.raises(BadInput) as refused:
            desk.start(definition)
        assert said in refused.value.message, case
    assert desk.count("ops.backfills") == 0


def test_a_pipeline_must_say_what_its_partitions_are(desk: Desk) -> None:
    desk.register({})
    with pytest.raises(BadInput, match="version 2 of daily does not say what its partitions are"):
        desk.start(YEAR)
    with pytest.raises(NotFound, match="no version of nobody runs in dev"):
        desk.start(YEAR, pipeline="nobody")
    desk.register({"param": "day", "step": "month"})
    with pytest.raises(BadInput, match="2025-01-15 is not the first day of a month; that one begins 2025-01-01"):
        desk.start(from_="2025-01-15", to="2025-12-31")
    desk.register({"param": "region"}, region={"type": "choice", "choices": ["north", "south"]}, of={"type": "string"})
    with pytest.raises(BadInput, match="partitions of daily have no order; list them"):
        desk.start(YEAR, params={"of": "x"})
    with pytest.raises(BadInput, match="partition 'west' is none of the choices of its parameter: north, south"):
        desk.start(values=["north", "west"], params={"of": "x"})
    with pytest.raises(BadInput, match="parameter of of daily has no default"):
        desk.start(values=["north"])
    assert [one.first for one in desk.start(values=["south", "north", "south"], params={"of": "x"}).chunks] == [
        "south", "north",
    ]  # fmt: skip


def test_never_more_runs_than_it_may_have_and_each_partition_once(desk: Desk) -> None:
    backfill = desk.started(max_parallel=3, from_="2025-01-01", to="2025-01-10")
    assert desk.open_runs() == 0, "runs are the steward's to make"
    seen: list[str] = []
    while desk.state(backfill)[0] == "active":
        desk.backfills.advance()
        assert desk.open_runs() <= 3
        assert desk.backfills.advance() == 0, "nothing has ended meanwhile"
        if desk.open_runs():
            seen.append(desk.end_next())
    assert seen == [f"2025-01-{day:02}" for day in range(1, 11)], "in their order"
    assert (desk.state(backfill), desk.states(backfill)) == (("succeeded", ""), {"succeeded": 10})
    facts = desk.connection.execute(
        "select distinct trigger, priority, tags ->> 'backfill', pipeline_version from ops.runs"
    ).fetchall()
    assert facts == [("backfill", 200, str(backfill), 1)]


def test_the_live_feed_goes_first(desk: Desk) -> None:
    desk.started(YEAR)
    desk.backfills.advance()
    live = desk.operator.queue(pipeline="live", phases=())
    assert desk.operator.claim().run_id == live


def test_its_definition_stays_what_it_was(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-02")
    desk.register(mode="replace")
    desk.backfills.advance()
    assert desk.connection.execute("select distinct pipeline_version from ops.runs").fetchall() == [(1,)]
    assert desk.backfills.backfills(backfill_id=backfill)[0].pipeline_version == 1


def test_a_run_that_failed_is_tried_again_and_not_for_ever(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-02", max_parallel=1, max_tries=2)
    for _ in range(2):
        desk.backfills.advance()
        at = desk.connection.execute("select max(available_at - created_at) from ops.runs").fetchone()
        # A pause before the second try; the test does not wait for it.
        desk.connection.execute("update ops.runs set available_at = created_at where status = 'queued'")
        assert desk.end_next("INTERNAL") == "2025-01-01"
    assert at is not None
    assert at[0] > timedelta(seconds=1)
    desk.backfills.advance()
    assert desk.end_next() == "2025-01-02", "another chunk does not wait for one that failed"
    desk.backfills.advance()
    assert desk.state(backfill) == ("failed", "1 of 2 chunks have not succeeded")
    [first, _] = desk.backfills.chunks(backfill)
    assert (first.state, first.tries, first.error_code, first.error_message) == ("failed", 2, "INTERNAL", "no")
    lines = desk.connection.execute(
        "select trigger, parent_run is null, root_run is null from ops.runs order by created_at"
    )
    # The second try is a retry of the first: it finds what that one committed.
    assert lines.fetchall() == [("backfill", True, True), ("backfill", False, False), ("backfill", True, True)]
    by_hand = Rpc(desk.connection).retry_run(first.run_id)  # type: ignore[arg-type]
    [(trigger,)] = desk.connection.execute("select trigger from ops.runs where id = %s", [by_hand]).fetchall()
    assert trigger == "backfill", "a past that somebody tries again by hand starts nothing after it either"
    Rpc(desk.connection).cancel_run(by_hand, "only looked")
    assert desk.backfills.resume(backfill) == "active"
    desk.backfills.advance()
    desk.connection.execute("update ops.runs set available_at = created_at where status = 'queued'")
    assert desk.end_next() == "2025-01-01"
    desk.backfills.advance()
    assert (desk.state(backfill), desk.states(backfill)) == (("succeeded", ""), {"succeeded": 2})
    with pytest.raises(IllegalTransition, match="is succeeded; start a new one"):
        desk.backfills.resume(backfill)


@pytest.mark.parametrize("mode", ["partition", "append"])
def test_who_came_too_late_looks_again_unless_that_could_double(desk: Desk, mode: str) -> None:
    """A conflict says that newer data came first: the same pinned inputs would be refused again."""
    desk.register(mode=mode)
    desk.started(from_="2025-01-01", to="2025-01-01")
    desk.backfills.advance()
    desk.end_next("CONFLICT")
    desk.backfills.advance()
    [(parent,)] = desk.connection.execute(
        "select parent_run is not null from ops.runs where status = 'queued'"
    ).fetchall()
    assert parent == (mode == "append")


def test_under_a_cap_that_is_used_up_it_waits_and_loses_no_try(desk: Desk) -> None:
    limits = Limits(desk.connection)
    backfill = desk.started(from_="2025-01-01", to="2025-01-04", max_parallel=2, max_tries=1)
    desk.backfills.advance()
    assert desk.end_next() == "2025-01-01"
    # The second is at work when it is used up, and is stopped.
    limits.set_cap("default", "demo", "cpu", "cpu_seconds", Decimal(0), "day")
    run = desk.operator.claim()
    desk.operator.executor.start_run(run.run_id, run.lease_token)
    with pytest.raises(CapExceeded) as stopped:
        desk.operator.executor.start_phase(run.run_id, run.lease_token, "one")
    desk.operator.executor.fail_run(run.run_id, run.lease_token, stopped.value.code, stopped.value.message)
    before = desk.count("ops.runs")
    desk.backfills.advance()
    for _ in range(3):
        assert desk.backfills.advance() == 0
    assert (desk.state(backfill), desk.states(backfill)) == (("active", ""), {"succeeded": 1, "pending": 3})
    assert (desk.count("ops.runs"), desk.open_runs()) == (before, 0)
    assert desk.end_all(backfill) == [], "nothing is there to be done"
    limits.set_cap("default", "demo", "cpu", "cpu_seconds", Decimal(1), "day")
    assert desk.end_all(backfill) == ["2025-01-02", "2025-01-03", "2025-01-04"]
    assert (desk.state(backfill), desk.states(backfill)) == (("succeeded", ""), {"succeeded": 4})


def test_a_cap_that_is_used_up_keeps_no_backfill_from_its_end(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-01")
    desk.backfills.advance()
    desk.end_next()
    Limits(desk.connection).set_cap("default", "demo", "cpu", "cpu_seconds", Decimal(0), "day")
    desk.backfills.advance()
    assert desk.state(backfill) == ("succeeded", "")


def test_paused_it_makes_no_runs_and_goes_on_where_it_was(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-04", max_parallel=2)
    desk.backfills.advance()
    assert desk.backfills.pause(backfill, "lunch") == "paused"
    desk.end_next()
    desk.end_next()
    desk.backfills.advance()
    assert (desk.state(backfill), desk.open_runs()) == (("paused", "lunch"), 0)
    assert desk.states(backfill) == {"succeeded": 2, "pending": 2}, "what had begun is noted"
    assert desk.backfills.resume(backfill) == "active"
    desk.backfills.advance()
    assert desk.open_runs() == 2


def test_canceled_it_takes_its_open_runs_along(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-05", max_parallel=2)
    desk.backfills.advance()
    desk.end_next()
    owned = desk.operator.claim()
    desk.backfills.advance()
    assert desk.states(backfill) == {"succeeded": 1, "queued": 2, "pending": 2}
    assert desk.backfills.cancel(backfill, "enough") == "canceled"
    assert desk.states(backfill) == {"succeeded": 1, "canceled": 3, "queued": 1}, "one is still its owner's"
    beat = desk.operator.executor.heartbeat_run(owned.run_id, owned.lease_token)
    assert beat.cancel_requested
    desk.operator.executor.release_canceled_run(owned.run_id, owned.lease_token, "told to")
    desk.backfills.advance()
    assert desk.states(backfill) == {"succeeded": 1, "canceled": 4}
    assert (desk.state(backfill), desk.open_runs()) == (("canceled", "enough"), 0)
    assert desk.backfills.pause(backfill) == desk.backfills.cancel(backfill) == "canceled"


def test_a_run_that_a_person_canceled_is_not_made_again(desk: Desk) -> None:
    backfill = desk.started(from_="2025-01-01", to="2025-01-01")
    desk.backfills.advance()
    [chunk] = desk.backfills.chunks(backfill)
    Rpc(desk.connection).cancel_run(chunk.run_id, "not this one")  # type: ignore[arg-type]
    desk.backfills.advance()
    assert desk.state(backfill) == ("failed", "1 of 1 chunks have not succeeded")


def test_one_that_cannot_go_on_says_why_and_keeps_no_other_from_its_turn(desk: Desk) -> None:
    first, second = desk.started(YEAR), desk.started(YEAR)
    key = f"backfill:{first}:1:1"
    desk.operator.queue(key, pipeline="another", phases=())
    desk.backfills.advance()
    state, reason = desk.state(first)
    assert (state, key in reason) == ("paused", True)
    assert desk.states(second) == {"queued": 4, "pending": 361}


def test_the_same_key_is_the_same_backfill(desk: Desk) -> None:
    first = desk.start(YEAR, key="once")
    assert desk.start(YEAR, key="once").id == first.id
    with pytest.raises(Conflict, match="idempotency key 'once' belongs to backfill .* of other partitions"):
        desk.start(key="once", from_="2025-01-01", to="2025-06-30")
    with pytest.raises(Conflict):
        desk.start(key="once", from_="2024-01-02", to="2024-12-31")
    assert desk.start(YEAR, key="other").id != first.id
    assert desk.count("ops.backfills") == 2


def test_no_executor_may_say_that_a_backfill_has_moved(desk: Desk) -> None:
    with connect(desk.operator.url, EXECUTOR, autocommit=True) as connection, pytest.raises(Exception, match="denied"):
        Backfills(connection).advance()
    assert desk.operator.queue(pipeline="x", trigger=Trigger.BACKFILL, phases=())
