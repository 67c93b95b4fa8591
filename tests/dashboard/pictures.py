"""Pictures of pages beside those that somebody has looked at, kept in ``docs/screenshots``.

Compared are cells and not pixels: what is said of now, and how a letter's edge is drawn, may differ; what is where, and in
which colours, may not.
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
CELL = 16
# Of 255: so far apart are the means of a cell that shows something else.
APART = 24.0
# So large a share of the cells may show something else: times, ids, how far something has come.
SHARE = 0.03
LOOKS = 20
COLOURS = 64


def still(page: Page) -> bytes:
    """The picture that two looks one after the other agree on, or the last one: something on it always moves."""
    last = page.screenshot(animations="disabled")
    for _ in range(LOOKS):
        page.wait_for_timeout(150)
        again = page.screenshot(animations="disabled")
        if again == last:
            break
        last = again
    return last


def apart(seen: bytes, kept: Path) -> float:
    """The share of cells that show something else; 1 where the pictures are not of one size."""
    one, other = _cells(Image.open(io.BytesIO(seen))), _cells(Image.open(kept))
    if one.shape != other.shape:
        return 1.0
    return float((np.abs(one - other).max(axis=2) > APART).mean())


def _cells(picture: Image.Image) -> NDArray[np.float64]:
    """Mean colour of each cell, rows × columns × 3."""
    width, height = (size // CELL * CELL for size in picture.size)
    pixels = np.asarray(picture.convert("RGB").crop((0, 0, width, height)), dtype=np.float64)
    cells = pixels.reshape(height // CELL, CELL, width // CELL, CELL, 3)
    return np.asarray(cells.mean(axis=(1, 3)), dtype=np.float64)


def kept(name: str) -> Path:
    return KEPT / f"{name}.png"


def keep(seen: bytes, name: str) -> None:
    """Writes it small: of a page, few colours say the same."""
    path = kept(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(seen)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


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
    share = apart(seen, kept(name))
    if share <= SHARE:
        return None
    found = aside / f"{name.replace('/', '-')}.png"
    found.write_bytes(seen)
    return f"{name}: {share:.1%} of it is not as kept; see {found}, and write it anew with {NEW}=1 where that is meant"
