"""Choosing among runs in a browser: the list stands still, and what is done is done to what was ticked, after a preview."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from ops.embedded import Cluster
from ops.model import RunId
from tests.dashboard.conftest import Served, serve
from tests.dashboard.people import as_role
from tests.dashboard.test_every_page import DRAWN
from tests.postgres import Databases

RUNS = 55


@pytest.fixture(scope="module")
def many(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """More waiting runs than a page has, and one that failed before."""
    with databases.clone(template) as url:
        for served in serve(cluster, url, tmp_path_factory.mktemp("home")):
            run_id, token = served.operator.running()
            served.operator.executor.fail_run(run_id, token, "CHECK_FAILED", "nulls in amount_total")
            queued(served, "demo", RUNS)
            yield served


def status_of(served: Served, run_id: RunId) -> str:
    with psycopg.connect(served.operator.url) as connection:
        [[status]] = connection.execute("select status from ops.runs where id = %s", [run_id]).fetchall()
    return str(status)


def choosing(page: Page, served: Served, address: str) -> None:
    page.goto(f"{served.where}/runs{address}")
    page.get_by_text("Choose runs to cancel or retry").click()
    page.get_by_test_id("stDataFrame").wait_for()
    page.wait_for_selector(DRAWN)


def tick(page: Page, row: int) -> None:
    """The box of a row, of all rows where it is -1: the grid is drawn on a canvas, which has no elements."""
    box = page.get_by_test_id("stDataFrame").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 52 + 35 * row)


def ticked(page: Page, row: int) -> None:
    """Ticks it, on a page where nothing is ticked. A grid that is being drawn takes no click yet."""
    cancel = page.get_by_role("button", name="Cancel…")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(cancel).to_be_disabled()
    page.wait_for_selector(DRAWN)
    for _ in range(3):
        tick(page, row)
        try:
            expect(cancel).to_be_enabled(timeout=10_000)
        except AssertionError:
            continue
        return
    expect(cancel).to_be_enabled()


def queued(served: Served, pipeline: str, runs: int) -> list[RunId]:
    """New ones, the newest first."""
    return [served.operator.queue(pipeline=pipeline) for _ in range(runs)][::-1]


def test_many_runs_are_canceled_after_a_preview_says_what_will_happen(page: Page, many: Served) -> None:
    [run_id] = queued(many, "single", 1)
    choosing(page, many, "?text=single")
    ticked(page, 0)
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_text("1 run waits and ends at once.")).to_be_visible()
    expect(page.get_by_text(f"To be canceled: single {str(run_id)[-12:]}.")).to_be_visible()
    assert status_of(many, run_id) == "queued"
    page.get_by_role("dialog").get_by_role("button", name="Cancel", exact=True).click()
    said = page.get_by_text("1 of 1 canceled or asked to stop.")
    expect(said).to_be_visible()
    # What was done is not done twice: nothing is ticked any more.
    expect(page.get_by_role("button", name="Cancel…")).to_be_disabled()
    # In sight also of who has scrolled to the end of a long page.
    page.set_viewport_size({"width": 900, "height": 300})
    page.mouse.wheel(0, 2_000)
    expect(page.get_by_role("heading", name="Runs")).not_to_be_in_viewport()
    expect(said).to_be_in_viewport()
    assert status_of(many, run_id) == "canceled"


def test_what_is_ticked_is_what_is_canceled_whatever_comes_to_the_list(page: Page, many: Served) -> None:
    newest, meant, oldest = queued(many, "stands", 3)
    choosing(page, many, "?text=stands")
    ticked(page, 1)
    [later] = queued(many, "stands", 1)
    page.get_by_role("button", name="Cancel…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"To be canceled: stands {str(meant)[-12:]}.")).to_be_visible()
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("1 of 1 canceled or asked to stop.")).to_be_visible()
    states = [status_of(many, each) for each in (later, newest, meant, oldest)]
    assert states == ["queued", "queued", "canceled", "queued"]
    # Read anew, the list begins with the later one.
    ticked(page, 0)
    page.get_by_role("button", name="Cancel…").click()
    expect(dialog.get_by_text(f"To be canceled: stands {str(later)[-12:]}.")).to_be_visible()


def test_a_preview_tells_how_the_runs_are_by_then(page: Page, many: Served) -> None:
    [run_id] = queued(many, "overtaken", 1)
    choosing(page, many, "?text=overtaken")
    ticked(page, 0)
    many.operator.owner.cancel_run(run_id, "by somebody else")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_text("1 run has ended already and stays as it is.")).to_be_visible()


def test_ticks_go_with_the_list_that_they_were_set_on(page: Page, many: Served) -> None:
    queued(many, "goes", 2)
    cancel = page.get_by_role("button", name="Cancel…")

    choosing(page, many, "")
    ticked(page, 0)
    page.get_by_role("button", name="Older").click()
    expect(cancel).to_be_disabled()
    ticked(page, 0)
    page.get_by_role("button", name="Newest").click()
    expect(cancel).to_be_disabled()
    ticked(page, 0)
    page.get_by_role("button", name="Look again").click()
    expect(cancel).to_be_disabled()
    ticked(page, 0)
    page.get_by_label("Words").fill("goes")
    page.get_by_label("Words").press("Enter")
    expect(cancel).to_be_disabled()


def test_more_than_a_page_can_be_chosen(page: Page, many: Served) -> None:
    with psycopg.connect(many.operator.url) as connection:
        [[waiting]] = connection.execute("select count(*) from ops.runs where status = 'queued'").fetchall()
    assert waiting > 50
    choosing(page, many, "?status=queued")
    cancel, dialog = page.get_by_role("button", name="Cancel…"), page.get_by_role("dialog")
    ticked(page, -1)
    cancel.click()
    expect(dialog.get_by_text("50 runs wait and end at once.")).to_be_visible()
    expect(dialog.get_by_text(re.compile("and 42 more"))).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="500").or_(page.get_by_role("radio", name="500")).click()
    expect(cancel).to_be_disabled()
    ticked(page, -1)
    cancel.click()
    expect(dialog.get_by_text(f"{waiting} runs wait and end at once.")).to_be_visible()


def test_who_may_only_look_cannot_press_and_is_told_why(page: Page, many: Served) -> None:
    with as_role(many, "viewer"):
        choosing(page, many, "?status=failed")
        tick(page, 0)
        for name in ("Cancel…", "Retry…"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
        page.get_by_role("button", name="Retry…").hover(force=True)
        expect(page.get_by_text("That needs the role operator, which you have nowhere.").first).to_be_visible()
