"""``python -m tests.superset.screenshots URL PASSWORD``: docs/superset.md's pictures, after ``make demo && make superset``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from superset.client import Superset

PICTURES = Path(__file__).parents[2] / "docs" / "images"
WANTED = {"Revenue by month": "superset-revenue.png", "Receivables ageing": "superset-receivables.png"}
ADMIN = "controlroom"


def take(where: str, password: str) -> None:
    """Writes one picture for each of the dashboards."""
    with Superset.signed_in(where, ADMIN, password) as client:
        found = {str(row["dashboard_title"]).partition(" ·")[0]: row["url"] for row in client.every("/dashboard/")}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{where}/login/")
        page.locator("#username").fill(ADMIN)
        page.locator("#password").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/superset/welcome/**", timeout=120_000)
        for title, picture in WANTED.items():
            page.goto(where + found[title])
            page.wait_for_selector(".dashboard-chart :is(canvas, table)", timeout=120_000)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(2000)
            page.screenshot(path=PICTURES / picture)
        chromium.close()


if __name__ == "__main__":
    take(*sys.argv[1:3])
