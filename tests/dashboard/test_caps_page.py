"""Caps: gauges and forecasts without a page, then the page in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from dashboard.views.caps import amount_words, cap_lines, forecast, holding
from ops.cap_reads import CapStanding
from ops.database import LOCAL_OPERATOR
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.people import as_role, tenancy
from tests.dashboard.test_views import NOW

HALF = timedelta(hours=12)
CAP = CapStanding(
    UUID(int=1), "rows_a_day", "acme", None, None, UUID(int=2), None, "rows", Decimal(1000), "day", Decimal(400), NOW - HALF,
    NOW + HALF, NOW,
)  # fmt: skip
AT_ONCE = replace(
    CAP, unit="runs", period="concurrent", amount=Decimal(2), used=Decimal(2), began_at=None, ends_at=None
)


def test_a_forecast_is_a_straight_line_from_the_beginning_of_the_period() -> None:
    lasts = forecast(CAP)
    assert lasts is not None
    assert (lasts.at, round(lasts.by_end)) == (None, 800)
    told = forecast(replace(CAP, used=Decimal(750)))
    assert told is not None
    # 250 are left, at 750 in 12 hours.
    assert told.at == NOW + timedelta(hours=4)
    over = forecast(replace(CAP, used=Decimal(1100)))
    assert over is not None
    assert over.at == NOW


@pytest.mark.parametrize(
    "cap", [AT_ONCE, replace(CAP, used=Decimal(0)), replace(CAP, began_at=NOW - timedelta(minutes=5))]
)
def test_nothing_is_foretold_where_there_is_nothing_to_tell_by(cap: CapStanding) -> None:
    assert forecast(cap) is None


@pytest.mark.parametrize(
    ("cap", "state", "tone", "said"),
    [
        (CAP, "ample", "good", "lasts; about 800 rows by its end"),
        (replace(CAP, used=Decimal(750)), "will be used up", "waits", "used up in 4 h"),
        (replace(CAP, used=Decimal(1000)), "used up", "bad", "free in 12 h"),
        # As many at once as there may be is what it is for; it is somebody's matter where a run waits.
        (AT_ONCE, "full", "quiet", "free when a run ends"),
        (replace(AT_ONCE, waits=True), "full, runs wait", "waits", "free when a run ends"),
        (replace(AT_ONCE, used=Decimal(1)), "ample", "good", "no forecast: what is used is given back"),
        (
            replace(AT_ONCE, amount=Decimal(4), used=Decimal(3)),
            "ample",
            "good",
            "no forecast: what is used is given back",
        ),
        (replace(CAP, unit="runs", amount=Decimal(400)), "used up", "bad", "free in 12 h"),
        (replace(CAP, amount=Decimal(0), used=Decimal(0)), "used up", "bad", "free in 12 h"),
    ],
)
def test_a_cap_says_how_it_stands(cap: CapStanding, state: str, tone: str, said: str) -> None:
    [line] = cap_lines([cap])
    assert (line.state, line.tone, line.forecast) == (state, tone, said)
    assert 0 <= line.share <= 100
    assert line.share + line.soon <= 100


def test_what_holds_something_up_comes_first_and_numbers_read_as_people_say_them() -> None:
    over, waits = replace(CAP, key="over", used=Decimal(1000)), replace(AT_ONCE, key="waits", waits=True)
    lines = cap_lines([CAP, replace(AT_ONCE, key="full"), replace(CAP, key="tight", used=Decimal(750)), waits, over])
    assert [line.key for line in lines] == ["over", "tight", "waits", "rows_a_day", "full"]
    read = {"runs": "1", "bytes": "3100000", "rows": "1204.5"}
    words = [amount_words(Decimal(value), unit) for unit, value in read.items()]
    assert words == ["1 run", "3.1 MB", "1,204 rows"]


def test_runs_are_listed_where_a_cap_holds_them_up_or_has_ended_them() -> None:
    over, waits = replace(CAP, used=Decimal(1000)), replace(AT_ONCE, waits=True)
    assert holding([CAP, AT_ONCE, over, waits]) == [over, waits]


def test_the_page_shows_how_full_each_cap_is_and_what_it_holds_up(watched: Watched, served: Served) -> None:
    operator, page = served.operator, watched.page
    with psycopg.connect(operator.url, autocommit=True) as owner:
        owner.execute(
            "insert into ops.caps (key, org_id, amount, period, unit) "
            "select c.key, o.id, c.amount, c.period, c.unit "
            "from ops.orgs o, (values ('few', 1, 'concurrent', 'runs'), ('rows_a_day', 100, 'day', 'rows')) "
            "as c (key, amount, period, unit) where o.slug = 'default'"
        )
        try:
            at_work, token = operator.running(lease_seconds=300)
            paused = operator.queue(available_at=datetime.now(UTC) + timedelta(hours=1))
            page.goto(f"{served.where}/caps")
            few = page.locator("tr", has_text="few").first
            expect(few).to_contain_text("1 run")
            # One may run and one does: that needs nobody.
            expect(few.get_by_text("full", exact=True)).to_be_visible()
            expect(page.get_by_role("heading", name="Held up")).to_have_count(0)
            # Where nobody was heard of for two minutes, that is what a run waits for.
            owner.execute("update ops.executors set last_seen = clock_timestamp()")
            waiting = operator.queue()
            expect(few).to_contain_text("full, runs wait")
            expect(page.get_by_role("link", name=str(paused)[-12:])).to_have_count(0)
            expect(page.locator("tr", has_text="rows_a_day")).to_contain_text("ample")
            expect(page.get_by_role("link", name=str(waiting)[-12:])).to_be_visible()
            # Told by itself: what was held up goes on when there is room.
            operator.executor.fail_run(at_work, token, "PHASE_FAILED", "over")
            expect(few).to_contain_text("ample")
            expect(page.get_by_role("heading", name="Held up")).to_have_count(0)
            for run_id in (waiting, paused):
                operator.owner.cancel_run(run_id, "over")
        finally:
            owner.execute("delete from ops.cap_usage")
            owner.execute("delete from ops.caps")
    assert watched.complaints == []
    assert watched.hosts == {served.where.removeprefix("http://")}


def fill(page: Page, label: str, text: str) -> None:
    """Types into a field of the dialog and leaves it."""
    field = page.get_by_role("dialog").get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")


def test_an_admin_sets_changes_and_removes_a_cap(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/caps")
    page.get_by_role("button", name="New cap…").click()
    dialog = page.get_by_role("dialog")
    fill(page, "Name", "two_runs")
    fill(page, "Allows", "many")
    dialog.get_by_role("button", name="Set").click()
    expect(dialog.get_by_role("alert")).to_contain_text("write a number such as 12.5")
    fill(page, "Allows", "2")
    dialog.get_by_role("button", name="Set").click()
    expect(page.get_by_text("Cap two_runs holds for default/demo.")).to_be_visible()
    row = page.locator("tr", has_text="two_runs")
    expect(row).to_contain_text("at the same time")
    page.get_by_role("button", name="Change…").click()
    fill(page, "Allows", "0")
    expect(dialog).to_contain_text("0 runs used now: 0 runs would be left.")
    fill(page, "Allows", "3")
    dialog.get_by_role("button", name="Change").click()
    expect(row).to_contain_text("3 runs")
    page.get_by_role("button", name="Remove…").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Cap two_runs is removed.")).to_be_visible()
    expect(row).to_have_count(0)
    with psycopg.connect(served.operator.url) as owner:
        said = owner.execute(
            "select action, subject from ops.audit_log where action like 'caps.%' and subject is not null order by at"
        ).fetchall()
    assert [(action, subject) for action, subject in said] == [
        (f"caps.{each}", LOCAL_OPERATOR) for each in ("insert", "update", "delete")
    ]


def test_who_may_not_change_limits_is_told_and_refused_all_the_same(page: Page, served: Served) -> None:
    with as_role(served, "viewer"):
        for part, button in (("Caps", "New cap…"), ("Pools", "Set slots…"), ("Prices", "Set a price…")):
            page.goto(f"{served.where}/caps?part={part}")
            expect(page.get_by_role("button", name=button)).to_be_disabled()
        expect(page.get_by_text("they are set by the admins of a whole org")).to_be_visible()
    page.goto(f"{served.where}/caps")
    page.get_by_role("button", name="New cap…").click()
    fill(page, "Name", "mine")
    fill(page, "Allows", "1")
    dialog = page.get_by_role("dialog")
    # Whoever was an admin when the dialog opened is none when the button is pressed.
    with as_role(served, "operator"):
        dialog.get_by_role("button", name="Set").click()
        expect(dialog.get_by_role("alert")).to_contain_text("NOT_ALLOWED")
    with psycopg.connect(served.operator.url) as owner:
        assert owner.execute("select count(*) from ops.caps where key = 'mine'").fetchone() == (0,)


def test_an_admin_gives_a_pool_slots_and_takes_it_away(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/caps?part=Pools")
    expect(page.get_by_text("No pool is set")).to_be_visible()
    for slots in ("4", "2"):
        page.get_by_role("button", name="Set slots…").click()
        fill(page, "Name", "warehouse")
        fill(page, "Slots", slots)
        page.get_by_role("dialog").get_by_role("button", name="Set").click()
        expect(page.locator("tr", has_text="warehouse")).to_contain_text(f"0 of {slots} slots")
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Pool warehouse is removed.")).to_be_visible()


def test_an_admin_of_the_org_sets_a_price(page: Page, served: Served) -> None:
    people = tenancy(served)
    people.set_member("default", None, LOCAL_OPERATOR, "admin")
    people.set_member("default", None, "another admin", "admin")
    try:
        page.goto(f"{served.where}/caps?part=Prices")
        page.get_by_role("button", name="Set a price…").click()
        fill(page, "Price", "0.05")
        fill(page, "Currency", "eur")
        page.get_by_role("dialog").get_by_role("button", name="Set").click()
        expect(page.locator("tr", has_text="a second of a core")).to_contain_text("0.05 EUR")
    finally:
        people.remove_member("default", None, LOCAL_OPERATOR)
