"""The list of runs in a browser: filters that are links, and pages. Choosing among them is in test_choosing_runs.py."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ops.embedded import Cluster
from ops.model import Trigger
from tests.dashboard.conftest import Served, serve
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
        ("?executor=tester", 1),
        ("?env=prod", 0),
        ("?since=2020-01-01&status=failed", 1),
        ("?until=2020-01-01", 0),
        ("", 50),
    ],
)
def test_an_address_is_a_view(page: Page, many: Served, address: str, found: int) -> None:
    page.goto(f"{many.where}/runs{address}")
    page.wait_for_selector("tbody tr")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(found)
    if not found:
        expect(page.get_by_text("No run is like that")).to_be_visible()


def test_what_is_typed_is_in_the_address_and_a_wrong_word_is_told(page: Page, many: Served) -> None:
    page.goto(f"{many.where}/runs")
    page.get_by_label("Words").fill("amount_total")
    page.get_by_label("Words").press("Enter")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)
    assert "text=amount_total" in page.url
    page.goto(f"{many.where}/runs?env=dev&tag=ticket")
    expect(page.get_by_text("'ticket' has no value")).to_be_visible()
    page.goto(f"{many.where}/runs?executor=mine")
    expect(page.get_by_text("no executor of the last day is called mine")).to_be_visible()


def test_older_runs_are_a_page_away_and_the_page_is_a_link(page: Page, many: Served) -> None:
    page.goto(f"{many.where}/runs")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    assert "before=" in page.url
    page.goto(page.url)
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    page.get_by_role("button", name="Newest").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(50)


def test_back_after_a_filter_hides_no_newer_runs(page: Page, many: Served) -> None:
    page.goto(f"{many.where}/runs")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(RUNS + 1 - 50)
    page.get_by_label("Words").fill("amount_total")
    page.get_by_label("Words").press("Enter")
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(re.compile("before="))
    # The words stand there still: what is shown is what has them, from its beginning.
    expect(page.locator("tbody tr", has=page.locator("a"))).to_have_count(1)
