"""Pictures of pages beside those that somebody has looked at, kept in ``docs/screenshots``.

Times, ids and bars of what took how long are made alike first. Compared are cells and not pixels, so that the edge of a letter
may be drawn otherwise; a patch of cells that belong together may not, however small a part of the page it is.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

KEPT = Path(__file__).parents[2] / "docs" / "screenshots"
# Writes the pictures instead; whoever commits them looks at them first.
NEW = "CONTROLROOM_NEW_SCREENSHOTS"
CELL = 8
# Of 255: so far apart are the means of a cell that shows something else.
APART = 24.0
# So many cells that touch each other may show something else; the smallest button has twice as many.
PATCH = 8
LOOKS = 20
WIDTH = """
() => {
  const text = document.createElement("canvas").getContext("2d");
  text.font = "12px ui-monospace, monospace";
  return text.measureText("0".repeat(20)).width;
}
"""
# Times, ids and dates are another each time, and so long that lines break elsewhere.
PLAIN = r"""
() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const said = node.data
      .replace(/\b\d[\d.,]*(?= (ms|s|min|h|d)\b)/g, "1")
      .replace(/\b1 (ms|s|min|h|d)\b( 1 (ms|s|min|h|d)\b)*( ago)?|\bnow\b/g, "1 s")
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{12}\b/g, (id) => id.replace(/[0-9a-f]/g, "0"))
      .replace(/\b\d{4}-\d\d-\d\d\b|\b\d\d:\d\d(:\d\d(\.\d+)?)?\b/g, (at) => at.replace(/\d/g, "0"));
    if (said !== node.data) node.data = said;
  }
  if (document.getElementById("plain")) return;
  const style = document.createElement("style");
  style.id = "plain";
  style.textContent =
    ".axis .track > *, .axis .ticks, .bars > *, .note { visibility: hidden } .bars { background: none !important }";
  document.head.append(style);
}
"""


def still(page: Page) -> bytes:
    """The picture that two looks one after the other agree on, or the last one: something on it always moves."""
    last = b""
    for _ in range(LOOKS):
        page.wait_for_timeout(150)
        page.evaluate(PLAIN)
        again = page.screenshot(animations="disabled")
        if again == last:
            break
        last = again
    return last


def apart(seen: bytes, kept: Path) -> int:
    """Cells of the largest patch that shows something else; all of them where the pictures are not of one size."""
    one, other = _cells(Image.open(io.BytesIO(seen))), _cells(Image.open(kept))
    if one.shape != other.shape:
        return int(one.shape[0] * one.shape[1])
    rows, columns = np.nonzero(np.abs(one - other).max(axis=2) > APART)
    return _largest({(int(row), int(column)) for row, column in zip(rows, columns, strict=True)})


def _largest(cells: set[tuple[int, int]]) -> int:
    """Of patches whose cells touch each other, also at a corner, or with one cell between."""
    most, left = 0, set(cells)
    while left:
        ahead, size = [left.pop()], 0
        while ahead:
            row, column = ahead.pop()
            size += 1
            near = {(row + down, column + right) for down in range(-2, 3) for right in range(-2, 3)} & left
            left -= near
            ahead += near
        most = max(most, size)
    return most


def _cells(picture: Image.Image) -> NDArray[np.float64]:
    """Mean colour of each cell, rows × columns × 3."""
    width, height = (size // CELL * CELL for size in picture.size)
    pixels = np.asarray(picture.convert("RGB").crop((0, 0, width, height)), dtype=np.float64)
    cells = pixels.reshape(height // CELL, CELL, width // CELL, CELL, 3)
    return np.asarray(cells.mean(axis=(1, 3)), dtype=np.float64)


def kept(name: str) -> Path:
    return KEPT / f"{name}.webp"


def keep(seen: bytes, name: str) -> None:
    """Writes it, small and without loss: colours say something."""
    path = kept(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(seen)).convert("RGB").save(path, lossless=True, method=6)


def drawn_by(page: Page) -> str:
    """What else decides how a page looks: the browser, and the fonts that are not ours."""
    version = page.context.browser.version.partition(".")[0] if page.context.browser else "?"
    return f"Chromium {version}, 20 fixed-width digits of 12px are {page.evaluate(WIDTH):.1f}px wide"


def comparable(page: Page) -> None:
    """Skips where the pictures were made by another browser, or with other fonts; notes which, where they are made."""
    here, note = drawn_by(page), KEPT / "drawn_by.txt"
    if os.environ.get(NEW):
        note.write_text(f"{here}\n")
    elif (there := note.read_text().strip()) != here:
        pytest.skip(f"the pictures were drawn by {there}; here is {here}")


def compared(page: Page, name: str, aside: Path) -> str | None:
    """What is wrong with the page that is open, beside the picture ``name``; None where nothing is, or it was written.

    Args:
        aside: where the picture goes that is not like the other.
    """
    seen = still(page)
    if os.environ.get(NEW):
        keep(seen, name)
        return None
    if not kept(name).is_file():
        pytest.fail(f"there is no {kept(name)}; write it with {NEW}=1, and look at it before it is committed")
    patch = apart(seen, kept(name))
    if patch <= PATCH:
        return None
    found = aside / f"{name.replace('/', '-')}.png"
    found.write_bytes(seen)
    return f"{name}: a patch of {patch} cells is not as kept; see {found}, and write it anew with {NEW}=1 where that is meant"
