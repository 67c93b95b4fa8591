"""A run again, in a browser: from a phase, identically, and for a past, each said before it is done."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from ops.backfills import Backfills
from ops.database import LOCAL_OPERATOR
from ops.embedded import Cluster
from ops.model import NewPhase, RunId
from tests.dashboard.conftest import Served, serve
from tests.dashboard.eventful import broken, good
from tests.dashboard.people import as_role, tenancy
from tests.postgres import Databases

DAILY = {
    "version": 1, "pipeline": "daily", "owner": "@data-owners", "params": {"day": {"type": "date"}},
    "partition": {"param": "day", "step": "day"},
    "phases": [{
        "name": "daily", "kind": "transform", "inputs": {"orders": "silver.orders"}, "sql": "select * from orders",
        "output": {"table": "gold.daily", "mode": "partition", "by": "ordered_on"},
    }],
}  # fmt: skip
DAILY_PHASES = [NewPhase("daily", "transform")]
DAILY_RUN = {
    "pipeline": "daily", "spec": DAILY, "spec_sha256": "4" * 64, "params": {"day": "2025-01-01"},
}  # fmt: skip


class Runs:
    """A control room with a good run, one that failed, and one of a pipeline of partitions."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.good, self.broken = good(served.operator, 0), broken(served.operator)
        self.daily = served.operator.succeeded(DAILY_PHASES, **DAILY_RUN)

    def open(self, page: Page, run_id: RunId, button: str) -> Locator:
        page.goto(f"{self.served.where}/run?id={run_id}")
        page.get_by_role("button", name=button).click()
        return page.get_by_role("dialog")

    def made_of(self, run_id: RunId) -> list[tuple[str, dict[str, str]]]:
        """Trigger and phases of each run that repeats one."""
        with psycopg.connect(self.served.operator.url) as owner:
            return owner.execute(
                "select r.trigger, jsonb_object_agg(p.name, p.status) from ops.runs r join ops.run_phases p on p.run_id = r.id "
                "where r.parent_run = %s group by r.id",
                [run_id],
            ).fetchall()


@pytest.fixture(scope="module")
def runs(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    with databases.clone(template) as url:
        for served in serve(cluster, url, tmp_path_factory.mktemp("home")):
            yield Runs(served)


def arrived(page: Page, run_id: RunId) -> None:
    """On the page of another run, which repeats this one."""
    expect(page.get_by_role("status")).to_contain_text("Waits for an executor")
    expect(page.get_by_role("link", name=str(run_id)[-12:]).first).to_be_visible()


def test_a_failed_run_is_retried_from_a_phase_after_a_look_at_what_that_does(page: Page, runs: Runs) -> None:
    dialog = runs.open(page, runs.broken, "Retry from a phase…")
    # The phase that failed is proposed.
    expect(dialog).to_contain_text("Taken over, because they succeeded: land, tidy.")
    dialog.get_by_role("combobox", name="From phase").click()
    page.get_by_role("option", name="tidy").click()
    expect(dialog).to_contain_text("Carried out: tidy, checks, marts.")
    expect(dialog).to_contain_text("--from-phase tidy")
    expect(dialog.locator("tr", has_text="checks")).to_contain_text("depends on tidy")
    expect(dialog.locator("tr", has_text="land")).to_contain_text("taken over")
    assert runs.made_of(runs.broken) == []
    dialog.get_by_role("button", name="Retry from a phase").click()
    arrived(page, runs.broken)
    assert runs.made_of(runs.broken) == [
        ("retry", {"land": "succeeded", "tidy": "pending", "checks": "pending", "marts": "pending"})
    ]


def test_what_would_be_refused_is_told_instead_of_a_button(page: Page, runs: Runs) -> None:
    dialog = runs.open(page, runs.good, "Retry from a phase…")
    expect(dialog.get_by_role("alert")).to_contain_text("it reads a source, which has moved on")
    expect(dialog.get_by_role("button", name="Retry from a phase")).to_have_count(0)
    # With the inputs of now it may be read anew.
    dialog.get_by_text("On the latest definition").click()
    dialog.get_by_role("combobox", name="From phase").click()
    page.get_by_role("option", name="land").click()
    expect(dialog).to_contain_text("Carried out: land, tidy, checks, marts.")
    expect(dialog).to_contain_text("--from-phase land --latest")


def test_a_run_is_done_again_identically(page: Page, runs: Runs) -> None:
    dialog = runs.open(page, runs.good, "Re-run identically…")
    expect(dialog).to_contain_text("Carried out: tidy, checks, marts.")
    expect(dialog.locator("tr", has_text="land")).to_contain_text("what it landed is what is replayed")
    dialog.get_by_role("button", name="Re-run identically").click()
    arrived(page, runs.good)
    # The run that had ended was not followed; this one is. Both switches stand for a moment, until the old page's is taken.
    expect(page.get_by_role("switch", name="Follow", checked=True)).to_have_count(1)
    expect(page.get_by_role("switch", name="Follow")).to_have_count(1)
    [(trigger, phases)] = runs.made_of(runs.good)
    assert (trigger, phases["land"], phases["marts"]) == ("replay", "succeeded", "pending")


def test_a_past_is_ordered_from_a_run_after_a_look_at_what_it_takes(page: Page, runs: Runs) -> None:
    dialog = runs.open(page, runs.daily, "Backfill…")
    expect(dialog).to_contain_text("Say which partitions")
    for label, day in (("First day", "2025-03-01"), ("Last day", "2025-03-03")):
        dialog.get_by_test_id("stDateInput").filter(has_text=label).get_by_role("spinbutton").first.click()
        page.keyboard.type(day.replace("-", ""))
        # Taken when the calendar closes.
        dialog.get_by_text("Say which partitions").click(force=True)
    expect(dialog).to_contain_text("daily version 1 in dev: 3 partitions in 3 runs")
    expect(dialog).to_contain_text("by 1 run before")
    with psycopg.connect(runs.served.operator.url) as owner:
        assert Backfills(owner).backfills() == []
    dialog.get_by_role("button", name="Start backfill").click()
    # On the pipeline's page.
    expect(page.get_by_text("is ordered: 3 runs in dev")).to_be_visible()
    line = page.locator(".cr.alert", has_text="2025-03-01 … 2025-03-03")
    expect(line).to_contain_text("0 done, 3 left of 3 chunks")
    page.get_by_role("button", name="Pause").click()
    expect(line.locator(".pill")).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(line.locator(".pill")).to_have_text("active")
    runs.served.operator.owner.source.execute("select ops.advance_backfills()")  # type: ignore[union-attr]
    expect(line).to_contain_text("0 done, 3 at work")
    page.get_by_role("button", name="Chunks…").click()
    expect(page.get_by_role("dialog").locator("tbody tr")).to_have_count(3)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("dialog")).to_contain_text("0 chunks will not be run, and 3 open runs canceled")
    page.get_by_role("dialog").get_by_role("button", name="Cancel backfill").click()
    expect(line.locator(".pill")).to_have_text("canceled")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


def test_who_may_not_is_told_why_and_refused_all_the_same(page: Page, runs: Runs) -> None:
    with as_role(runs.served, "viewer"):
        page.goto(f"{runs.served.where}/run?id={runs.good}")
        for name in ("Retry from a phase…", "Re-run identically…"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
    before = runs.made_of(runs.good)
    dialog = runs.open(page, runs.good, "Re-run identically…")
    button = dialog.get_by_role("button", name="Re-run identically")
    expect(button).to_be_visible()
    # Whoever was an operator when the dialog opened is none when the button is pressed.
    tenancy(runs.served).set_member("default", "demo", LOCAL_OPERATOR, "viewer")
    try:
        button.click()
        expect(dialog.get_by_role("alert").first).to_contain_text("NOT_ALLOWED")
    finally:
        tenancy(runs.served).set_member("default", "demo", LOCAL_OPERATOR, "admin")
    assert runs.made_of(runs.good) == before


def test_a_past_is_ordered_with_the_parameters_of_what_the_environment_runs(page: Page, runs: Runs) -> None:
    """stage runs the first version; the second, which dev runs, has one parameter more."""
    owner = runs.served.operator.owner
    project = owner.ensure_project("default", "demo")
    deeper = {**DAILY, "params": {**DAILY["params"], "depth": {"type": "integer", "default": 3}}}  # type: ignore[dict-item]
    assert owner.register_pipeline(project, "daily", deeper, "6" * 64, "c" * 40) == 2
    owner.source.execute(  # type: ignore[union-attr]
        "insert into ops.promotions (project_id, env, pipeline, version) values (%s, 'stage', 'daily', 1)", [project]
    )
    page.goto(f"{runs.served.where}/pipeline?project=default%2Fdemo&name=daily")
    page.get_by_role("button", name="Backfill…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("depth")).to_have_value("3")
    dialog.get_by_role("combobox", name="Environment").click()
    page.get_by_role("option", name="stage").click()
    expect(dialog.get_by_label("depth")).to_have_count(0)
    expect(dialog.get_by_text("Say which partitions")).to_be_visible()
