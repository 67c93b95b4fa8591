"""Pipelines in a browser: the list, a pipeline's page, promotion by who may and not by who may not."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Page, expect

from ops.database import LOCAL_OPERATOR
from ops.errors import NotFound
from ops.model import NewPhase
from ops.pipeline_reads import Pipelines
from ops.tenancy import Tenancy
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.people import as_role

PHASES = (
    NewPhase("bronze", "ingest"), NewPhase("silver", "transform", ("bronze",)),
    NewPhase("gold", "transform", ("bronze", "silver")),
)  # fmt: skip
SPEC = {
    "version": 1, "pipeline": "orders", "owner": "ada", "description": "Orders of the shop",
    "schedule": {"cron": "0 5 * * *"}, "params": {"day": {"type": "date", "description": "which day"}},
    "phases": [{"name": each.name, "kind": each.kind, "depends_on": list(each.depends_on)} for each in PHASES],
}  # fmt: skip
FIRST = {"pipeline": "orders", "spec": SPEC, "spec_sha256": "1" * 64}
SECOND = {"pipeline": "orders", "spec": {**SPEC, "owner": "grace"}, "spec_sha256": "2" * 64}


@pytest.fixture(scope="module")
def orders(served: Served) -> Served:
    """A pipeline of two versions with three runs, its first version promoted to stage."""
    operator = served.operator
    operator.succeeded(PHASES, **FIRST)
    operator.queue(None, **SECOND, phases=PHASES)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "nulls")
    operator.succeeded(PHASES, **SECOND)
    project = operator.owner.ensure_project("default", "demo")
    Tenancy(operator.owner.source).promote_pipeline(project, "orders", 1, "stage", "the first")
    return served


def open_orders(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/pipeline?project=default%2Fdemo&name=orders")
    expect(page.get_by_role("heading", name="orders")).to_be_visible()


def test_a_spec_that_leaves_out_what_it_may_has_a_page(page: Page, served: Served) -> None:
    bare = {"pipeline": "bare", "spec": {"phases": [{"name": "one", "kind": "noop"}]}, "spec_sha256": "3" * 64}
    # Ended, so that no other test's executor finds it in the queue.
    served.operator.owner.cancel_run(served.operator.queue(None, **bare), "over")
    page.goto(f"{served.where}/pipeline?project=default%2Fdemo&name=bare")
    expect(page.get_by_role("heading", name="bare")).to_be_visible()
    expect(page.get_by_role("heading", name="What starts it")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_list_says_how_each_pipeline_is_and_leads_to_it(watched: Watched, orders: Served) -> None:
    page = watched.page
    page.goto(f"{orders.where}/pipelines")
    row = page.locator("tr", has=page.get_by_role("link", name="orders", exact=True))
    expect(row).to_contain_text("grace")
    expect(row).to_contain_text("2 of 3")
    expect(row).to_contain_text("stage runs v1")
    expect(row).to_contain_text("0 5 * * * (UTC)")
    drawn = row.locator(".bars.drawn").evaluate("each => getComputedStyle(each).backgroundImage")
    assert drawn.count("gradient(") == 3
    page.get_by_label("Name").fill("no such")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("No pipeline is called like that")).to_be_visible()
    assert "text=no+such" in page.url or "text=no%20such" in page.url
    page.goto(f"{orders.where}/pipelines?text=ORD")
    page.get_by_role("link", name="orders", exact=True).click()
    expect(page.locator(".dag .box")).to_have_count(3)
    expect(page.locator(".history a")).to_have_count(3)
    expect(page.locator(".tile", has_text="of the last 3 runs").locator(".value")).to_have_text("2 of 3")
    expect(page.locator(".tile", has_text="stage runs").locator(".value")).to_have_text("1")
    expect(page.locator("tr", has_text="which day")).to_contain_text("must be given")
    expect(page.locator("pre.diff .added")).to_have_text('+  "owner": "grace",\n')
    expect(page.locator("pre.diff .removed")).to_have_text('-  "owner": "ada",\n')
    assert watched.hosts == {orders.where.removeprefix("http://")}
    assert watched.complaints == []


def test_a_version_is_promoted_after_a_look_at_what_changes(page: Page, orders: Served) -> None:
    open_orders(page, orders)
    page.get_by_role("button", name="Promote to prod…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("prod runs no version of orders now")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("has not succeeded in stage with all its checks")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Promote to stage…").click()
    expect(dialog).to_contain_text("Against version 1: 1 line added, 1 removed.")
    dialog.get_by_label("Why").fill("new owner")
    dialog.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_text("stage runs version 2 of orders from now on.")).to_be_visible()
    expect(page.locator("tr", has_text="new owner")).to_contain_text(LOCAL_OPERATOR)
    with psycopg.connect(orders.operator.url) as connection:
        rows = connection.execute("select version, subject from ops.promotions order by promoted_at desc limit 1")
        assert rows.fetchone() == (2, LOCAL_OPERATOR)


def test_who_may_not_promote_is_told_why(page: Page, orders: Served) -> None:
    with as_role(orders, "viewer"):
        open_orders(page, orders)
        for env in ("stage", "prod"):
            expect(page.get_by_role("button", name=f"Promote to {env}…")).to_be_disabled()
        expect(
            page.get_by_text("You may not promote to stage or prod: this needs the role editor there.")
        ).to_be_visible()


def test_a_pipeline_that_is_not_there_and_no_name_at_all(page: Page, orders: Served) -> None:
    page.goto(f"{orders.where}/pipeline?project=default%2Fdemo&name=none")
    expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
    page.goto(f"{orders.where}/pipeline")
    expect(page.get_by_text("No pipeline is named")).to_be_visible()


def test_pages_of_pipelines_follow_each_other(orders: Served) -> None:
    source = orders.operator.owner.source
    for name in ("a", "b", "zebra"):
        orders.operator.queue(None, pipeline=name, spec={"pipeline": name}, spec_sha256=name * 8, priority=900)
    reading = Pipelines(source)
    names, after = [], ("", "", "")
    while rows := reading.page(after=after, limit=2):
        names += [row.slug for row in rows]
        after = (rows[-1].org, rows[-1].project, rows[-1].slug)
    assert names == sorted(names)
    assert {"a", "b", "orders", "zebra"} <= set(names)
    assert [row.slug for row in reading.page("EBR")] == ["zebra"]
    with pytest.raises(NotFound):
        reading.one("default", "demo", "none")
