"""Home: what needs somebody stands there, worst first, once, and goes away by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
from playwright.sync_api import expect

from dashboard.views.home import (
    MOST,
    Need,
    alert_needs,
    backfill_needs,
    cap_needs,
    due_next,
    failure_needs,
    fleet_needs,
    freshness_needs,
    lease_needs,
    ranked_needs,
    steward_needs,
)
from dashboard.views.parts import PIPELINES, by_pipeline, part_tiles, throughput, totals
from dashboard.views.runs import TILES
from dashboard.views.words import span
from ops.home_reads import Parts, PipelineCount
from ops.model import RunStatus
from ops.schedules import FreshnessRow, ScheduleRow
from ops.watching import Watching
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.test_alerts_page import ALERT, TAKEN
from tests.dashboard.test_backfill_views import ROW
from tests.dashboard.test_caps_page import AT_ONCE, CAP
from tests.dashboard.test_fleet_page import HERE, LEASE, PATIENCE
from tests.dashboard.test_views import ENDED, NOW, broken

FAILED = replace(
    broken(replace(ENDED, status=RunStatus.FAILED)), org="acme", project="books", env="prod", pipeline="orders"
)
LATE = FreshnessRow(
    "acme", "books", "dev", "gold.x", 60.0, 3600.0, None, "error", NOW, NOW, "release", 7200.0, NOW
)  # fmt: skip
PARTS = Parts("17.2 (Debian)", NOW, NOW - timedelta(seconds=3), NOW - timedelta(hours=1), 2, None, 0)
CLOCK = ScheduleRow(
    UUID(int=1), "acme", "books", "dev", "nightly", "orders", "cron", "0 5 * * *", "UTC", None, None, None, "skip", 60.0, 1,
    "queue", 0.0, {}, 100, None, False, "", None, NOW + timedelta(hours=2), None, None, NOW,
)  # fmt: skip


def test_a_failure_that_an_alert_tells_of_is_told_once() -> None:
    [need] = alert_needs([ALERT, TAKEN], NOW)
    assert (need.tone, need.said, need.why) == ("bad", "orders failed", "nulls · 5 min ago")
    assert need.exact == "2026-03-01 11:55:00 UTC"
    assert need.go == f"alerts?alert={ALERT.alert_id}"
    assert alert_needs([replace(ALERT, muted_until=NOW + timedelta(hours=1))], NOW) == []
    assert failure_needs([FAILED], [ALERT], NOW) == failure_needs([FAILED], [TAKEN], NOW) == []
    [need] = failure_needs([FAILED], [replace(ALERT, env="dev")], NOW)
    assert (need.said, need.why) == ("orders fails in prod", "3 nulls in amount (CHECK_FAILED) · now")


def test_several_alerts_of_one_thing_are_one_need_the_worst_of_them() -> None:
    slow = replace(ALERT, alert_id=UUID(int=2), rule="slow", severity="warning", title="orders is slow")
    [need, other] = alert_needs([slow, ALERT, replace(slow, env="dev")], NOW)
    assert (need.said, need.tone, need.why) == ("orders failed", "bad", "nulls · 5 min ago · and 1 more alert of it")
    assert (other.said, other.tone) == ("orders is slow", "waits")
    # What is about a whole project has nothing but its rule in common with anything.
    wide = [replace(ALERT, group_key="project", rule=rule) for rule in ("queue", "failures")]
    assert len(alert_needs(wide, NOW)) == 2


def test_a_table_of_which_an_alert_tells_is_told_once() -> None:
    early = replace(ALERT, env="dev", rule="late", group_key="gold.x", severity="warning", title="late: gold.x in dev")
    far = replace(
        early, alert_id=UUID(int=2), group_key="gold.x (error)", severity="critical", title="late: gold.x (error)"
    )
    [need] = alert_needs([early, far], NOW)
    assert (need.said, need.tone) == ("late: gold.x (error)", "bad")
    assert freshness_needs([LATE], [far]) == freshness_needs([LATE], [replace(early, state="acknowledged")]) == []
    assert len(freshness_needs([LATE], [replace(far, group_key="gold.y")])) == 1


def test_old_data_silent_executors_and_ended_leases_are_told() -> None:
    fresh = replace(LATE, state="ok")
    [need] = freshness_needs([LATE, fresh, replace(fresh, state=None)], [])
    assert (need.tone, need.said, need.why) == ("bad", "gold.x is too old in dev", "2 h behind; it may be 1 h")
    assert need.go == "dataset?project=acme%2Fbooks&env=dev&table=gold.x"
    over, late = replace(LEASE, expires_at=NOW - timedelta(seconds=5)), replace(HERE, last_seen=NOW - 2 * PATIENCE)
    assert [(need.tone, need.said) for need in fleet_needs([HERE, late], [LEASE, over], 0, PATIENCE, NOW)] == [
        ("bad", "orders has lost its executor"), ("waits", "1 executor fell silent"),
    ]  # fmt: skip
    assert [(need.tone, need.why) for need in fleet_needs([], [], 3, PATIENCE, NOW)] == [("bad", "3 runs wait")]
    assert [need.tone for need in fleet_needs([], [], 0, PATIENCE, NOW)] == ["waits"]


def test_many_leases_that_ended_have_one_cause() -> None:
    over = [replace(LEASE, expires_at=NOW - timedelta(seconds=number)) for number in range(1, 301)]
    assert len(lease_needs(over[:3], NOW)) == 3
    [need] = lease_needs(over, NOW)
    assert (need.said, need.go) == ("300 runs have lost their executors", "fleet")
    assert need.why.startswith("the first lease ended 5 min ago")


def test_a_silent_steward_needs_somebody_since_nothing_else_would_be_told() -> None:
    assert steward_needs(PARTS, PATIENCE) == []
    [need] = steward_needs(replace(PARTS, steward_at=NOW - 2 * PATIENCE), PATIENCE)
    assert (need.tone, need.said, need.go) == ("bad", "The steward is silent", "")
    assert need.why.startswith(f"its last round was {span(2 * PATIENCE)} ago; no schedule starts a run")
    [need] = steward_needs(replace(PARTS, steward_at=None), PATIENCE)
    assert need.why.startswith("it never went a round")


def test_of_very_many_needs_the_worst_are_told_and_how_many_others_there_are() -> None:
    needs = [Need("waits", f"w{number}", "", "", "") for number in range(30)] + [Need("bad", "b", "", "", "")]
    told = ranked_needs(needs)
    assert (len(told), told[0].said, told[-1].said, told[-1].tone) == (MOST + 1, "b", "And 11 more", "waits")
    assert len(ranked_needs(needs[:MOST])) == MOST


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


def test_caps_that_are_used_up_or_will_be_and_paused_backfills_are_told() -> None:
    tight = replace(CAP, key="tight", used=Decimal(750))
    assert [(need.tone, need.said, need.go) for need in cap_needs([replace(CAP, used=Decimal(1000)), tight, AT_ONCE])] == [
        ("bad", "Cap rows_a_day is used up", "caps"), ("waits", "Cap tight will be used up", "caps"),
    ]  # fmt: skip
    [need] = backfill_needs([replace(ROW, state="paused", reason="month end")])
    assert (need.said, need.why) == ("A backfill of daily is paused in dev", "3 of 10 chunks done, 1 failed; month end")
    assert need.go == "pipeline?project=default%2Fdemo&name=daily"


COUNTS = [
    PipelineCount("acme", "books", "calm", RunStatus.SUCCEEDED, 90, 9),
    PipelineCount("acme", "books", "busy", RunStatus.CLAIMED, 1, 0),
    PipelineCount("acme", "books", "busy", RunStatus.RUNNING, 2, 0),
    PipelineCount("acme", "books", "broken", RunStatus.FAILED, 3, 1),
]


def test_pipelines_with_failures_stand_before_those_at_work_and_each_number_leads_to_its_runs() -> None:
    lines = by_pipeline(COUNTS)
    assert [line.name for line in lines] == ["broken", "busy", "calm"]
    assert [number for number, _, _ in lines[1].cells] == [0, 3, 0, 0, 0]
    number, tone, link = lines[0].cells[list(TILES).index("failed")]
    assert (number, tone) == (3, "bad")
    assert link == "runs?status=failed&pipeline=broken&project=acme%2Fbooks&age=last+day"
    assert (totals(COUNTS)[RunStatus.RUNNING], totals([])[RunStatus.QUEUED]) == (2, 0)
    assert throughput(COUNTS).number == 10
    many = [replace(COUNTS[0], pipeline=f"p{number}") for number in range(50)]
    assert len(by_pipeline(many)) == PIPELINES


def test_a_part_that_was_not_heard_of_for_too_long_is_silent() -> None:
    tiles = {tile.name: tile for tile in part_tiles(PARTS, [HERE], PATIENCE)}
    assert tiles["Postgres"].more == "version 17.2"
    assert (tiles["steward"].value, tiles["steward"].more, tiles["steward"].tone) == ("works", "round 3 s ago", "good")
    assert (tiles["fleet"].value, tiles["fleet"].tone) == ("1 executor", "good")
    assert (tiles["lake"].value, tiles["lake"].more) == ("2 tables", "changed 1 h ago")
    assert tiles["Superset"].more == "never published"
    assert (tiles["lake"].exact, tiles["Superset"].exact) == ("2026-03-01 11:00:00 UTC", "")
    assert tiles["Superset"].link == ""
    assert part_tiles(PARTS, [HERE], PATIENCE, "https://bi.acme.test")[-1].link == "https://bi.acme.test"
    silent = {tile.name: tile for tile in part_tiles(replace(PARTS, steward_at=NOW - 2 * PATIENCE), [], PATIENCE)}
    assert (silent["steward"].value, silent["steward"].tone, silent["fleet"].tone) == ("silent", "bad", "bad")
    never = part_tiles(replace(PARTS, steward_at=None), [], PATIENCE)
    assert never[1].more == "went no round"


def test_a_failure_comes_and_goes_while_one_looks(watched: Watched, served: Served) -> None:
    page, operator, name = watched.page, served.operator, f"orders_{uuid4().hex[:8]}"
    page.goto(served.where)
    expect(page.get_by_role("heading", name="Runs at work, and of the last day")).to_be_visible()
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
        Watching(connection).steward_round()
        connection.execute("update ops.executors set state = 'draining'")
        expect(page.locator("li", has_text="No executor works")).to_be_visible()
        connection.execute("update ops.executors set state = 'active', last_seen = clock_timestamp()")
    expect(page.locator("li", has_text="No executor works")).to_have_count(0)
    row = page.locator("tr", has=page.get_by_role("link", name=name))
    expect(row.locator("a.pill")).to_have_text(["1", "1"])
    expect(page.get_by_role("list", name="parts")).to_contain_text("works")
    page.get_by_role("link", name="failed", exact=True).click()
    expect(page.locator("tr", has_text=name).locator(".pill")).to_have_text("failed")
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []
