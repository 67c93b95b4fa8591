"""Refreshes on a pipeline's page: what differs, swapped in and rolled back by editors, by nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from ops.model import ClaimedRun, PhaseStatus, RunStatus
from ops.reads import Reads
from pipelines.spec import Pipeline, spec_sha256
from tests.dashboard.conftest import Served
from tests.dashboard.people import as_role
from tests.dashboard.test_backfill_views import COMPARED as DIFFERENT
from tests.migrations.test_refreshes import TABLE, Mart


class Told(Mart):
    """A mart whose refreshes are compared as a handler compares them."""

    def compared(self, run: ClaimedRun, version: int, former: int | None) -> None:
        mine = run.run_id, run.lease_token
        comparison = {**DIFFERENT, "table": TABLE, "version": version, "former": former}
        self.executor.start_phase(*mine, "compare_gold_mart")
        self.executor.finish_phase(
            *mine, "compare_gold_mart", PhaseStatus.SUCCEEDED, {"metrics": {"comparison": comparison}}
        )
        self.executor.complete_run(*mine, {})


@pytest.fixture(scope="module")
def mart(served: Served) -> Mart:
    connection = served.operator.owner.source
    mart = Told(served.operator, connection)  # type: ignore[arg-type]
    mart.ran(0)
    return mart


@pytest.fixture(scope="module")
def waiting(mart: Mart) -> UUID:
    return mart.built(1, 0)[0]


def open_demo(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/pipeline?project=default%2Fdemo&name=demo")
    expect(page.get_by_role("heading", name="Refreshes")).to_be_visible()


def test_who_may_not_decide_sees_what_differs_and_is_told_why(page: Page, served: Served, waiting: UUID) -> None:
    with as_role(served, "operator"):
        open_demo(page, served)
        expect(page.get_by_text("waits for somebody to swap it in")).to_be_visible()
        expect(page.get_by_role("button", name="Swap in…")).to_be_disabled()


def test_a_refresh_is_swapped_in_after_a_look_and_rolled_back(
    page: Page, served: Served, mart: Mart, waiting: UUID
) -> None:
    open_demo(page, served)
    line = page.locator(".cr.alert", has_text=waiting.hex[-12:])
    rows = line.locator("tr", has=page.get_by_role("cell", name="rows", exact=True))
    expect(rows.locator("td.number")).to_have_text(["1,200", "1,210"])
    expect(rows).to_contain_text("differs")
    expect(line.locator("tr", has_text="added columns")).to_contain_text("vat")
    page.get_by_role("button", name="Swap in…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Swap in")).to_be_visible()
    assert mart.read() == 0
    # Whoever was an editor when the dialog opened is none when the button is pressed.
    with as_role(served, "operator"):
        dialog.get_by_role("button", name="Swap in").click()
        expect(dialog.get_by_role("alert")).to_contain_text("NOT_ALLOWED")
    assert mart.read() == 0
    dialog.get_by_role("button", name="Swap in").click()
    expect(page.get_by_text("Readers of dev have what was built anew.")).to_be_visible()
    expect(line.locator(".pill").first).to_have_text("swapped")
    assert mart.read() == 1
    page.get_by_role("button", name="Roll back…").click()
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Readers of dev have what they had before.")).to_be_visible()
    expect(line.locator(".pill").first).to_have_text("rolled back")
    assert mart.read() == 0


BOOKS = {
    "version": 1,
    "pipeline": "books",
    "owner": "@data",
    "params": {"since": {"type": "date", "default": "2026-01-01"}},
    "phases": [
        {
            "name": "make",
            "kind": "transform",
            "inputs": {"rows": "silver.entries"},
            "sql": "select * from rows",
            "output": {"table": "gold.books", "mode": "merge", "key": ["id"]},
        }
    ],
}


@pytest.fixture(scope="module")
def books(mart: Mart) -> str:
    """A pipeline that can be refreshed: prod runs the first of its versions, whose default is another."""
    for since in ("2020-05-05", "2026-01-01"):
        spec = Pipeline.from_json({**BOOKS, "params": {"since": {"type": "date", "default": since}}})
        mart.owner.register_pipeline(mart.project, spec.pipeline, spec.to_json(), spec_sha256(spec), "c" * 40)
    mart.connection.execute(
        "insert into ops.promotions (project_id, env, pipeline, version) values (%s, 'prod', 'books', 1)",
        [mart.project],
    )
    return "books"


def test_a_refresh_is_started_by_an_editor_who_is_told_first_what_it_would_do(
    page: Page, served: Served, mart: Mart, books: str
) -> None:
    address = f"{served.where}/pipeline?project=default%2Fdemo&name={books}"
    with as_role(served, "operator"):
        page.goto(address)
        expect(page.get_by_role("button", name="Refresh…")).to_be_disabled()
    page.goto(address)
    page.get_by_role("button", name="Refresh…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Version 2, as dev runs it: 2 phases (make, compare_gold_books).")).to_be_visible()
    expect(dialog.get_by_text("It then waits here until somebody swaps it in.")).to_be_visible()
    dialog.get_by_text("Swap in without asking where little differs").click()
    rows = dialog.get_by_role("textbox", name="Rows differ by at most")
    rows.fill("some")
    rows.press("Enter")
    expect(dialog.get_by_text("'some' is no share; write a percentage, such as 5%")).to_be_visible()
    rows.fill("2%")
    rows.press("Enter")
    expect(dialog.get_by_text("rows by at most 2 % and sums by at most 0 % differ")).to_be_visible()
    dialog.get_by_role("textbox", name="Why").fill("new tax rules")
    dialog.get_by_role("textbox", name="Why").press("Enter")
    # Nothing was made by looking, and who is no editor any more makes nothing.
    assert mart.refreshes.list(mart.project, None, pipeline=books) == []
    with as_role(served, "operator"):
        dialog.get_by_role("button", name="Start refresh").click()
        expect(dialog.get_by_role("alert")).to_contain_text("NOT_ALLOWED")
    dialog.get_by_role("button", name="Start refresh").click()
    expect(page.get_by_text("A refresh of books is queued in dev")).to_be_visible()
    expect(page.locator(".cr.alert .pill", has_text="building")).to_be_visible()
    [made] = mart.refreshes.list(mart.project, None, pipeline=books)
    assert (made.env, made.tolerance, made.note) == ("dev", {"rows": 0.02, "sums": 0.0}, "new tax rules")
    [run] = [each for each in Reads(mart.connection).list_runs() if each.run_id == made.run_id]
    assert run.status is RunStatus.QUEUED


def test_what_another_environment_runs_is_asked_for_with_its_own_parameters(
    page: Page, served: Served, mart: Mart, books: str
) -> None:
    page.goto(f"{served.where}/pipeline?project=default%2Fdemo&name={books}")
    page.get_by_role("button", name="Refresh…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Parameters: since = 2026-01-01.")).to_be_visible()
    dialog.get_by_role("combobox", name="Environment").click()
    page.get_by_role("option", name="prod").click()
    expect(dialog.get_by_text("Version 1, as prod runs it")).to_be_visible()
    expect(dialog.get_by_text("Parameters: since = 2020-05-05.")).to_be_visible()
    dialog.get_by_role("button", name="Start refresh").click()
    expect(page.get_by_text("A refresh of books is queued in prod")).to_be_visible()
    [made] = mart.refreshes.list(mart.project, "prod", pipeline=books)
    row = mart.connection.execute(
        "select params ->> 'since', pipeline_version from ops.runs where id = %s", [made.run_id]
    )
    assert row.fetchone() == ("2020-05-05", 1)


def test_where_nothing_is_promoted_there_is_nothing_to_refresh(page: Page, served: Served, books: str) -> None:
    page.goto(f"{served.where}/pipeline?project=default%2Fdemo&name={books}")
    page.get_by_role("button", name="Refresh…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Environment").click()
    page.get_by_role("option", name="stage").click()
    expect(dialog.get_by_text("stage runs no version of it yet; promote one first.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Start refresh")).to_have_count(0)
