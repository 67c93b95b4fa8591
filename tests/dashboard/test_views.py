"""What a page says of a run, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard.views.run import FOREMOST, MANY, facts, foremost, left_out, particulars, phase_lines
from dashboard.views.runs import tiles
from dashboard.views.timeline import timeline
from dashboard.views.verdict import verdict
from dashboard.views.words import TONES, ago, count, size, span, tone
from ops.limits import Waiting
from ops.model import PhaseStatus, RunId, RunStatus
from ops.views import PhaseRow, RunDetail

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = UUID(int=0)
RUN = RunDetail(
    run_id=RunId(UUID(int=1)), org="default", project="demo", env="dev", pipeline="orders", pipeline_version=1,
    status=RunStatus.RUNNING, phase=None, priority=100, attempt=1, max_attempts=3, trigger="manual", git_sha="a" * 40,
    tags={}, created_at=NOW - timedelta(seconds=100), started_at=NOW - timedelta(seconds=90), finished_at=None,
    error_code=None, error_message=None, project_id=NOTHING, spec={}, spec_sha256="", params={}, input_manifest={},
    output_manifest={}, error_data=None, parent_run=None, idempotency_key=None,
    available_at=NOW - timedelta(seconds=100), timeout_seconds=None, executor_id=None, lease_token=None,
    lease_expires_at=None, cancel_requested=False, score=None, score_breakdown=None,
)  # fmt: skip
PHASE = PhaseRow(
    ordinal=0, name="bronze", kind="ingest", depends_on=(), status=PhaseStatus.PENDING, attempt=0, started_at=None,
    finished_at=None, rows_in=None, rows_out=None, byte_size=None, input_fingerprint=None, output_fingerprint=None,
    metrics={}, progress=None, error_code=None, error_message=None, error_data=None,
)  # fmt: skip
DONE = replace(PHASE, status=PhaseStatus.SUCCEEDED)
FAILED = replace(PHASE, name="checks", status=PhaseStatus.FAILED)
ENDED = replace(RUN, finished_at=NOW)


def broken(run: RunDetail) -> RunDetail:
    return replace(run, error_code="CHECK_FAILED", error_message="3 nulls in amount")


@pytest.mark.parametrize(
    ("run", "phases", "said"),
    [
        (replace(RUN, status=RunStatus.QUEUED), [PHASE], "Waits for an executor for 1 min 40 s; 0 of 1 phase done"),
        (
            broken(replace(RUN, status=RunStatus.QUEUED, available_at=NOW + timedelta(seconds=5))),
            [PHASE],
            "Waits 5.0 s before attempt 2 of 3: 3 nulls in amount (CHECK_FAILED)",
        ),
        (RUN, [DONE, replace(PHASE, status=PhaseStatus.RUNNING)], "Running bronze; 1 of 2 phases done"),
        (replace(RUN, cancel_requested=True), [PHASE], "Canceling; 0 of 1 phase done"),
        (replace(ENDED, status=RunStatus.SUCCEEDED), [DONE], "Succeeded in 1 min 30 s; 1 of 1 phase done"),
        (replace(ENDED, status=RunStatus.CANCELED), [DONE, PHASE], "Canceled after 1 min 30 s; 1 of 2 phases done"),
        (
            replace(ENDED, status=RunStatus.CANCELED, started_at=None),
            [PHASE],
            "Canceled after waiting 1 min 40 s; 0 of 1 phase done",
        ),
        (
            broken(replace(ENDED, status=RunStatus.FAILED)),
            [DONE, FAILED],
            "Failed in checks after 1 attempt: 3 nulls in amount (CHECK_FAILED)",
        ),
    ],
)
def test_one_sentence_says_how_a_run_is(run: RunDetail, phases: list[PhaseRow], said: str) -> None:
    assert verdict(run, phases, NOW) == said


@pytest.mark.parametrize(
    ("reason", "told", "data", "said"),
    [
        ("cap", "cap few is full: 1 of 1 runs (day)", {}, "Waits for 1 min 40 s: cap few is full: 1 of 1 runs (day)"),
        ("pool", "pool gpu is full: 2 of 2 slots; held by x", {}, "Waits for 1 min 40 s: pool gpu is full: 2 of 2 slots"),
        (
            "nobody", "no executor is at work; `controlroom up` starts some", {},
            "Waits for an executor for 1 min 40 s: no executor is at work",
        ),
        ("queue", "2 runs go before it", {"ahead": 2}, "Waits for an executor for 1 min 40 s: 2 runs go before it"),
        ("queue", "it is the next", {"ahead": 0}, "Waits for an executor for 1 min 40 s"),
    ],
)  # fmt: skip
def test_a_queued_run_names_what_it_waits_for(reason: str, told: str, data: dict[str, object], said: str) -> None:
    waiting = Waiting(reason, told, None, data)
    assert verdict(replace(RUN, status=RunStatus.QUEUED), [PHASE], NOW, waiting) == f"{said}; 0 of 1 phase done"


def test_what_never_began_took_no_time_and_is_told_as_waiting_once() -> None:
    def told(run: RunDetail) -> tuple[str, str]:
        return next((fact.value, fact.more) for fact in facts(run, [], NOW) if fact.name == "took")

    assert told(replace(ENDED, status=RunStatus.CANCELED, started_at=None)) == ("–", "waited 1 min 40 s")
    assert told(replace(RUN, status=RunStatus.QUEUED, started_at=None)) == ("–", "waited 1 min 40 s")
    assert told(RUN) == told(replace(ENDED, status=RunStatus.SUCCEEDED)) == ("1 min 30 s", "waited 10 s")


def test_what_a_run_was_started_with_is_told_where_it_is_not_as_usual() -> None:
    assert particulars(RUN, None) == []
    given = {"day": "2026-01-31", "full": True, "note": "x" * 100}
    told = particulars(replace(RUN, params=given, tags={"ticket": "OPS-17"}, priority=5), "worker-1")
    assert [(each.name, each.said) for each in told] == [
        ("parameters", f"day=2026-01-31 full=true note={'x' * 80} …"),
        ("tags", "ticket=OPS-17"),
        ("priority", "5"),
        ("executor", "worker-1"),
    ]
    many = {f"p{number}": number for number in range(23)}
    assert particulars(replace(RUN, params=many), None)[0].said.endswith("p19=19 and 3 more")


def test_each_status_has_a_look_and_an_unknown_one_is_an_error() -> None:
    assert {str(each) for kind in (RunStatus, PhaseStatus) for each in kind} == set(TONES)
    with pytest.raises(KeyError):
        tone("exploded")


moments = some.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 2)).map(lambda each: each.replace(tzinfo=UTC))


@given(created=moments, started=moments, begun=moments, ended=moments, now=moments)
def test_bars_stay_within_the_axis_whatever_the_clocks_say(
    created: datetime, started: datetime, begun: datetime, ended: datetime, now: datetime
) -> None:
    run = replace(RUN, created_at=created, started_at=started, finished_at=ended)
    phase = replace(DONE, started_at=begun, finished_at=ended)
    drawn = timeline(run, [phase, PHASE], now)
    assert [bar.label for bar in drawn.bars] == ["waiting", "bronze"]
    for piece in (piece for bar in drawn.bars for piece in bar.pieces):
        assert 0 <= piece.left <= 100
        assert 0 < piece.width <= 100
        assert piece.left + piece.width <= 100.01


def test_the_timeline_splits_waiting_from_work() -> None:
    phase = replace(DONE, attempt=1, started_at=RUN.created_at + timedelta(seconds=50), finished_at=NOW)
    waiting, work = timeline(ENDED, [phase], NOW).bars
    assert [(piece.left, piece.width) for piece in (*waiting.pieces, *work.pieces)] == [(0, 10), (50, 50)]
    assert (waiting.note, work.note) == ("10 s", "50 s")


def test_progress_is_a_share_only_where_the_handler_knows_the_whole() -> None:
    running = replace(PHASE, status=PhaseStatus.RUNNING, started_at=NOW)
    reports = [
        None,
        {"done": 5, "total": None},
        {"done": 5, "total": 0},
        {"done": 5, "total": 20},
        {"done": 9, "total": 3},
    ]
    lines = phase_lines([replace(running, progress=each) for each in reports], NOW)
    assert [line.share for line in lines] == [None, None, None, 25, 100]


def test_claimed_runs_count_as_running_and_no_executor_is_a_warning() -> None:
    counts = dict.fromkeys(RunStatus, 1)
    shown = {tile.name: (tile.number, tile.tone) for tile in tiles(counts, [])}
    assert shown["running"] == (2, "busy")
    assert shown["executors"] == (0, "bad")


def test_values_read_as_people_say_them() -> None:
    seconds = [0, 0.04, 0.0997, 9.96, 12.4, 65, 3600, 7500, 90_000]
    assert [span(timedelta(seconds=each)) for each in seconds] == [
        "0.0 s", "40 ms", "0.1 s", "10.0 s", "12 s", "1 min 5 s", "1 h", "2 h 5 min", "1 d 1 h",
    ]  # fmt: skip
    assert [size(each) for each in (0, 999, 1400, 2_500_000)] == ["0 B", "999 B", "1.4 kB", "2.5 MB"]
    assert ago(NOW - timedelta(minutes=3, seconds=20), NOW) == "3 min ago"
    assert (count(1, "phase"), count(1234, "row")) == ("1 phase", "1,234 rows")


def test_of_many_phases_those_are_shown_that_one_looks_for() -> None:
    def phase(number: int, status: PhaseStatus) -> PhaseRow:
        ended = NOW - timedelta(seconds=100 - number) if status is PhaseStatus.SUCCEEDED else None
        return replace(PHASE, ordinal=number, name=f"p{number:02}", status=status, finished_at=ended)

    few = [phase(number, PhaseStatus.PENDING) for number in range(MANY)]
    assert foremost(few) == few
    assert left_out(few, few) == ""
    states = [PhaseStatus.FAILED, *[PhaseStatus.SUCCEEDED] * 20, PhaseStatus.RUNNING, *[PhaseStatus.PENDING] * 20]
    many = [phase(number, status) for number, status in enumerate(states)]
    shown = foremost(many)
    # What failed, what ended last, what is at work, what is next; in their order.
    assert [each.name for each in shown] == [
        "p00", "p14", "p15", "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24",
    ]  # fmt: skip
    assert left_out(many, shown) == "30 phases more: 13 succeeded, 17 pending."
    # Afterwards: what failed, and what took longest.
    over = [
        replace(each, status=PhaseStatus.SUCCEEDED, started_at=NOW - timedelta(hours=1), finished_at=NOW)
        if each.ordinal % 2
        else replace(each, status=PhaseStatus.SUCCEEDED, started_at=NOW - timedelta(seconds=1), finished_at=NOW)
        for each in many
    ]
    over[0] = replace(many[0], started_at=NOW, finished_at=NOW)
    assert [each.ordinal for each in foremost(over)] == [0, *range(1, 23, 2)]
    assert len(foremost([phase(number, PhaseStatus.RUNNING) for number in range(50)])) == FOREMOST
    assert len(foremost([phase(number, PhaseStatus.PENDING) for number in range(50)])) == FOREMOST
