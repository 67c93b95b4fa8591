"""Times in the zone of whoever looks: what is said, what a browser may claim, and what stands on pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import dashboard
from dashboard.components.render import render
from dashboard.views import zone
from dashboard.views.run_log import event_lines
from dashboard.views.words import clock, exact
from ops.model import EventType, NewEvent, RunId
from ops.views import EventRow
from tests.dashboard.conftest import Served

KOLKATA = "Asia/Kolkata"
AT = datetime(2026, 11, 26, 22, 10, 5, 250_000, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))
# How times are written, which one place does.
WRITING = (".strftime(", ":%Y-%m-%d", ":%H:%M")


@pytest.fixture(autouse=True)
def _in_utc() -> Iterator[None]:
    zone.take(None)
    yield
    zone.take(None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "2026-11-26 22:10:05 UTC"),
        ("UTC", "2026-11-26 22:10:05 UTC"),
        ("Europe/Berlin", "2026-11-26 23:10:05 CET"),
        (KOLKATA, "2026-11-27 03:40:05 IST"),
        # What Chromium calls the same: an old name, which some systems leave out of their zones.
        ("Asia/Calcutta", "2026-11-27 03:40:05 IST"),
        # Zones without letters: minutes beside hours, and west of Greenwich.
        ("Asia/Kathmandu", "2026-11-27 03:55:05 +05:45"),
        ("America/Sao_Paulo", "2026-11-26 19:10:05 -03:00"),
    ],
)
def test_an_exact_time_is_the_viewers(name: str | None, said: str) -> None:
    zone.take(name)
    assert exact(AT) == said
    assert exact(AT, seconds=False) == said.replace(":05 ", " ")


def test_summer_is_told_by_the_moment_and_not_by_the_day_of_looking() -> None:
    zone.take("Europe/Berlin")
    assert exact(AT.replace(month=7)) == "2026-07-27 00:10:05 CEST"


def test_a_moment_that_the_viewers_calendar_has_no_day_for_is_told_as_it_is() -> None:
    zone.take(KOLKATA)
    assert exact(datetime.max.replace(tzinfo=UTC)) == "9999-12-31 23:59:59 UTC"


@pytest.mark.parametrize(
    "name",
    [
        "", "nowhere", "Mars/Olympus", "../../../etc/passwd", "/etc/passwd", "Europe", "Europe/../Europe/Berlin",
        "zone.tab", "UTC\0", "\ud800", "x" * 100_000, "<script>alert(1)</script>",
    ],
)  # fmt: skip
def test_what_is_no_zone_is_utc(name: str) -> None:
    zone.take(name)
    assert zone.viewers() is UTC
    assert (zone.zone_name(), exact(AT)) == ("UTC", "2026-11-26 22:10:05 UTC")


def test_the_log_reads_in_the_viewers_zone_and_says_which() -> None:
    zone.take(KOLKATA)
    [line] = event_lines([EventRow(1, AT, EventType.RUN_CREATED, None, "info", "", {})])
    assert (line.at, line.exact) == (clock(AT), exact(AT)) == ("03:40:05.250", "2026-11-27 03:40:05 IST")
    assert f"<th>time ({KOLKATA})</th>" in render("events", lines=[line], latest=False)


def test_no_page_writes_a_time_in_a_zone_of_its_own() -> None:
    where = Path(dashboard.__file__).parent
    words = where / "views" / "words.py"
    files = [each for each in (*where.rglob("*.py"), *where.rglob("*.html")) if each != words]
    assert [each.name for each in files for writing in WRITING if writing in each.read_text()] == []


@pytest.fixture
def abroad(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, timezone_id=KOLKATA)
    yield context.new_page()
    context.close()


def created(served: Served, run_id: RunId) -> datetime:
    with psycopg.connect(served.operator.url) as connection:
        [[at]] = connection.execute("select created_at from ops.runs where id = %s", [run_id]).fetchall()
    return at  # type: ignore[no-any-return]


def in_india(at: datetime) -> str:
    """India has one zone and no summer time."""
    return f"{at.astimezone(INDIA):%Y-%m-%d %H:%M:%S} IST"


def in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def line_of(page: Page, run_id: RunId) -> Locator:
    return page.locator("tbody tr", has=page.get_by_role("link", name=str(run_id)[-12:]))


def test_a_time_that_is_typed_is_the_viewers_and_the_address_says_so(abroad: Page, served: Served) -> None:
    run_id = served.operator.queue()
    abroad.goto(f"{served.where}/runs")
    abroad.get_by_role("button", name="More").click()
    field = abroad.get_by_label("From", exact=True)
    field.fill("2020-01-31 14:00")
    field.press("Enter")
    expect(field).to_have_value("2020-01-31T14:00:00+05:30")
    expect(abroad).to_have_url(re.compile(r"since=2020-01-31T14%3A00%3A00%2B05%3A30"))
    expect(line_of(abroad, run_id)).to_have_count(1)
    abroad.get_by_label("Before", exact=True).fill("2020-02-01")
    abroad.get_by_label("Before", exact=True).press("Enter")
    expect(line_of(abroad, run_id)).to_have_count(0)
    abroad.reload()
    expect(abroad.get_by_text("No run is like that")).to_be_visible()


def test_a_list_tells_the_viewers_time_on_hover_and_goes_on_doing_so(abroad: Page, page: Page, served: Served) -> None:
    first = served.operator.queue()
    for looking in (abroad, page):
        looking.goto(f"{served.where}/runs")
    said, at_home = in_india(created(served, first)), in_utc(created(served, first))
    expect(line_of(abroad, first).get_by_title(said)).to_contain_text("ago")
    # Two who look at the same moment share what is read, and not how it is written.
    expect(line_of(page, first).get_by_title(at_home)).to_contain_text("ago")
    # By the list's own refresh: nobody touches the page.
    second = served.operator.queue()
    expect(line_of(abroad, second).get_by_title(in_india(created(served, second)))).to_be_visible()
    expect(line_of(abroad, first).get_by_title(said)).to_be_visible()
    expect(line_of(page, second).get_by_title(in_utc(created(served, second)))).to_be_visible()


def test_a_runs_page_tells_the_viewers_time_and_goes_on_doing_so(abroad: Page, served: Served) -> None:
    run_id, token = served.operator.running()
    said = in_india(created(served, run_id))
    abroad.goto(f"{served.where}/run?id={run_id}&level=all")
    tile, took = (abroad.get_by_role("listitem").filter(has_text=name).first for name in ("created", "took"))
    expect(tile).to_contain_text(said)
    log = abroad.get_by_role("log")
    expect(log).to_contain_text(re.compile(r"time \(Asia/(Kolkata|Calcutta)\)"))
    served.operator.executor.append_events(
        run_id, token, [NewEvent(uuid4(), EventType.PHASE_PROGRESS, "bronze", "info", "told later", None)]
    )
    expect(log.locator("tr", has_text="told later").locator("td[title$=' IST']")).to_be_visible()
    before = took.locator(".value").inner_text()
    expect(took.locator(".value")).not_to_have_text(before)
    expect(tile).to_contain_text(said)


def test_a_page_that_nothing_refreshes_tells_the_viewers_time_as_well(abroad: Page, served: Served) -> None:
    abroad.goto(f"{served.where}/settings")
    since = abroad.locator("tbody tr").first.locator("td[title$=' IST']")
    expect(since).to_have_text(re.compile("ago|now"))
