"""The list of runs in a browser: filters that are links, pages, and actions on many runs after a preview."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from ops.embedded import Cluster
from ops.model import RunId, Trigger
from tests.dashboard.conftest import Served, serve
from tests.dashboard.people import as_role
from tests.postgres import Databases

RUNS = 60


@pytest.fixture(scope="module")
def many(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Sixty waiting runs, the twelfth of them tagged, and one that failed before."""
    with databases.clone(template) as url:
        for served in serve(cluster, url, tmp_path_factory.mktemp("home")):
            run_id, token = served.operator.running()
            served.operator.executor.fail_run(run_id, token, "CHECK_FAILED", "nulls in amount_total")
            for number in range(RUNS):
                tags = {"ticket": "OPS-17"} if number == 12 else {}
                served.operator.queue(tags=tags, trigger=Trigger.API if number % 2 else Trigger.MANUAL)
            yield served


def status_of(served: Served, run_id: RunId) -> str:
    with psycopg.connect(served.operator.url) as connection:
        [[status]] = connection.execute("select status from ops.runs where id = %s", [run_id]).fetchall()
    return str(status)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("?status=failed", 1),
        ("?status=failed&status=running", 1),
        ("?text=amount_total", 1),
        ("?tag=ticket%3DOPS-17", 1),
        ("?trigger=api", RUNS // 2),
        ("?pipeline=demo&status=queued&trigger=manual", RUNS // 2),
        ("?age=last%20hour&status=failed", 1),
        ("?env=prod", 0),
        ("?since=2020-01-01&status=failed", 1),
        ("?until=2020-01-01", 0),
        ("", 50),
    ],
)
def test_an_address_is_a_view(page: Page, many: Served, address: str, found: int) -> None:
    page.goto(f"{many.where}/{address}")
    page.wait_for_selector("tbody tr")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(found)
    if not found:
        expect(page.get_by_text("No run is like that")).to_be_visible()


def test_what_is_typed_is_in_the_address_and_a_wrong_word_is_told(page: Page, many: Served) -> None:
    page.goto(many.where)
    page.get_by_label("Words").fill("amount_total")
    page.get_by_label("Words").press("Enter")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)
    assert "text=amount_total" in page.url
    page.goto(f"{many.where}/?executor=mine&tag=ticket")
    expect(page.get_by_text("executor: 'mine' is no id")).to_be_visible()
    expect(page.get_by_text("'ticket' has no value")).to_be_visible()


def test_older_runs_are_a_page_away_and_the_page_is_a_link(page: Page, many: Served) -> None:
    page.goto(many.where)
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    assert "before=" in page.url
    page.goto(page.url)
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    page.get_by_role("button", name="Newest").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(50)


def test_many_runs_are_canceled_after_a_preview_says_what_will_happen(page: Page, many: Served) -> None:
    page.goto(f"{many.where}/?tag=ticket%3DOPS-17")
    [run_id] = [RunId(UUID(each)) for each in ids(page)]
    page.get_by_text("Choose runs to cancel or retry").click()
    grid = page.get_by_test_id("stDataFrame")
    grid.wait_for()
    box = grid.bounding_box()
    assert box is not None
    # The box of the first row: the grid is drawn on a canvas, which has no elements.
    page.mouse.click(box["x"] + 16, box["y"] + 52)
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_text("1 run waits and ends at once.")).to_be_visible()
    assert status_of(many, run_id) == "queued"
    page.get_by_role("dialog").get_by_role("button", name="Cancel", exact=True).click()
    said = page.get_by_text("1 of 1 canceled or asked to stop.")
    expect(said).to_be_visible()
    # In sight also of who has scrolled to the end of a long page.
    page.set_viewport_size({"width": 900, "height": 300})
    page.mouse.wheel(0, 2_000)
    expect(page.get_by_role("heading", name="Runs")).not_to_be_in_viewport()
    expect(said).to_be_in_viewport()
    assert status_of(many, run_id) == "canceled"


def test_who_may_only_look_is_told_that_nothing_would_be_done(page: Page, many: Served) -> None:
    with as_role(many, "viewer"):
        page.goto(f"{many.where}/?status=failed")
        page.get_by_text("Choose runs to cancel or retry").click()
        grid = page.get_by_test_id("stDataFrame")
        grid.wait_for()
        box = grid.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 16, box["y"] + 52)
        page.get_by_role("button", name="Retry…").click()
        expect(page.get_by_text("1 run is left alone: that needs the role operator there.")).to_be_visible()
        expect(page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True)).to_be_disabled()


def test_back_after_a_filter_hides_no_newer_runs(page: Page, many: Served) -> None:
    page.goto(many.where)
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    page.get_by_label("Words").fill("amount_total")
    page.get_by_label("Words").press("Enter")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(re.compile("before="))
    # The words stand there still: what is shown is what has them, from its beginning.
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)


def ids(page: Page) -> list[str]:
    page.wait_for_selector("tbody a")
    return [str(link.get_attribute("href")).partition("id=")[2] for link in page.locator("tbody a").all()]
