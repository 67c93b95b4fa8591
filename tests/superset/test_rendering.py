"""Dashboards in a real browser, as a member sees them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from controlroom import bi
from tests.superset.test_publish import recorded
from tests.superset.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
DRAWN_MS = 90_000


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine; `make test` installs it where it may")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1400, "height": 1600})
        browser.close()


def test_a_dashboard_draws_every_chart_for_a_member(published: World, acme: str, page: Page) -> None:
    dashboard = recorded(published, acme)["dashboard", "revenue_by_month"]
    subject = f"ann-{acme}"
    bi.set_password(published.settings(acme), subject, "correct horse")
    page.goto(f"{published.server.url}/login/")
    page.locator("#username").fill(subject, timeout=DRAWN_MS)
    page.locator("#password").fill("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/superset/welcome/**", timeout=DRAWN_MS)
    page.goto(f"{published.server.url}/superset/dashboard/{dashboard.superset_uuid}/")
    body = page.locator("body")
    # The number of all invoices, a company's name from the table, and the bars' canvas.
    expect(body).to_contain_text("Revenue in figures", timeout=DRAWN_MS)
    expect(page.get_by_text(f"{acme} One").first).to_be_visible(timeout=DRAWN_MS)
    expect(page.get_by_text("14", exact=True).first).to_be_visible(timeout=DRAWN_MS)
    expect(page.locator("canvas").first).to_be_visible(timeout=DRAWN_MS)
    expect(page.locator(".dashboard-chart")).to_have_count(4)
    expect(page.locator(".ant-alert-error, [data-test=error-message]")).to_have_count(0)
    expect(body).not_to_contain_text("SQL Lab")
