"""A run's page in a browser: everything that it says of a run that has been through something."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotThere

from dashboard.views.run import FOREMOST
from ops.bi import Bi, BiObject
from ops.embedded import Cluster
from ops.model import EventType, NewEvent, RunId
from ops.run_reads import LOG_PAGE
from ops.tenancy import Tenancy
from tests.dashboard.conftest import Served, Watched, serve
from tests.dashboard.eventful import RUN, broken, eventful, further, good, half_way, huge
from tests.dashboard.people import as_role
from tests.postgres import Databases


@dataclass(frozen=True)
class Lived:
    """A control room with a history: two good runs, an eventful one that matches them, and one that failed."""

    served: Served
    good: RunId
    eventful: RunId
    broken: RunId

    def open(self, page: Page, run_id: RunId, more: str = "") -> None:
        page.goto(f"{self.served.where}/run?id={run_id}{more}")
        page.wait_for_selector(".verdict")
        # The last part of the page.
        expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")


@pytest.fixture(scope="module")
def lived(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    with databases.clone(template) as url:
        superset = {"CONTROLROOM_SUPERSET_PUBLIC_URL": "https://bi.example.com"}
        for served in serve(cluster, url, tmp_path_factory.mktemp("home"), **superset):
            good(served.operator, 0)
            last = good(served.operator, 1)
            further(served.operator, 1)
            yield Lived(served, last, eventful(served.operator, served.home, 2), broken(served.operator))


def under(page: Page, heading: str) -> Locator:
    """The part of the page below a heading."""
    return page.get_by_role("region", name=heading, exact=True)


def test_a_failed_run_says_first_where_why_what_was_seen_and_what_to_do(page: Page, lived: Lived) -> None:
    lived.open(page, lived.broken)
    verdict = page.get_by_role("status")
    expect(verdict).to_contain_text("Failed in checks after 1 attempt")
    expect(verdict).to_contain_text("nulls amount: expected <= 0.00%, observed 0.25% (3 of 1204), in 3 rows")
    expect(verdict).to_contain_text("To do: Look at the check below")
    expect(under(page, "Checks").locator("tbody tr").first).to_contain_text("does not hold")


def test_a_run_page_tells_everything_of_an_eventful_run(watched: Watched, lived: Lived) -> None:
    page = watched.page
    lived.open(page, lived.eventful)
    expect(page.locator(".axis .label")).to_have_text(["waiting", "land", "tidy", "checks", "marts"])
    expect(page.locator(".axis .lease-wait")).to_have_count(1)
    expect(page.locator(".axis .commit")).to_have_count(4)
    expect(page.locator(".axis .ghost")).to_have_count(5)
    expect(under(page, "Score")).to_contain_text("beside the last good run")
    expect(under(page, "Score").locator("tr", has_text="failed_checks").first).to_contain_text("none then")
    expect(under(page, "Sameness")).to_contain_text(f"matches run {str(lived.good)[-12:]}")
    rows = under(page, "Rows").locator("tbody tr")
    expect(rows.nth(1).locator("td.number")).to_have_text(["1,208", "1,204", "4", ""])
    expect(rows.nth(2).locator("td")).to_have_text(
        ["checks", "silver.sales", "1,204", "", "", "3", "quarantine.silver_sales", "1 of 2 hold"]
    )
    # How many rows an aggregate has dropped cannot be told.
    expect(rows.nth(3).locator("td.number")).to_have_text(["1,204", "12", "", ""])
    commits = under(page, "Tables").locator("tbody tr")
    expect(commits.nth(1)).to_contain_text("1 → 2")
    expect(commits.nth(1)).to_contain_text("what readers get")
    expect(commits.nth(2)).to_contain_text("put aside")
    expect(under(page, "Leases").locator(".pill")).to_have_text(
        ["created", "claimed", "started", "lease lost", "queued again", "claimed", "started", "succeeded"]
    )
    assert watched.complaints == []
    assert watched.hosts == {lived.served.where.removeprefix("http://")}


def test_what_changed_in_the_columns_and_what_is_made_from_it(page: Page, lived: Lived) -> None:
    lived.open(page, lived.good)
    silver = under(page, "Tables").locator("tr", has_text="silver.sales").first
    expect(silver).to_contain_text("channel is new (string)")
    expect(silver).to_contain_text("superseded by 2")
    further_on = under(page, "Downstream").locator("tbody tr")
    expect(further_on.filter(has_text="gold.sales_by_month@1")).to_contain_text("gold.board")
    expect(further_on.filter(has_text="gold.sales_by_month@1")).to_contain_text("has what this run wrote")
    expect(further_on.filter(has_text="silver.sales@2").first).to_contain_text("has newer by now")
    lived.open(page, lived.eventful)
    expect(under(page, "Downstream").locator("tbody tr")).to_have_count(1)
    expect(under(page, "Downstream").locator("tbody tr")).to_contain_text("does not have it yet")


def test_a_run_leads_to_the_dashboards_that_stand_on_what_is_made_from_it(page: Page, lived: Lived) -> None:
    operator = lived.served.operator
    project = operator.owner.ensure_project("default", "demo")
    with psycopg.connect(operator.url, autocommit=True) as owner:
        board = Tenancy(owner).dataset_id("default", "demo", "dev", "gold.board")
        drawn_from = BiObject("dataset", "board", None, 4, "d", board)
        Bi(owner).record(project, "dev", [drawn_from, BiObject("dashboard", "board", None, 8, "d")])
        lived.open(page, lived.good)
        dashboards = under(page, "Downstream").get_by_role("region", name="dashboards").locator("tbody tr")
        expect(dashboards).to_have_count(1)
        expect(dashboards).to_contain_text("gold.board")
        link = dashboards.get_by_role("link", name="board", exact=True)
        expect(link).to_have_attribute("href", "https://bi.example.com/superset/dashboard/8/")
        Bi(owner).record(project, "dev", [])
    lived.open(page, lived.good)
    expect(under(page, "Downstream").get_by_role("region", name="dashboards")).to_have_count(0)


def test_the_bad_rows_of_a_run_are_one_press_away(page: Page, lived: Lived) -> None:
    lived.open(page, lived.eventful)
    under(page, "Rows").get_by_role("link", name="quarantine.silver_sales").click()
    asked = f"select *\nfrom quarantine.silver_sales@v2\nwhere _run_id = '{lived.eventful}' and _phase = 'checks'\nlimit 100"
    question = page.get_by_role("textbox", name="SQL", exact=True)
    expect(question).to_have_value(asked)
    # What is no id is not put into a question.
    page.goto(f"{lived.served.where}/sql?table=gold.x&run_rows=" + quote("' or 1=1"))
    expect(question).to_have_value("select *\nfrom gold.x\nlimit 100")


def choose(page: Page, box: Locator, name: str) -> None:
    """A list that has just been opened closes when the page still scrolls to it: then it is opened again."""
    option = page.get_by_role("option", name=name)
    for _ in range(30):
        box.click()
        try:
            option.wait_for(timeout=1_000)
        except NotThere:
            continue
        option.click()
        return
    pytest.fail(f"the list never showed {name}")


def test_an_artifact_of_each_kind_can_be_looked_at(page: Page, lived: Lived) -> None:
    lived.open(page, lived.eventful)
    shown = page.get_by_role("combobox", name="Look at")
    for name, selector, said in (
        ("months.csv", ".log td", "<b>980.00</b>"),
        ("months.manifest.json", ".log pre", '"silver.sales": 1'),
        ("land.log", ".log td", "begins"),
        ("months.sql", ".log pre", "group by month"),
    ):
        choose(page, shown, name)
        expect(page.locator(selector, has_text=said).last).to_be_visible()
    choose(page, shown, "months.parquet")
    expect(page.get_by_text("It is no Parquet that can be read")).to_be_visible()
    choose(page, shown, "dot.png")
    picture = page.get_by_role("img", name="dot.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.naturalWidth") == 1


def test_the_log_is_filtered_by_an_address_and_by_what_is_typed(page: Page, lived: Lived) -> None:
    lived.open(page, lived.eventful, "&level=warnings+and+errors")
    log = page.get_by_role("log")
    expect(log).to_contain_text("the source answered late")
    expect(log.locator("tbody .pill")).to_have_text(["LEASE_EXPIRED", "RUN_REQUEUED", "PHASE_PROGRESS"])
    lived.open(page, lived.eventful, "&level=all&phase=land&words=HALF")
    expect(log.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Words").fill("nobody said this")
    page.get_by_label("Words").press("Enter")
    expect(log).to_contain_text("Nothing of that kind.")


def test_the_log_is_followed_while_the_run_goes_on(page: Page, lived: Lived) -> None:
    operator = lived.served.operator
    run_id, token = operator.running(lease_seconds=300)
    lived.open(page, run_id, "&level=all")
    for number in (1, 2):
        operator.executor.append_events(
            run_id, token, [NewEvent(uuid4(), EventType.PHASE_PROGRESS, "bronze", "info", f"told {number}", None)]
        )
        expect(page.get_by_role("log")).to_contain_text(f"told {number}")
    # The last one is in sight, however many there are.
    several = [NewEvent(uuid4(), EventType.PHASE_PROGRESS, "bronze", "info", f"step {n}", None) for n in range(40)]
    operator.executor.append_events(run_id, token, several)
    log = page.get_by_role("log")
    last = log.locator("tbody tr").last
    expect(last).to_contain_text("step 39")
    log.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    expect(log.locator("tbody tr").first).not_to_be_in_viewport()
    operator.executor.fail_run(run_id, token, "PHASE_FAILED", "over")
    expect(page.get_by_role("log")).to_contain_text("RUN_FAILED")


def test_a_queued_run_says_what_holds_it_up(page: Page, lived: Lived) -> None:
    operator = lived.served.operator
    with psycopg.connect(operator.url, autocommit=True) as owner:
        owner.execute(
            "insert into ops.caps (key, org_id, amount, period) "
            "select 'few', id, 0, 'concurrent' from ops.orgs where slug = 'default'"
        )
        owner.execute("update ops.executors set last_seen = clock_timestamp()")
        run_id = operator.queue(None, **RUN)
        try:
            lived.open(page, run_id)
            why = page.get_by_role("list", name="why it is where it is")
            expect(why).to_contain_text("Cap few is full: 0 of 0 runs (concurrent).")
            expect(page.get_by_role("status")).to_contain_text(": cap few is full: 0 of 0 runs (concurrent);")
            expect(page.get_by_role("status")).not_to_contain_text("executor")
            owner.execute("update ops.executors set state = 'draining'")
            expect(why).to_contain_text("No executor is at work")
        finally:
            owner.execute("delete from ops.caps")
            owner.execute("update ops.executors set state = 'active'")
            operator.owner.cancel_run(run_id, "over")


def test_each_act_says_first_what_it_would_do_and_who_may_not_is_told(page: Page, lived: Lived) -> None:
    with as_role(lived.served, "viewer"):
        lived.open(page, lived.broken)
        expect(page.get_by_role("button", name="Retry run…")).to_be_disabled()
    lived.open(page, lived.broken)
    page.get_by_role("button", name="Retry run…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Carried out: checks, marts.")
    expect(dialog).to_contain_text("Taken over, because they succeeded: land, tidy.")
    with psycopg.connect(lived.served.operator.url) as owner:
        assert owner.execute("select count(*) from ops.runs where parent_run = %s", [lived.broken]).fetchone() == (0,)
    dialog.get_by_role("button", name="Retry run").click()
    expect(page.get_by_role("status")).to_contain_text("Waits for an executor")
    lived.open(page, lived.broken)
    expect(under(page, "Audit trail")).to_contain_text("Nothing that you may read")
    expect(under(page, "Repeated by")).to_contain_text("retry")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_a_huge_run_no_more_is_drawn_than_can_be_looked_at(page: Page, lived: Lived) -> None:
    """A hundred phases and ten thousand events: all phases are there, and of the log a page. How long a link takes is told and
    not judged, because it is the machine's load that decides; what is read is (tests/migrations/test_page_plans.py)."""
    run_id = huge(lived.served.operator)
    lived.open(page, run_id)
    begun = time.perf_counter()
    lived.open(page, run_id)
    sys.stderr.write(f"\na link to a run of 100 phases and 10,000 events: {time.perf_counter() - begun:.2f} s\n")
    expect(page.get_by_role("log").locator("tbody tr")).to_have_count(LOG_PAGE)
    assert len(page.locator(".stMain").inner_html()) < 500_000
    expect(page.locator(".axis .label")).to_have_count(1 + FOREMOST)
    page.get_by_text("All 100 phases").click()
    expect(page.locator(".axis .label")).to_have_count(101)
    expect(page.get_by_text("10,000 events, each with the hash")).to_be_visible()
    for shown in ("phase_040", "phase_060", "phase_090", "RUN_SUCCEEDED"):
        page.get_by_role("button", name="Next events").click()
        expect(page.get_by_role("log")).to_contain_text(shown)
    page.get_by_role("button", name="Check the chain").click()
    expect(page.get_by_text("the chain is whole")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_a_huge_run_at_work_little_is_sent_again_and_again(page: Page, lived: Lived) -> None:
    """What is at work, ended last and is next; the others by their number, until somebody asks for all."""
    run_id = half_way(lived.served.operator)
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda said: received.append(len(said))))
    lived.open(page, run_id, "&level=all")
    labels = page.locator(".axis .label")
    # Of those that have not begun there is no bar.
    expect(labels.last).to_have_text("phase_050")
    assert labels.count() == 1 + FOREMOST - 3
    expect(page.get_by_text("88 phases more: 42 succeeded, 46 pending.").first).to_be_visible()
    measured = 12_000
    received.clear()
    page.wait_for_timeout(measured)
    each_time = sum(received) / (measured / 2_000)
    sys.stderr.write(f"\na run of 100 phases at work sends {each_time / 1000:.1f} kB every two seconds\n")
    assert received
    assert each_time <= 20_000
    page.get_by_text("All 100 phases").click()
    expect(labels).to_have_count(52)
    assert "whole=true" in page.url
    lived.served.operator.owner.cancel_run(run_id, "over")
