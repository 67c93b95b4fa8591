"""Home: what needs somebody stands there, worst first, once, and goes away by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
from playwright.sync_api import expect

from dashboard.views.home import (
    Need,
    alert_needs,
    due_next,
    failing,
    failure_needs,
    fleet_needs,
    freshness_needs,
    ranked_needs,
)
from ops.model import RunStatus
from ops.pipeline_reads import PastRun, PipelineSummary
from ops.schedules import FreshnessRow, ScheduleRow
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.test_alerts_page import ALERT, TAKEN
from tests.dashboard.test_fleet_page import HERE, LEASE, PATIENCE
from tests.dashboard.test_views import ENDED, NOW, broken

FAILED = replace(
    broken(replace(ENDED, status=RunStatus.FAILED)), org="acme", project="books", env="prod", pipeline="orders"
)
LATE = FreshnessRow(
    "acme", "books", "dev", "gold.x", 60.0, 3600.0, None, "error", NOW, NOW, "release", 7200.0, NOW
)  # fmt: skip
CLOCK = ScheduleRow(
    UUID(int=1), "acme", "books", "dev", "nightly", "orders", "cron", "0 5 * * *", "UTC", None, None, None, "skip", 60.0, 1,
    "queue", 0.0, {}, 100, None, False, "", None, NOW + timedelta(hours=2), None, None, NOW,
)  # fmt: skip


def test_a_failure_that_an_alert_tells_of_is_told_once() -> None:
    [need] = alert_needs([ALERT, TAKEN], NOW)
    assert (need.tone, need.said, need.why) == ("bad", "orders failed", "nulls · 5 min ago")
    assert failure_needs([FAILED], [ALERT], NOW) == failure_needs([FAILED], [TAKEN], NOW) == []
    [need] = failure_needs([FAILED], [replace(ALERT, env="dev")], NOW)
    assert (need.said, need.why) == ("orders fails in prod", "3 nulls in amount (CHECK_FAILED) · now")


def test_a_pipeline_fails_where_its_last_run_did() -> None:
    good = PastRun(FAILED.run_id, "dev", RunStatus.SUCCEEDED, NOW, 1.0)
    bad = replace(good, status=RunStatus.FAILED, env="prod", created_at=NOW - timedelta(days=1))
    row = PipelineSummary("acme", "books", "orders", 1, "", "", {}, NOW, {}, [good, bad], [good, bad])
    other = replace(row, slug="other", latest=[replace(bad, created_at=NOW)])
    assert [(each.slug, run.env) for each, run in failing([row, other])] == [("other", "prod"), ("orders", "prod")]


def test_old_data_silent_executors_and_ended_leases_are_told() -> None:
    fresh = replace(LATE, state="ok")
    [need] = freshness_needs([LATE, fresh, replace(fresh, state=None)])
    assert (need.tone, need.said, need.why) == ("bad", "gold.x is too old in dev", "2 h behind; it may be 1 h")
    over, late = replace(LEASE, expires_at=NOW - timedelta(seconds=5)), replace(HERE, last_seen=NOW - 2 * PATIENCE)
    assert [(need.tone, need.said) for need in fleet_needs([HERE, late], [LEASE, over], 0, PATIENCE, NOW)] == [
        ("bad", "orders has lost its executor"), ("waits", "1 executor fell silent"),
    ]  # fmt: skip
    assert [(need.tone, need.why) for need in fleet_needs([], [], 3, PATIENCE, NOW)] == [("bad", "3 runs wait")]
    assert [need.tone for need in fleet_needs([], [], 0, PATIENCE, NOW)] == ["waits"]


def test_what_is_bad_stands_first() -> None:
    needs = [Need(tone, str(number), "", "", "") for number, tone in enumerate(("waits", "bad", "busy", "bad"))]
    assert [need.said for need in ranked_needs(needs)] == ["1", "3", "0", "2"]


def test_what_is_due_next_stands_first_and_what_is_paused_is_not_due() -> None:
    sooner = replace(CLOCK, pipeline="hourly", due_at=NOW + timedelta(minutes=5))
    event = replace(CLOCK, kind="webhook", cron=None, next_at=None)
    rows = due_next([CLOCK, replace(CLOCK, paused=True), event, sooner], NOW)
    assert [(row.name, row.kind, row.when) for row in rows] == [
        ("hourly", "0 5 * * * (UTC)", "in 5 min"), ("orders", "0 5 * * * (UTC)", "in 2 h"),
    ]  # fmt: skip


def test_a_failure_comes_and_goes_while_one_looks(watched: Watched, served: Served) -> None:
    page, operator, name = watched.page, served.operator, f"orders_{uuid4().hex[:8]}"
    page.goto(f"{served.where}/home")
    expect(page.get_by_role("heading", name="Runs of the last day")).to_be_visible()
    operator.queue(None, pipeline=name, phases=(), max_attempts=1)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "nulls in amount_total")
    need = page.locator("li", has_text=name)
    expect(need).to_contain_text("nulls in amount_total")
    expect(need).to_have_count(1)
    operator.succeeded(pipeline=name)
    expect(need).to_have_count(0)
    with psycopg.connect(operator.url, autocommit=True) as connection:
        connection.execute("update ops.executors set state = 'draining'")
        expect(page.locator("li", has_text="No executor works")).to_be_visible()
        connection.execute("update ops.executors set state = 'active', last_seen = clock_timestamp()")
    expect(page.locator("li", has_text="No executor works")).to_have_count(0)
    page.get_by_role("link", name="failed", exact=True).click()
    expect(page.locator("tr", has_text=name).locator(".pill")).to_have_text("failed")
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []
