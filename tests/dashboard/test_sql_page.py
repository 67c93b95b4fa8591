"""SQL in a browser: asked, followed, canceled, answered from the cache, refused, and with Postgres gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from ops.catalog import Catalog
from ops.database import LOCAL_OPERATOR
from ops.embedded import Cluster
from ops.model import RunId
from tests.dashboard.answering import answered, refused, taken
from tests.dashboard.conftest import Served, Watched, serve
from tests.dashboard.eventful import good
from tests.dashboard.people import as_role, tenancy
from tests.postgres import Databases

MONTHS = pl.DataFrame({"month": ["2026-01", "2026-02"], "revenue": [1204.5, 980.25], "note": ["<b>x</b>", None]})


@pytest.fixture(scope="module")
def lake(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A control room whose lake has tables of three layers, one of them with a personal column."""
    with databases.clone(template) as url:
        for served in serve(cluster, url, tmp_path_factory.mktemp("home")):
            good(served.operator, 0)
            project = served.operator.owner.ensure_project("default", "demo")
            catalog = Catalog(served.operator.owner.source)
            table = catalog.entry(project, "dev", "silver.sales").dataset_id
            catalog.note_column(table, "amount", pii="yes")
            yield served


def write(page: Page, sql: str) -> None:
    """Types a question."""
    expect(page.get_by_role("textbox", name="SQL", exact=True)).to_be_visible()
    page.get_by_role("textbox", name="SQL", exact=True).fill(sql)


def run(page: Page, sql: str) -> RunId:
    """Asks, and waits until the address names the run."""
    write(page, sql)
    before = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != before and "run=" in url)
    return RunId(re.findall(r"run=([0-9a-f-]{36})", page.url)[0])


def standing(page: Page) -> Locator:
    return page.get_by_role("status")


def test_a_question_is_followed_to_its_answer(watched: Watched, lake: Served) -> None:
    page = watched.page
    page.goto(f"{lake.where}/sql")
    # What can be asked is to hand, and what stands there can be run.
    expect(page.locator(".lake summary").first).to_contain_text("gold.sales_by_month")
    expect(page.get_by_role("textbox", name="SQL", exact=True)).to_have_value(re.compile("from gold"))
    page.locator(".lake summary", has_text="silver.sales").click()
    expect(page.locator(".lake details[open] li", has_text="amount")).to_contain_text("personal")
    run(page, "select month, revenue, note from gold.sales_by_month order by month")
    expect(standing(page)).to_contain_text("queued")
    begun = taken(lake.operator)
    expect(standing(page)).to_contain_text("Running for")
    answered(lake.operator, lake.home, MONTHS, {"masked": {"gold.sales_by_month": ["mail"]}}, begun)
    expect(standing(page)).to_contain_text("2 rows in")
    cells = page.get_by_role("region", name="answer", exact=True).locator("tbody tr").first.locator("td")
    expect(cells).to_have_text(["2026-01", "1,204.5", "<b>x</b>"])
    expect(cells.nth(1)).to_have_class("number")
    expect(page.get_by_role("region", name="answer", exact=True).locator("tbody tr").nth(1)).to_contain_text("null")
    expect(page.get_by_text("All 2 rows.")).to_be_visible()
    expect(page.get_by_text("gold.sales_by_month: mail read as null")).to_be_visible()
    page.get_by_text("Chart", exact=True).click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    page.get_by_text("Plan", exact=True).click()
    expect(page.get_by_text("SCAN gold.sales")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    assert saved.value.path().read_text().startswith("month,revenue,note\n2026-01,1204.5")
    page.get_by_role("button", name="Save…").click()
    page.get_by_role("dialog").get_by_label("Name").fill("revenue by month")
    page.get_by_role("dialog").get_by_label("Name").press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    link = page.get_by_role("link", name="revenue by month.parquet")
    expect(link).to_be_visible()
    assert page.request.get(f"{lake.where}/{link.get_attribute('href')}").body()[:4] == b"PAR1"
    assert watched.complaints == []
    assert watched.hosts == {lake.where.removeprefix("http://")}


def test_a_link_is_a_view_and_a_known_answer_says_whose_it_is(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql")
    first = run(page, "select month from gold.sales_by_month")
    answered(lake.operator, lake.home, MONTHS.select("month"))
    expect(standing(page)).to_contain_text("2 rows")
    run(page, "select month from gold.sales_by_month")
    answered(lake.operator, lake.home, MONTHS.select("month"), {"cached_from": str(first)})
    expect(standing(page)).to_contain_text(f"from the cache of run {str(first)[-12:]}")
    page.goto(f"{lake.where}/sql?run={first}")
    expect(page.get_by_role("textbox", name="SQL", exact=True)).to_have_value("select month from gold.sales_by_month")
    expect(standing(page)).to_contain_text("2 rows")
    history = page.get_by_role("region", name="history")
    expect(history.locator("tr", has_text="from the cache of run").first).to_be_visible()
    page.get_by_label("Words of the SQL").fill("nobody asked")
    page.get_by_label("Words of the SQL").press("Enter")
    expect(history).to_contain_text("No question is like that.")
    # The run's own page leads back.
    page.goto(f"{lake.where}/run?id={first}")
    page.get_by_role("link", name="a question in SQL").click()
    expect(standing(page)).to_contain_text("2 rows")


def test_a_question_is_canceled_while_it_runs(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql")
    run(page, "select count(*) from silver.sales")
    begun = taken(lake.operator)
    expect(standing(page)).to_contain_text("Running for")
    page.get_by_role("button", name="Cancel", exact=True).click()
    executor = lake.operator.executor
    for _ in range(600):
        if executor.heartbeat_run(begun.run_id, begun.lease_token).cancel_requested:
            break
        page.wait_for_timeout(50)
    executor.release_canceled_run(begun.run_id, begun.lease_token, "asked to")
    expect(standing(page)).to_contain_text("Canceled after")
    expect(standing(page)).to_contain_text("Run it again to go on.")


def test_what_is_wrong_is_said_where_it_was_asked_and_what_failed_says_what_to_do(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql")
    write(page, "drop table gold.sales_by_month")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("only a select can be asked")
    run(page, "select nope from gold.sales_by_month")
    refused(lake.operator, "BAD_INPUT", "gold.sales_by_month has no column nope")
    expect(standing(page)).to_contain_text("gold.sales_by_month has no column nope (BAD_INPUT)")
    expect(standing(page)).to_contain_text("Correct what is named and run it again.")
    expect(page.get_by_role("region", name="answer", exact=True)).to_have_count(0)


def test_who_is_no_editor_asks_too_and_is_told_what_is_kept_back(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql")
    personal = run(page, "select amount from silver.sales")
    answered(lake.operator, lake.home, MONTHS.select("revenue"), {"personal": True})
    expect(page.get_by_role("region", name="answer", exact=True)).to_contain_text("1,204.5")
    with as_role(lake, "viewer"):
        page.goto(f"{lake.where}/sql?run={personal}")
        expect(page.get_by_text("This answer shows personal data: only editors")).to_be_visible()
        expect(page.get_by_text("they read as null for you")).to_be_visible()
        expect(page.get_by_role("region", name="answer", exact=True)).to_have_count(0)
        own = run(page, "select month from gold.sales_by_month limit 1")
        answered(lake.operator, lake.home, MONTHS.select("month").head(1))
        expect(page.get_by_text("One row.")).to_be_visible()
        with psycopg.connect(lake.operator.url) as owner:
            assert owner.execute("select sees_personal from ops.queries where run_id = %s", [own]).fetchone() == (
                False,
            )


def test_editors_choose_a_server_in_the_lakes_place(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql")
    page.get_by_role("combobox", name="Engine").click()
    page.get_by_role("option", name="Postgres").click()
    page.wait_for_url(re.compile("engine="))
    write(page, "drop table x")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("only a select can be asked")
    asked = run(page, "select $$x$$ as x from a.table_of_theirs")
    begun = taken(lake.operator)
    assert "'engine': 'postgres'" in str(begun.spec["phases"])
    answered(lake.operator, lake.home, MONTHS, {"personal": True, "server": "postgres"}, begun)
    expect(page.get_by_role("region", name="answer", exact=True)).to_contain_text("1,204.5")
    expect(page.get_by_role("region", name="history")).to_contain_text("engine postgres")
    # A link is a view, the engine with it.
    page.goto(f"{lake.where}/sql?run={asked}")
    expect(page.get_by_role("combobox", name="Engine")).to_have_value("Postgres")
    with as_role(lake, "viewer"):
        page.goto(f"{lake.where}/sql?run={asked}")
        expect(page.get_by_text("What a server says may show personal data")).to_be_visible()
        expect(page.get_by_role("combobox", name="Engine")).to_have_count(0)
        run(page, "select month from gold.sales_by_month limit 2")
        begun = taken(lake.operator)
        assert "'engine': 'embedded'" in str(begun.spec["phases"])
        answered(lake.operator, lake.home, MONTHS.select("month"), {}, begun)
        expect(page.get_by_text("2 rows in")).to_be_visible()


def test_a_version_of_a_table_is_looked_at_from_its_page(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/dataset?project=default/demo&env=dev&table=silver.sales")
    page.get_by_role("link", name="look", exact=True).click()
    editor = page.get_by_role("textbox", name="SQL", exact=True)
    expect(editor).to_have_value("select *\nfrom silver.sales@v0\nlimit 100")
    asked = run(page, "select amount from silver.sales@v0")
    answered(lake.operator, lake.home, MONTHS.select("revenue"))
    expect(standing(page)).to_contain_text("2 rows")
    assert f"run={asked}" in page.url
    assert "table=" not in page.url


def test_the_rows_of_a_version_are_shown_by_one_press_on_its_page(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/dataset?project=default%2Fdemo&env=dev&table=gold.sales_by_month")
    page.get_by_role("button", name=re.compile("Show the rows of version")).click()
    page.wait_for_url("**/sql?*run=*")
    answered(lake.operator, lake.home, MONTHS)
    cells = page.get_by_role("region", name="answer", exact=True).locator("tbody tr").first.locator("td")
    expect(cells.first).to_have_text("2026-01")
    expect(page.get_by_role("textbox", name="SQL", exact=True)).to_have_value(re.compile("from gold.sales_by_month@v"))


def test_another_projects_question_is_nobodys_and_nothing_to_ask_says_so(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/sql?env=prod")
    expect(page.get_by_text("Readers get no table in this environment yet.")).to_be_visible()
    asked = run(page, "select 1 as one")
    answered(lake.operator, lake.home, pl.DataFrame({"one": [1]}))
    expect(page.get_by_text("One row.")).to_be_visible()
    people = tenancy(lake)
    people.set_member("default", "demo", "another admin", "admin")
    people.remove_member("default", "demo", LOCAL_OPERATOR)
    try:
        page.goto(f"{lake.where}/sql?run={asked}")
        expect(page.get_by_text("One row.")).to_have_count(0)
        expect(page.get_by_text("You belong to no project").first).to_be_visible()
    finally:
        people.set_member("default", "demo", LOCAL_OPERATOR, "admin")
