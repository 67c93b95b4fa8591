"""``python -m tests.dashboard.screenshots URL``: the README's pictures, taken from a control room that runs after a demo."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parents[2] / "docs" / "images"


def take(where: str) -> None:
    """Writes ``runs.png`` and ``run.png``: the list, and the page of the run that filled the marts."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
        page.goto(f"{where}/runs")
        page.wait_for_selector("tbody a")
        _settled(page).screenshot(path=PICTURES / "runs.png")
        page.locator("tr", has_text="silver_to_gold").locator("a").first.click()
        page.wait_for_selector(".axis")
        _settled(page).screenshot(path=PICTURES / "run.png")
        chromium.close()


def _settled(page: Page) -> Page:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)
    return page


if __name__ == "__main__":
    take(sys.argv[1])
