"""What becomes of ticks: policies of misfire and overlap, pause, jitter, events; each against the real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from compute.schedules import fire
from ops.settings import Settings
from ops.tenancy import Tenancy
from pipelines.cron import cron_fault, ticks
from tests.compute.clockwork import SPEC, Clockwork
from tests.compute.naive_clock import naive_ticks
from tests.operating import Operator

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def clockwork(connection: psycopg.Connection) -> Clockwork:
    return Clockwork.of(connection, ("demo", "second", "third"))


CRONS = ("*/10 * * * *", "30 * * * *", "0 0 * * *", "30 2 * * *", "0,30 1-3 * * *", "5 */2 * * *", "*/15 2 * * *",
    "0 2,3 * * *", "0 0 1,15 * 3", "10 0 * * *")  # fmt: skip
CHANGES = (("America/New_York", "2026-03-08"), ("Europe/Berlin", "2026-10-25"), ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"), ("America/Santiago", "2026-04-05"), ("Africa/Cairo", "2026-04-24"),
    ("America/Havana", "2026-11-01"), ("Asia/Kathmandu", "2026-05-05"), ("UTC", "2026-03-03"))  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_cron_is_due_when_a_look_at_every_minute_says_so(zone: str, day: str) -> None:
    middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
    start, end = middle - timedelta(days=2), middle + timedelta(days=2)
    for cron in CRONS:
        right = naive_ticks(cron, zone, start, end)
        assert list(takewhile(lambda tick: tick <= end, ticks(cron, zone, start))) == right, cron
        # Wherever one begins to count.
        for quarters in range(4 * 72):
            later = start + quarters * 15 * MINUTE
            following = next((tick for tick in right if tick > later), None)
            found = next(ticks(cron, zone, later))
            assert found == following or (following is None and found > end), (cron, later)


def test_a_clock_that_is_never_due_is_refused() -> None:
    assert cron_fault("0 0 29 2 *") is None
    assert "is never due" in str(cron_fault("0 0 30 2 *"))


def test_a_tick_in_time_fires_once_whoever_looks(clockwork: Clockwork) -> None:
    hourly = clockwork.put("hourly", NOON, kind="cron", cron="0 * * * *")
    assert clockwork.look(NOON + MINUTE) == 0
    stale = clockwork.decisions(NOON + HOUR)
    assert clockwork.look(NOON + HOUR) == 1
    assert clockwork.schedules.decide_clocks(stale) == 0
    assert clockwork.look(NOON + HOUR + MINUTE) == 0
    assert clockwork.fired(hourly) == [NOON + HOUR]
    [(trigger, key, tags, phases)] = clockwork.connection.execute(
        "select trigger, idempotency_key, tags, (select count(*) from ops.run_phases) from ops.runs"
    ).fetchall()
    assert (trigger, phases) == ("schedule", 0)
    assert key == f"schedule:{hourly}:{int((NOON + HOUR).timestamp())}"
    assert tags == {"schedule": "hourly", "started_by": "cron", "tick": "2026-03-01T13:00:00Z"}


@pytest.mark.parametrize(
    ("misfire", "limit", "fired", "left"),
    [
        ("skip", 100, [], [("skipped", 5, "missed")]),
        ("run_once", 100, [5], [("skipped", 4, "missed; a later tick stands for it"), ("fired", 1, "")]),
        ("run_all", 100, [1, 2, 3, 4, 5], [("fired", 1, "")] * 5),
        ("run_all", 2, [4, 5], [("skipped", 3, "missed; more than the catch-up limit of 2")] + [("fired", 1, "")] * 2),
    ],
)
def test_missed_ticks(
    clockwork: Clockwork, misfire: str, limit: int, fired: list[int], left: list[tuple[str, int, str]]
) -> None:
    """Nobody looked for five and a half hours."""
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *", misfire=misfire, catch_up_limit=limit)
    clockwork.look(NOON + 5.5 * HOUR)
    assert clockwork.fired(one) == [NOON + hours * HOUR for hours in fired]
    assert clockwork.outcomes(one) == left
    clockwork.look(NOON + 6 * HOUR)
    assert clockwork.fired(one)[-1] == NOON + 6 * HOUR, "and then as ever"


def test_a_year_without_a_steward_is_one_look(clockwork: Clockwork) -> None:
    """Half a million ticks: the newest are looked at one by one, the others are one row."""
    one = clockwork.put(
        "s", NOON - timedelta(days=365), kind="cron", cron="* * * * *", misfire="run_all", catch_up_limit=3
    )
    clockwork.look(NOON + 2 * MINUTE)
    assert clockwork.fired(one) == [NOON + minutes * MINUTE for minutes in (-2, -1, 0, 1, 2)], (
        "two in time, three missed"
    )
    (
        first,
        *_,
    ) = clockwork.ticks(one)
    assert (first.outcome, first.ticks, first.tick) == ("skipped", None, NOON - timedelta(days=365) + MINUTE)
    assert len(clockwork.ticks(one)) == 7


def test_overlap(clockwork: Clockwork) -> None:
    ways = {
        overlap: clockwork.put(f"by_{overlap}", NOON, kind="cron", cron="*/10 * * * *", overlap=overlap)
        for overlap in ("queue", "skip", "cancel_running")
    }
    for minutes in (10, 20, 30):
        clockwork.look(NOON + minutes * MINUTE)
    said = {overlap: [each.outcome for each in clockwork.ticks(one)] for overlap, one in ways.items()}
    assert said == {
        "queue": ["fired"] * 3,
        "skip": ["fired", "skipped", "skipped"],
        "cancel_running": ["fired"] * 3,
    }
    first = clockwork.ticks(ways["skip"])
    assert first[1].reason == f"run {first[0].run_id} has not ended"
    assert [each.run_status for each in clockwork.ticks(ways["cancel_running"])] == ["canceled", "canceled", "queued"]
    clockwork.end_runs()
    clockwork.look(NOON + 40 * MINUTE)
    assert len(clockwork.fired(ways["skip"])) == 2
    # What runs already when the policy comes is not overlooked.
    clockwork.put("by_queue", None, kind="cron", cron="*/10 * * * *", overlap="skip")
    clockwork.look(NOON + 50 * MINUTE)
    assert clockwork.outcomes(ways["queue"])[-1][0] == "skipped"


def test_what_is_missed_at_once_may_overlap_itself(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *", misfire="run_all", overlap="skip")
    clockwork.look(NOON + 3 * HOUR)
    assert [each.outcome for each in clockwork.ticks(one)] == ["fired", "skipped", "skipped"]


def test_jitter_delays_each_tick_by_its_own_share_and_loses_none(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *", jitter_seconds=1800)
    other = clockwork.put("t", NOON, kind="cron", cron="0 * * * *", jitter_seconds=1800)
    seen: dict[UUID, list[float]] = {one: [], other: []}
    for minutes in range(1, 24 * 60):
        now = NOON + minutes * MINUTE
        for each in (one, other):
            before = len(seen[each])
            clockwork.look(now)
            seen[each] += [(now - tick).total_seconds() for tick in clockwork.fired(each)[before:]]
    for delays in seen.values():
        assert len(delays) == 23
        assert max(delays) <= 1800 + 60 and max(delays) - min(delays) > 600, "spread over the half hour"
    assert seen[one] != seen[other]


def test_pause_and_resume(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *", misfire="run_all")
    clockwork.look(NOON + HOUR)
    clockwork.schedules.pause(one, "the source is being moved")
    [row] = clockwork.schedules.schedules(slug="s")
    assert (row.paused, row.paused_reason) == (True, "the source is being moved")
    assert clockwork.look(NOON + 3 * HOUR) == 0
    clockwork.connection.execute("select private.resume(%s, false, %s)", [one, NOON + 3.5 * HOUR])
    clockwork.look(NOON + 4 * HOUR)
    assert clockwork.fired(one) == [NOON + HOUR, NOON + 4 * HOUR]
    assert ("skipped", None, "paused") in clockwork.outcomes(one)


def test_resuming_may_make_up_for_the_pause(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *", misfire="run_all")
    clockwork.look(NOON + HOUR)
    clockwork.schedules.pause(one)
    clockwork.look(NOON + 3 * HOUR)
    clockwork.schedules.resume(one, catch_up=True)
    clockwork.look(NOON + 3.5 * HOUR)
    assert clockwork.fired(one) == [NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]


def test_another_clock_begins_anew_and_the_same_definition_changes_nothing(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *")
    clockwork.look(NOON + HOUR)
    prepared = clockwork.decisions(NOON + 2 * HOUR)
    assert clockwork.put("s", None, kind="cron", cron="0 * * * *") == one
    assert clockwork.schedules.decide_clocks(prepared) == 1, "nothing was changed"
    prepared = clockwork.decisions(NOON + 3 * HOUR)
    clockwork.put("s", NOON + 3 * HOUR, kind="cron", cron="30 * * * *")
    assert clockwork.schedules.decide_clocks(prepared) == 0, "prepared for a clock that is gone"
    clockwork.look(NOON + 4 * HOUR)
    assert clockwork.fired(one)[-1] == NOON + 3.5 * HOUR


def test_a_tick_that_cannot_become_a_run_says_why_and_the_next_has_its_turn(clockwork: Clockwork) -> None:
    broken = clockwork.put("broken", NOON, kind="cron", cron="0 * * * *", params={"nothing_of_that_name": 1})
    stage = clockwork.schedules.put(
        clockwork.project_id, "stage", "s", {"pipeline": "demo", "kind": "cron", "cron": "0 * * * *"}
    )
    clockwork.connection.execute("update ops.schedules set anchored_at = %s", [NOON])
    fine = clockwork.put("fine", NOON, kind="cron", cron="0 * * * *")
    clockwork.look(NOON + HOUR)
    assert "no parameter nothing_of_that_name" in clockwork.ticks(broken)[0].reason
    assert "no version of demo runs in stage" in clockwork.ticks(stage)[0].reason
    assert [clockwork.ticks(each)[0].outcome for each in (broken, stage, fine)] == ["failed", "failed", "fired"]


def test_a_clock_that_cannot_be_read_is_paused_and_stops_no_other(clockwork: Clockwork) -> None:
    bad = clockwork.put("bad", NOON, kind="cron", cron="every day")
    fine = clockwork.put("fine", NOON, kind="cron", cron="0 * * * *")
    clockwork.look(NOON + HOUR)
    assert "cron has five" in clockwork.schedules.schedules(slug="bad")[0].paused_reason
    assert clockwork.ticks(bad) == []
    assert clockwork.fired(fine) == [NOON + HOUR]


def test_stage_runs_what_was_promoted_and_dev_the_newest(operator: Operator) -> None:
    with psycopg.connect(operator.url, autocommit=True) as connection:
        operator.succeeded(spec={**SPEC, "owner": "an earlier one"})
        clockwork = Clockwork.of(connection)
        Tenancy(connection).promote_pipeline(clockwork.project_id, "demo", 1, "stage")
        for env in ("dev", "stage"):
            definition = {"pipeline": "demo", "kind": "cron", "cron": "0 * * * *"}
            clockwork.schedules.put(clockwork.project_id, env, "s", definition)
        connection.execute("update ops.schedules set anchored_at = %s", [NOON])
        clockwork.look(NOON + HOUR)
        ran = "select env, pipeline_version from ops.runs where trigger = 'schedule' order by 1"
        assert connection.execute(ran).fetchall() == [("dev", 2), ("stage", 1)]


def test_parameters_know_the_tick(clockwork: Clockwork) -> None:
    definition = {"kind": "cron", "cron": "30 0 * * *", "timezone": "Asia/Manila", "params": {"day": "{date}"}}
    clockwork.put("nightly", NOON, **definition)
    clockwork.put("plain", NOON, kind="cron", cron="30 16 * * *")
    clockwork.look(NOON + 4.5 * HOUR)
    found = clockwork.connection.execute("select tags ->> 'schedule', params from ops.runs order by 1").fetchall()
    assert found == [("nightly", {"day": "2026-03-02"}), ("plain", {"day": "today"})]


def test_by_hand_and_with_a_key_once(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *")
    clockwork.schedules.pause(one)
    first = clockwork.schedules.fire(one, "release-7")
    assert clockwork.schedules.fire(one, "release-7") == first
    assert clockwork.schedules.fire(one) != first


def test_what_the_steward_moves_on_is_no_change_that_somebody_made(clockwork: Clockwork) -> None:
    one = clockwork.put("s", None, kind="cron", cron="* * * * *")
    clockwork.connection.execute("update ops.schedules set anchored_at = clock_timestamp() - interval '5 min'")
    clockwork.look(datetime.now(UTC))
    clockwork.schedules.pause(one, "why not")
    log = "select action, after ->> 'paused_reason' from ops.audit_log where target = %s order by id"
    assert clockwork.connection.execute(log, [str(one)]).fetchall() == [
        ("schedules.insert", ""),
        ("schedules.update", "why not"),
    ]


def test_old_ticks_are_forgotten(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *")
    for hours in (1, 2, 3):
        clockwork.look(NOON + hours * HOUR)
    # Ids begin with the moment in which they were made; this one is of 2023.
    old = "update ops.schedule_ticks set id = '018bcfe5-0000-7000-8000-000000000000' where tick = %s"
    clockwork.connection.execute(old, [NOON + HOUR])
    assert clockwork.schedules.prune_ticks(timedelta(days=1)) == 1
    assert clockwork.fired(one) == [NOON + 2 * HOUR, NOON + 3 * HOUR]


def test_one_that_cannot_be_decided_keeps_no_other_from_its_turn(clockwork: Clockwork, tmp_path: Path) -> None:
    """As when somebody's trigger on the runs of one pipeline is broken."""
    minutely = {"kind": "cron", "cron": "* * * * *"}
    ids = [clockwork.put(f"s{number}", None, **minutely) for number in range(3)]
    ids[1] = clockwork.put("s1", None, pipeline="second", **minutely)
    clockwork.connection.execute("update ops.schedules set anchored_at = clock_timestamp() - interval '3 min'")
    clockwork.connection.execute(
        "create function public.broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;"
        "create trigger broken before insert on ops.runs for each row when (new.pipeline = 'second') "
        "execute function public.broken()"
    )
    fire(clockwork.connection, Settings(home=tmp_path))
    assert [len(clockwork.fired(each)) for each in ids] == [
        len(clockwork.fired(ids[0])),
        0,
        len(clockwork.fired(ids[2])),
    ]
    assert clockwork.fired(ids[0]) and clockwork.fired(ids[2])
    clockwork.connection.execute("drop trigger broken on ops.runs")
    fire(clockwork.connection, Settings(home=tmp_path))
    assert clockwork.fired(ids[1])


def test_a_server_whose_clock_went_back_fires_nothing_again(clockwork: Clockwork) -> None:
    one = clockwork.put("s", NOON, kind="cron", cron="0 * * * *")
    clockwork.look(NOON + HOUR)
    back = "update ops.schedules set anchored_at = %s, next_at = null, due_at = null"
    clockwork.connection.execute(back, [NOON + 0.5 * HOUR])
    clockwork.look(NOON + HOUR)
    clockwork.look(NOON + 2 * HOUR)
    assert clockwork.fired(one) == [NOON + HOUR, NOON + 2 * HOUR]
    assert clockwork.connection.execute("select count(*) from ops.runs").fetchone() == (2,)
