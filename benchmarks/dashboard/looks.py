"""What a person waits for, timed in a real browser: from the press to the moment at which the new thing stands there.

The clock runs in the page itself, between two frames, so that the driver's own round trips are not in the figures; only the
loading of whole pages is timed from outside.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.report import Samples
from ops.model import RunId

DRAWN = "[data-testid='stApp'][data-test-script-state='notRunning']"
PATIENCE_MS = 30_000
# Where → what is there when the page is; of those that show rows, one.
PAGES = {
    "": "h1:has-text('Home')",
    "runs": "h1:has-text('Runs')",
    "pipelines": "h1:has-text('Pipelines')",
    "data": "td a[href*='dataset?id=']",
    "fleet": "h1:has-text('Fleet')",
    "alerts": ".alert a[href*='run?id=']",
    "scores": ".verdict",
    "caps": "[aria-label='caps'] .gauge",
    "sql": "[aria-label='history'] a[href*='sql?run=']",
    "coverage": "h1:has-text('Coverage')",
    "settings": "h1:has-text('Settings')",
    "trigger": "h1:has-text('Start a run')",
}

# Milliseconds from a click to the frame in which `what` says something else and the server has drawn the rest as well.
PRESS = """
([button, what, drawn]) => new Promise((done, failed) => {
  const began = performance.now();
  const before = document.querySelector(what).textContent;
  const look = () => {
    const now = document.querySelector(what);
    if (now && now.textContent !== before && document.querySelector(drawn)) done(performance.now() - began);
    else if (performance.now() - began > 30000) failed(new Error("nothing came of it in 30 s"));
    else requestAnimationFrame(look);
  };
  button.click();
  look();
})
"""


def links(run_id: RunId) -> dict[str, str]:
    """The same of every page that is timed; ``run_id`` is the run that is opened."""
    return {
        **PAGES,
        f"run?id={run_id}": ".verdict",
        "pipeline?project=bench%2Fp1&name=orders": "h1",
        "dataset?project=bench%2Fp1&env=dev&table=silver.orders": "[aria-label='Versions'] td a[href*='run?id=']",
    }


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window.

    Raises:
        RuntimeError: there is none on this machine.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("there is no chromium on this machine; install it, as `make browser` does")
    with sync_playwright() as playwright:
        # Without its own sandbox: as root chromium refuses to start otherwise, and it only sees our loopback page.
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield launched
        finally:
            launched.close()


def first_load(seen: Samples, opened: Browser, where: str, repeats: int) -> None:
    """A browser that has never been here."""
    for _ in range(repeats):
        context = opened.new_context(viewport={"width": 1400, "height": 1000})
        seen.add("first load, nothing cached", "ms", loaded(context.new_page(), where, PAGES[""]))
        context.close()


def deep_links(seen: Samples, page: Page, where: str, links: Mapping[str, str], repeats: int) -> None:
    """An address opened anew in a browser that knows the place. ``links``: address → what is there when it is drawn."""
    for address, there in links.items():
        loaded(page, f"{where}/{address}", there)
        for _ in range(repeats):
            seen.add(named(address), "ms", loaded(page, f"{where}/{address}", there))


def named(address: str) -> str:
    """What the row of a deep link is called."""
    return f"deep link: {address.partition('?')[0] or 'home'}"


def loaded(page: Page, address: str, there: str) -> float:
    """Milliseconds until what belongs there is drawn. Raises RuntimeError: it never was."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    try:
        page.wait_for_selector(there, timeout=PATIENCE_MS)
        page.wait_for_selector(DRAWN, timeout=PATIENCE_MS)
    except NotInTime as error:
        raise RuntimeError(f"{address} did not come to {there}: {page.locator('body').inner_text()[:500]}") from error
    return 1000 * (time.perf_counter() - began)


def navigation(seen: Samples, page: Page, where: str, repeats: int) -> None:
    """From one page to the next by the navigation, there and back."""
    loaded(page, where, PAGES[""])
    for _ in range(repeats):
        for name in ("Pipelines", "Fleet", "Data", "Home"):
            link = page.get_by_role("link", name=name, exact=True).first
            seen.add("from page to page", "ms", _press(page, link, "h1"))


def lists(seen: Samples, page: Page, where: str, repeats: int) -> None:
    """On the list of runs: a filter put on and taken off, and the next page."""
    row = ".cr table tbody tr td"
    loaded(page, f"{where}/runs", PAGES["runs"])
    for _ in range(repeats):
        for _ in range(2):
            pill = page.get_by_role("button", name="failed", exact=True)
            seen.add("filter to rows", "ms", _press(page, pill, row))
    for _ in range(repeats):
        older = page.get_by_role("button", name="Older", exact=True)
        seen.add("next page to rows", "ms", _press(page, older, row))


def _press(page: Page, button: Locator, what: str) -> float:
    return float(page.evaluate(PRESS, [button.element_handle(), what, DRAWN]))
