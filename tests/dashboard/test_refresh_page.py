"""Refreshes on a pipeline's page: what differs, swapped in and rolled back by editors, by nobody else."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from ops.model import ClaimedRun, PhaseStatus
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
