"""What starts a pipeline by itself, on its page: when next, the past, paused and started by who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from dashboard.views.schedules import following, schedule_line, tick_lines
from ops.model import NewPhase
from ops.schedules import ScheduleRow, Schedules, TickRow
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.people import as_role

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEXT = NOW + timedelta(hours=2)
NIGHTLY = ScheduleRow(
    UUID(int=1), "acme", "books", "dev", "nightly", "orders", "cron", "0 14 * * *", "UTC", None, None, None, "skip", 60.0, 1,
    "queue", 0.0, {}, 100, None, False, "", None, NEXT, None, None, NOW,
)  # fmt: skip
PHASES = [NewPhase("bronze", "ingest")]
SPEC = {"pipeline": "timed", "spec": {"phases": [{"name": "bronze", "kind": "ingest"}]}, "spec_sha256": "6" * 64}


def test_a_clock_says_its_next_time_and_the_ones_after_it() -> None:
    line = schedule_line(NIGHTLY, NOW)
    assert (line.next, line.tone, line.exact) == ("in 2 h", "good", "2026-03-01 14:00:00 UTC")
    assert line.then == "2026-03-02 14:00 UTC, 2026-03-03 14:00 UTC"


@pytest.mark.parametrize(
    "row",
    [
        replace(NIGHTLY, paused=True),
        replace(NIGHTLY, next_at=None),
        replace(NIGHTLY, kind="webhook", cron=None),
        replace(NIGHTLY, cron="no clock"),
        replace(NIGHTLY, timezone="Nowhere/Land"),
    ],
)
def test_what_has_no_clock_or_stands_still_has_no_times_after_the_next(row: ScheduleRow) -> None:
    assert following(row) == []


def test_what_became_of_its_times_is_told_with_the_run() -> None:
    fired = TickRow(UUID(int=2), NOW, None, None, "fired", "", UUID(int=3), "failed", NOW)
    passed = replace(fired, through=NEXT, ticks=4, outcome="skipped", reason="paused", run_id=None, run_status=None)
    first, second = tick_lines([fired, passed])
    assert (first.outcome, first.tone, first.run_status) == ("fired", "good", "failed")
    assert first.run_id == str(UUID(int=3))
    assert (second.when, second.why, second.run_id) == ("2026-03-01 12:00:00 UTC and 3 more", "paused", "")


@pytest.fixture(scope="module")
def timed(served: Served) -> Served:
    """A pipeline that two clocks start."""
    operator = served.operator
    operator.succeeded(PHASES, **SPEC)
    project = operator.owner.ensure_project("default", "demo")
    with psycopg.connect(operator.url, autocommit=True) as owner:
        for slug, cron in (("nightly", "0 5 * * *"), ("weekly", "0 6 * * 1")):
            Schedules(owner).put(project, "dev", slug, {"pipeline": "timed", "kind": "cron", "cron": cron})
    return served


def row_of(served: Served, slug: str) -> ScheduleRow:
    project = served.operator.owner.ensure_project("default", "demo")
    with psycopg.connect(served.operator.url) as owner:
        return Schedules(owner).named(project, "dev", slug)


def test_a_schedule_is_paused_resumed_and_started_from_the_page(watched: Watched, timed: Served) -> None:
    page, nightly = watched.page, row_of(timed, "nightly")
    page.goto(f"{timed.where}/pipeline?project=default%2Fdemo&name=timed")
    line = page.locator("tr", has_text="nightly")
    expect(line).to_contain_text("0 5 * * * (UTC)")
    page.locator(f".st-key-pause_{nightly.id}").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("nightly in dev starts nothing until somebody resumes it")
    dialog.get_by_label("Why").fill("month end")
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("nightly in dev is paused.")).to_be_visible()
    expect(line).to_contain_text("paused: month end")
    assert (row_of(timed, "nightly").paused, row_of(timed, "weekly").paused) == (True, False)
    page.locator(f".st-key-resume_{nightly.id}").get_by_role("button").click()
    expect(dialog).to_contain_text("starts timed again from its next time on")
    dialog.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("nightly in dev is resumed.")).to_be_visible()
    assert not row_of(timed, "nightly").paused
    page.locator(f".st-key-fire_{nightly.id}").get_by_role("button").click()
    expect(dialog).to_contain_text("A run of timed in dev is queued with the schedule's parameters")
    dialog.get_by_role("button", name="Start run").click()
    page.wait_for_url("**/run?id=*")
    expect(page.get_by_role("heading", name="timed")).to_be_visible()
    run_id = page.url.rpartition("=")[2]
    # Ended, so that no other test's executor finds it in the queue.
    timed.operator.owner.cancel_run(UUID(run_id), "over")  # type: ignore[arg-type]
    page.goto(f"{timed.where}/pipeline?project=default%2Fdemo&name=timed")
    page.locator(f".st-key-ticks_{nightly.id}").get_by_role("button").click()
    expect(dialog.locator("tbody tr").first).to_contain_text("by hand")
    expect(dialog.get_by_role("link", name=run_id[-12:])).to_be_visible()
    assert watched.complaints == []


def test_who_may_not_is_told_why_and_may_look_at_the_past(page: Page, timed: Served) -> None:
    weekly = row_of(timed, "weekly")
    with as_role(timed, "viewer"):
        page.goto(f"{timed.where}/pipeline?project=default%2Fdemo&name=timed")
        for what in ("pause", "fire"):
            expect(page.locator(f".st-key-{what}_{weekly.id}").get_by_role("button")).to_be_disabled()
        page.locator(f".st-key-ticks_{weekly.id}").get_by_role("button").click()
        expect(page.get_by_role("dialog")).to_contain_text("It has started nothing yet.")
