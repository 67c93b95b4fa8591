"""Caps: gauges and forecasts without a page, then the page in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import expect

from dashboard.views.caps import amount_words, cap_lines, forecast
from ops.cap_reads import CapStanding
from tests.dashboard.conftest import Served, Watched
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
        (AT_ONCE, "used up", "bad", "free when a run ends"),
        (replace(AT_ONCE, used=Decimal(1)), "ample", "good", "no forecast: what is used is given back"),
        (replace(CAP, amount=Decimal(0), used=Decimal(0)), "used up", "bad", "free in 12 h"),
    ],
)
def test_a_cap_says_how_it_stands(cap: CapStanding, state: str, tone: str, said: str) -> None:
    [line] = cap_lines([cap])
    assert (line.state, line.tone, line.forecast) == (state, tone, said)
    assert 0 <= line.share <= 100
    assert line.share + line.soon <= 100


def test_what_holds_something_up_comes_first_and_numbers_read_as_people_say_them() -> None:
    lines = cap_lines([CAP, replace(CAP, key="tight", used=Decimal(750)), replace(AT_ONCE, key="full")])
    assert [line.key for line in lines] == ["full", "tight", "rows_a_day"]
    read = {"runs": "1", "bytes": "3100000", "rows": "1204.5"}
    words = [amount_words(Decimal(value), unit) for unit, value in read.items()]
    assert words == ["1 run", "3.1 MB", "1,204 rows"]


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
            at_work, token = operator.running()
            waiting = operator.queue()
            page.goto(f"{served.where}/caps")
            few = page.locator("tr", has_text="few").first
            expect(few).to_contain_text("1 run")
            expect(few).to_contain_text("used up")
            expect(page.locator("tr", has_text="rows_a_day")).to_contain_text("ample")
            expect(page.get_by_role("link", name=str(waiting)[-12:])).to_be_visible()
            # Told by itself: what was held up goes on when there is room.
            operator.executor.fail_run(at_work, token, "PHASE_FAILED", "over")
            expect(few).to_contain_text("ample")
            expect(page.get_by_role("heading", name="Held up")).to_have_count(0)
            operator.owner.cancel_run(waiting, "over")
        finally:
            owner.execute("delete from ops.cap_usage")
            owner.execute("delete from ops.caps")
    assert watched.complaints == []
    assert watched.hosts == {served.where.removeprefix("http://")}
